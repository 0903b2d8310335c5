"""Files that somebody edited: comments may go, data never does."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_yaml.text.spliced_text import open_text
from pipestat_yaml.text.trailer import read_trailer

from pipestat_spec.errors import PipestatDataError
from tests.parsers import tagged
from tests.yaml.stores import Stored
from tests.yaml.test_canonical import STRINGS, VALUES

Open = Callable[..., Stored]

HAND_WRITTEN = """\
# results of the week
demo:
    's1':   # the first one
        n: 1
        day: 2024-01-01
        flow: {a: [1, 2], "b": ~}
        meta:
            note: made by hand
            created: 2026-01-31T12:00:00Z
            source: somewhere
            history:
                n: {2026-01-31T12:00:01Z: 0, whenever: -1}
    s2: &two
        n: 2
    s3: *two
    s4:
    s5: {}
"""


def write(store: Stored, text: str) -> None:
    store.path.write_text(text, encoding="utf-8")


def test_a_file_written_by_hand(stored: Open) -> None:
    store = stored()
    write(store, HAND_WRITTEN)
    assert store.names() == ["s1", "s2", "s3", "s4", "s5"]
    assert store.results("s4") == {} == store.results("s5")
    assert [(e.result, e.value) for e in store.history("s1")] == [("n", 0)]
    store.report("s1", {"n": 5})
    after = store.raw()["demo"]
    s1 = after["s1"]
    assert s1["day"] == "2024-01-01"
    assert s1["flow"] == {"a": [1, 2], "b": None}
    assert s1["n"] == 5
    meta = s1["meta"]
    assert (meta["note"], meta["created"], meta["source"]) == (
        "made by hand",
        "2026-01-31T12:00:00Z",
        "somewhere",
    )
    history = meta["history"]["n"]
    assert (history.pop("2026-01-31T12:00:01Z"), history.pop("whenever")) == (0, -1)
    assert list(history.values()) == [1]
    assert after["s2"] == after["s3"] == {"n": 2}
    assert after["s4"] == after["s5"] == {"meta": {}}
    assert store.vouched()
    assert store.names() == ["s1", "s2", "s3", "s4", "s5"]


def test_reports_that_change_nothing_leave_the_bytes(stored: Open) -> None:
    store = stored()
    write(store, HAND_WRITTEN)
    store.report("s1", {"n": 1, "flow": {"b": None, "a": [1, 2]}})
    assert store.path.read_text() == HAND_WRITTEN
    store.report("s1", {"n": 2})
    canonical = store.path.read_bytes()
    inode = store.path.stat().st_ino
    store.report("s1", {"n": 2})
    assert store.path.read_bytes() == canonical
    assert store.path.stat().st_ino == inode


def test_unrelated_namespaces_and_keys_are_kept(stored: Open) -> None:
    store = stored(multi_namespaces=True)
    other = {
        "version": 3,
        "list": [1, {"a": None}],
        "later": None,
        "half": {"s1": {"n": 1}, "s2": 7},
        "good": {"sample": {"x": {"n": 1}}, "project": {}},
        "_hidden": "x",
    }
    write(store, yaml.safe_dump({**other, "demo": {"s1": {"n": 1}}}))
    for value in (2, 3):
        store.report("s1", {"n": value})
        store.report("s2", {"n": value})
        after = store.raw()
        assert {key: after[key] for key in other if key != "later"} == {
            key: value for key, value in other.items() if key != "later"
        }
        assert after["later"] in (None, {})
        assert store.results("s1") == {"n": value}


def test_an_edit_by_hand_is_noticed_at_every_byte(stored: Open) -> None:
    """Whatever byte of our file changes: what a YAML parser reads in it is what we read."""
    store = stored(layout="levels")
    store.report("s1", {"n": 1, "name": "x"})
    store.report("all", {"n": 2}, level="project")
    original = store.path.read_bytes()
    wanted = read_trailer(original)
    assert wanted is not None
    trailer = original.rindex(b"# pipestat-spec")
    seen = 0
    for position in range(trailer):
        changed = original[:position] + b"7" + original[position + 1 :]
        if changed == original:
            continue
        assert read_trailer(changed) is None
        seen += 1
    assert seen > 100
    for position in range(trailer, len(original)):
        changed = original[:position] + b"0" + original[position + 1 :]
        found = read_trailer(changed)
        # Only the number of records is not checked against the text.
        assert found is None or [s[:4] for s in found.sections] == [s[:4] for s in wanted.sections]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("n: 1\n", "n: 11\n").replace('"n"', "n"),
        lambda text: "# note\n" + text,
        lambda text: text + "# after the trailer\n",
        lambda text: text.partition("# pipestat-spec")[0],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("# pipestat-spec", "# pipestat"),
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace("s1:", "'s1':"),
        lambda text: text.replace("# pipestat-spec", "  s9:\n    z: 1\n# pipestat-spec"),
        lambda text: text.replace("# pipestat-spec: {", "# pipestat-spec: [{"),
        lambda text: text.replace("[[", "[[[").replace("]]", "]]]"),
    ],
)
def test_after_an_edit_nothing_is_lost(stored: Open, edit: Callable[[str], str]) -> None:
    store = stored()
    store.report("s1", {"n": 1, "name": "x"})
    store.report("s2", {"n": 2})
    edited = edit(store.path.read_bytes().decode())
    store.path.write_bytes(edited.encode())
    before = yaml.safe_load(edited)["demo"]
    assert set(store.names()) == set(before)
    store.report("s2", {"n": 3})
    after = store.raw()["demo"]
    assert set(after) == set(before)
    assert {**after["s1"], "meta": 0} == {**before["s1"], "meta": 0}
    assert after["s2"]["n"] == 3
    assert store.vouched()


def test_a_trailer_that_vouches_for_text_of_another_form(stored: Open) -> None:
    """Another program may compute our checksum over text that is not canonical."""
    import json
    import zlib

    body = b"demo:\n  s1:\n    n: 010\n    t: 'x'\n  s2:\n    n: 1\n"
    trailer = {
        "checksum": f"crc32:{zlib.crc32(body):08x}",
        "sections": [["demo", None, 6, len(body), 2]],
        "version": 1,
    }
    store = stored()
    store.path.write_bytes(body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n")
    assert store.results("s1") == {"n": 8, "t": "x"}
    store.report("s1", {"n": 9})
    assert store.results("s1") == {"n": 9, "t": "x"}
    assert store.results("s2") == {"n": 1}
    assert store.raw()["demo"]["s1"]["n"] == 9


@pytest.mark.parametrize("count", [1, 2])
def test_a_trailer_that_vouches_for_keys_of_another_form(stored: Open, count: int) -> None:
    import json
    import zlib

    body = b"demo:\n  's1':\n    n: 1\n  s2:\n    n: 2\n"
    trailer = {
        "checksum": f"crc32:{zlib.crc32(body):08x}",
        "sections": [["demo", None, 6, len(body), count]],
        "version": 1,
    }
    store = stored()
    store.path.write_bytes(body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n")
    assert store.names() == ["s1", "s2"]
    for _ in range(20):
        assert store.results("s2") == {"n": 2}


@pytest.mark.parametrize(
    "sections",
    [
        [["demo", None, 0, 20, 1]],
        [["demo", None, 6, 10_000, 1]],
        [["demo", None, 30, 20, 1]],
        [["demo", None, 6, 6, 0]],
        [["demo", "other", 6, 20, 1]],
        [["demo", None, True, 20, 1]],
        [["demo", None, 6, 20]],
        ["demo"],
        {"demo": 1},
        None,
    ],
)
def test_a_trailer_with_impossible_sections_is_not_believed(sections: Any) -> None:
    import json
    import zlib

    body = b"demo:\n  s1:\n    n: 1\n"
    trailer = {"checksum": f"crc32:{zlib.crc32(body):08x}", "sections": sections, "version": 1}
    data = body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n"
    assert read_trailer(data) is None
    assert sorted(open_text(data, "x").identifiers("demo", None)) == ["s1"]


NAMES = STRINGS.filter(lambda name: name not in ("sample", "project") and "\0" not in name and name)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.sampled_from(["sample", "project"]),
        st.lists(st.tuples(NAMES, st.none() | st.dictionaries(STRINGS, VALUES, max_size=3))),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.sampled_from(["records", "levels"]), st.sampled_from(["records", "levels"]))
def test_edits_keep_a_file_canonical_and_complete(
    steps: list[Any], first: Any, second: Any
) -> None:
    """Any sequence of edits, by hand too, holds what a dictionary holds."""
    layouts = {"one": first, "two": second}
    wanted: dict[str, dict[Any, dict[str, Any]]] = {}
    data = b""
    for namespace, level, changes, by_hand in steps:
        layout = layouts[namespace]
        section = None if layout == "records" else level
        records = wanted.setdefault(namespace, {}).setdefault(section, {})
        text = open_text(data, "x")
        chunks = text.edited(namespace, layout, {(section, n): v for n, v in changes})
        for name, value in dict(changes).items():
            if value is None:
                records.pop(name, None)
            else:
                records[name] = value or {"meta": {}}
        if chunks is not None:
            data = b"".join(chunks)
            assert read_trailer(data) is not None
        after = open_text(data, "x")
        for space, sections in wanted.items():
            for part, held in sections.items():
                assert sorted(after.identifiers(space, part)) == sorted(held)
                assert len(after.identifiers(space, part)) == len(held)
                for name, value in held.items():
                    assert tagged(after.record(space, part, name)) == tagged(value)
        if data:
            tree = yaml.load(data, yaml.CSafeLoader) or {}
            for space, sections in wanted.items():
                for part, held in sections.items():
                    found = tree.get(space) or {}
                    assert tagged(found if part is None else found.get(part, {})) == tagged(held)
        if by_hand and data:
            data = data.partition(b"# pipestat-spec")[0] + b"# by hand\n"


@pytest.mark.parametrize("content", ["canonical", "empty", "missing"])
def test_canonical_and_new_files_need_no_yaml_parser(
    stored: Open, tmp_path: Path, content: str
) -> None:
    import subprocess
    import sys

    store = stored()
    if content == "canonical":
        store.report("s1", {"n": 1})
    elif content == "empty":
        store.path.write_text("\n")
    script = (
        "import sys; from pathlib import Path; from tests.yaml import stores\n"
        "del sys.modules['yaml']\n"
        "for name in [m for m in sys.modules if m.startswith('yaml.')]: del sys.modules[name]\n"
        f"s = stores.open_stored(Path({str(store.path)!r}))\n"
        "assert s.backend.layout == ('records' if s.names() else None)\n"
        "s.report('s1', {'n': 2}); s.report('s2', {'n': 2}); s.set_status('s1', 'running')\n"
        "s.remove('s2'); assert s.results('s1') == {'n': 2}; assert s.names() == ['s1']\n"
        "heavy = {'yaml', 'fsspec', 'pydantic', 'jsonschema', 'tempfile', 'hashlib', 'logging'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def vouch(store: Stored, body: bytes, count: int) -> None:
    """Write a file of the layout `records` with a trailer whose checksum fits."""
    trailer = {
        "checksum": f"crc32:{zlib.crc32(body):08x}",
        "sections": [["demo", None, 6, len(body), count]],
        "version": 1,
    }
    store.path.write_bytes(body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n")


@pytest.mark.parametrize("count", [1, 3])
def test_a_trailer_that_miscounts(stored: Open, count: int) -> None:
    store = stored()
    vouch(store, b"demo:\n  s1:\n    n: 1\n  s2:\n    n: 2\n", count)
    assert store.backend.count("sample") == 2  # type: ignore[attr-defined]
    store.report("s3", {"n": 3})
    assert store.backend.count("sample") == 3  # type: ignore[attr-defined]
    assert store.names() == ["s1", "s2", "s3"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_record_is_removed_alone_whatever_the_trailer_counts(stored: Open, count: int) -> None:
    store = stored()
    vouch(store, b"demo:\n  s1:\n    reads: 1\n  s2:\n    reads: 2\n", count)
    store.remove("s1")
    assert store.raw() == {"demo": {"s2": {"reads": 2}}}
    store.remove("s2")
    assert store.names() == []


def test_a_trailer_does_not_make_records_of_levels(stored: Open) -> None:
    store = stored()
    vouch(store, b"demo:\n  sample:\n    s1:\n      n: 1\n", 1)
    assert store.names() == ["s1"]


@pytest.mark.parametrize(
    "body",
    [
        b"demo:\n  s1:\n    n: 1\n    n: 2\n  s2:\n    n: 2\n",
        b"demo:\n  s1:\n    n: 1\n  s1:\n    n: 2\n",
    ],
)
def test_a_trailer_does_not_hide_a_key_that_stands_twice(stored: Open, body: bytes) -> None:
    store = stored()
    vouch(store, body, 2)
    with pytest.raises(PipestatDataError, match="stands twice"):
        list(store.backend.scan("sample"))
