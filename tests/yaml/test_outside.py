"""What files hold and the data model does not have: told of, kept, never returned."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.errors import PipestatDataError
from tests.yaml.stores import Stored

Open = Callable[..., Stored]

# What is written, and what the error says of it.
OUTSIDE = [
    (".nan", "holds .nan, which is outside the data model"),
    ("-.INF", "holds -.INF, which"),
    ("9223372036854775808", "holds 9223372036854775808, which"),
    ("1.5e+400", r"holds 1\.5e\+400, which"),
    ("[1, {a: .inf}]", "holds .inf, which"),
    ("1" * 5000, "holds 1111"),
    ('"a\\0b"', r"holds the character U\+0000"),
    ('{"a\\0b": 1}', r"holds the character U\+0000"),
    ("[" * 101 + "]" * 101, "has a depth of more than 100"),
]


def write(store: Stored, text: str) -> None:
    store.path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("value", "problem"), OUTSIDE)
@pytest.mark.parametrize("layout", ["records", "levels"])
def test_reading_the_record_is_an_error_and_the_others_stay_readable(
    stored: Open, value: str, problem: str, layout: str
) -> None:
    store = stored(layout=layout)
    inner = f"{{a: {{n: 1}}, b: {{n: 2, rate: {value}}}, c: {{n: 3}}}}"
    write(store, f"demo: {inner}\n" if layout == "records" else f"demo: {{sample: {inner}}}\n")
    named = f"result 'rate' of record 'b' {problem}"
    with pytest.raises(PipestatDataError, match=named) as caught:
        store.read("b")
    assert caught.value.code == "store"
    before = store.path.read_bytes()
    for change in (
        lambda: store.report("b", {"n": 4}),
        lambda: store.set_status("b", "running"),
        lambda: store.remove("b"),
        lambda: store.names(),
    ):
        with pytest.raises(PipestatDataError, match=named):
            change()
    assert store.path.read_bytes() == before
    assert store.beside() <= {"results.yaml", ".results.yaml.lock"}
    assert store.results("a") == {"n": 1}
    assert store.backend.count("sample") == 3  # type: ignore[attr-defined]
    # A listing comes as far as the record.
    found = store.backend.scan("sample")
    assert next(found).key.identifier == "a"
    with pytest.raises(PipestatDataError, match=named):
        next(found)


@pytest.mark.parametrize(("value", "problem"), OUTSIDE)
def test_an_update_of_another_record_keeps_it(stored: Open, value: str, problem: str) -> None:
    store = stored()
    write(store, f"demo: {{a: {{n: 1}}, b: {{rate: {value}}}}}\n")
    for number in (2, 3):
        store.report("a", {"n": number})
        with pytest.raises(PipestatDataError, match=problem):
            store.read("b")
    assert store.results("a") == {"n": 3}
    kept = yaml.compose(store.path.read_bytes())
    given = yaml.compose(f"demo: {{rate: {value}}}\n")
    assert plain(kept)["demo"]["b"]["rate"] == plain(given)["demo"]["rate"]


def plain(node: Any) -> Any:
    """Return the texts of a document, so that numbers are compared as they are written."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def test_no_trailer_vouches_for_such_a_file(stored: Open) -> None:
    store = stored()
    write(store, "demo: {a: {n: 1}, b: {rate: .nan}}\n")
    store.report("a", {"n": 2})
    assert not store.vouched()
    text = store.path.read_text()
    write(store, text.replace(".nan", "0.5"))
    store.report("a", {"n": 3})
    assert store.vouched()
    assert store.results("b") == {"rate": 0.5}


def test_a_trailer_of_another_program_that_vouches_for_it_changes_nothing(
    stored: Open,
) -> None:
    import json
    from zlib import crc32

    body = b"demo:\n  a:\n    n: 1\n  b:\n    rate: .nan\n"
    sections = [["demo", None, 6, len(body), 2]]
    trailer = {"checksum": f"crc32:{crc32(body):08x}", "sections": sections, "version": 1}
    store = stored()
    store.path.write_bytes(body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n")
    assert store.results("a") == {"n": 1}
    with pytest.raises(PipestatDataError, match=r"'rate' of record 'b' holds \.nan"):
        store.read("b")
    store.report("a", {"n": 2})
    assert math.isnan(store.raw()["demo"]["b"]["rate"])


def test_what_meta_holds_of_it(stored: Open) -> None:
    store = stored()
    write(
        store,
        "demo:\n"
        "  a: {n: 1, meta: {note: .nan, history: {n: {'2026-01-31T12:00:00.000000Z': .inf}}}}\n"
        "  b: {n: 1, meta: {source: {run: .nan}}}\n"
        "  c: {n: 1, meta: 5}\n"
        "  d: {n: 1, meta: }\n",
    )
    assert store.results("a") == {"n": 1}
    store.report("a", {"n": 2})
    assert math.isnan(store.raw()["demo"]["a"]["meta"]["note"])
    assert (
        store.raw()["demo"]["a"]["meta"]["history"]["n"]["2026-01-31T12:00:00.000000Z"] == math.inf
    )
    with pytest.raises(PipestatDataError, match="an old value of result 'n' of record 'a' holds"):
        store.history("a")
    with pytest.raises(PipestatDataError, match=r"the source of record 'b' holds \.nan"):
        store.read("b")
    with pytest.raises(PipestatDataError, match="'meta' of record 'c' is no mapping"):
        store.read("c")
    assert store.results("d") == {"n": 1}


def test_names_that_a_store_uses_itself_are_no_results(stored: Open, tmp_path: Path) -> None:
    store = stored(layout="levels")
    reserved = {
        "record_identifier": "s1",
        "id": 7,
        "status": "done",
        "project_name": "p",
        "pipeline_name": [1],
        "sample_name": None,
        "pipestat_extended_data": {"a": {"b": 1}},
        "pipestat_created_time": 5,
    }
    write(store, yaml.safe_dump({"demo": {"sample": {"s1": {"n": 1, **reserved}, "s2": reserved}}}))
    assert store.results("s1") == {"n": 1}
    assert store.results("s2") == {}
    for number in (2, 3):
        store.report("s1", {"n": number})
        store.report("s2", {"m": number})
        assert store.results("s1") == {"n": number}
        assert store.results("s2") == {"m": number}
        for name in ("s1", "s2"):
            record = store.raw()["demo"]["sample"][name]
            assert {key: value for key, value in record.items() if key in reserved} == reserved
    store.set_status("s2", "running", message="why")
    assert store.raw()["demo"]["sample"]["s2"]["id"] == 7


NOTE = {"n": {"2026-01-31 12:00:00": ""}}


def test_a_result_called_history(stored: Open) -> None:
    """What pipestat 0.13.1 leaves of a removed result looks like one, in `levels` only."""
    store = stored()
    store.report("s1", {"history": NOTE})
    assert store.results("s1") == {"history": NOTE}
    write(store, store.path.read_text().partition("# pipestat-spec")[0])
    assert store.results("s1") == {"history": NOTE}
    levels = stored("levels.yaml", layout="levels")
    with pytest.raises(PipestatDataError, match="'history' of this form") as caught:
        levels.report("s1", {"n": 1, "history": NOTE})
    assert caught.value.code == "layout"
    assert not levels.path.exists()
    for other in ({"n": 1}, {"n": {"2026-01-31 12:00:00": 1}}, {"n": {}}, {}, "text"):
        levels.report("s1", {"history": other})
        write(levels, levels.path.read_text().partition("# pipestat-spec")[0])
        assert levels.results("s1") == {"history": other}


def test_a_trailer_does_not_turn_history_into_a_result(stored: Open) -> None:
    import json
    from zlib import crc32

    head = b"demo:\n  project: {}\n  sample:\n"
    record = (
        b'    s1:\n      history:\n        n:\n          "2026-01-31 12:00:00": ""\n'
        b"      meta:\n        note: x\n"
    )
    body = head + record
    sections = [["demo", "project", 20, 20, 0], ["demo", "sample", len(head), len(body), 1]]
    trailer = {"checksum": f"crc32:{crc32(body):08x}", "sections": sections, "version": 1}
    store = stored()
    store.path.write_bytes(body + b"# pipestat-spec: " + json.dumps(trailer).encode() + b"\n")
    assert store.results("s1") == {}
    assert [(entry.result, entry.value) for entry in store.history("s1")] == [("n", "")]
