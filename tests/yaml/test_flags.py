"""The status of a record is in its file; a flag of exactly known name mirrors it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipestat_yaml.local import flags
from pipestat_yaml.local.flags import flag_names, flag_stem
from pipestat_yaml.text.results_text import ResultsText

from pipestat_spec.domain.changes import clear_status, in_turn, report_results, set_status
from pipestat_spec.errors import PipestatDataError, PipestatError
from pipestat_spec.models.record import RecordKey
from pipestat_spec.models.schema.status_schema import StatusDefinition, StatusSchema
from pipestat_spec.text.file_names import encode_component
from tests.yaml.stores import Stored

Open = Callable[..., Stored]
NAMES = [
    *("../../evil", "a/b", "é ü", "no", "1e3", "b", "b_x", "b_x_running", "s_running", ".hidden"),
    *("..", "%41", "A", 'a\\b:c*d?e"f<g>h|i', "s1.flag", "~", "$HOME", "-rf"),
    *("x" * 255, "y" * 255, "\U0001f600" * 255),
]


def flag_name(namespace: str, identifier: str, status: str) -> str:
    return flag_names(flag_stem(namespace, identifier), [status])[status]


def foreign_flag(folder: Path, identifier: str, status: str, seconds: float = 1.0) -> Path:
    """Set a status as pipestat does it, so many seconds from now; return the flag."""
    for old in folder.glob(f"demo_{identifier}_*.flag"):
        old.unlink()
    path = folder / flag_name("demo", identifier, status)
    path.write_text(status)
    moment = time.time() + seconds
    os.utime(path, (moment, moment))
    return path


def flags_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix == ".flag"}


@pytest.mark.parametrize(
    ("identifier", "encoded"),
    [
        ("s 1_é.x", "s 1_é.x"),
        ("../../evil", "%2E.%2F..%2Fevil"),
        (".a", "%2Ea"),
        ("%41", "%2541"),
        ('\\:*?"<>|', "%5C%3A%2A%3F%22%3C%3E%7C"),
        ("a\tb\x7f\x85", "a%09b%7F%C2%85"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 183 + "~" + sha256(b"x" * 201).hexdigest()[:16]),
        ("é" * 101, "é" * 91 + "~" + sha256(("é" * 101).encode()).hexdigest()[:16]),
        ("/" * 67, ("%2F" * 61) + "~" + sha256(b"/" * 67).hexdigest()[:16]),
    ],
)
def test_components(identifier: str, encoded: str) -> None:
    assert encode_component(identifier) == encoded
    assert len(encoded.encode()) <= 200


def test_names_of_flags() -> None:
    assert flag_name("my pipe", "s1", "running") == "my pipe_s1_running.flag"
    namespace, record = "n" * 150, "r" * 150
    stem = f"{namespace}_{record}"
    assert flag_name(namespace, record, "running") == (
        stem[:183] + "~" + sha256(stem.encode()).hexdigest()[:16] + "_running.flag"
    )


TEXT = st.characters(exclude_categories=["Cs"])


@given(st.text(TEXT, min_size=1, max_size=255), st.text(TEXT, min_size=1, max_size=9))
def test_a_flag_is_one_file_in_its_folder(identifier: str, other: str) -> None:
    name = flag_name("ns", identifier, "running")
    assert "/" not in name
    assert "\0" not in name
    assert len(name.encode()) <= 255
    assert not name.startswith(".")
    if other != identifier:
        assert flag_name("ns", other, "running") != name


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_any_identifier_has_its_own_status(stored: Open, layout: str, tmp_path: Path) -> None:
    store = stored("inner/deep/results.yaml", layout=layout)
    statuses = ["running", "completed", "failed", "waiting", "partial"]
    for number, name in enumerate(NAMES):
        store.report(name, {"n": number})
        store.set_status(name, "waiting")
        store.set_status(name, statuses[number % 5])
    for number, name in enumerate(NAMES):
        assert store.status(name) == statuses[number % 5], name
        assert store.results(name) == {"n": number}
    found = {record.key.identifier: record.status for record in store.backend.scan("sample")}
    assert found == {name: statuses[number % 5] for number, name in enumerate(NAMES)}
    flags = flags_in(store.path.parent)
    assert len(flags) == len(NAMES)
    assert all(name.endswith(f"_{content}.flag") for name, content in flags.items())
    folder = store.path.parent / ".results.yaml.status"
    assert {path.name for path in folder.iterdir()} == {*statuses}
    outside = {path for path in tmp_path.rglob("*") if path.parent not in (folder.parent, folder)}
    assert outside == {tmp_path / "inner", tmp_path / "inner/deep"}
    assert store.beside() == {"results.yaml", ".results.yaml.lock", folder.name, *flags}
    for name in NAMES:
        store.remove(name)
    assert flags_in(store.path.parent) == {}
    assert store.names() == []


def test_names_that_are_prefixes_of_each_other(stored: Open) -> None:
    store = stored()
    for name in ("b", "b_x", "b_x_y"):
        store.report(name, {"n": 1})
    store.set_status("b_x", "running")
    assert (store.status("b"), store.status("b_x_y")) == (None, None)
    store.set_status("b", "failed")
    store.clear_status("b_x")
    assert [store.status(name) for name in ("b", "b_x", "b_x_y")] == ["failed", None, None]


def test_a_change_leaves_one_flag_and_the_results(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    for status in ("running", "failed", "running", "running", "completed"):
        store.set_status("s1", status)
        assert flags_in(store.path.parent) == {f"demo_s1_{status}.flag": status}
        assert store.status("s1") == status
    store.clear_status("s1")
    assert flags_in(store.path.parent) == {}
    assert store.path.read_bytes() == before


def test_a_status_alone_makes_a_record_with_only_meta(stored: Open) -> None:
    store = stored()
    store.set_status("s1", "running")
    record = store.raw()["demo"]["s1"]
    assert record.keys() == {"meta"}
    assert record["meta"].keys() == {"status", "status_time", "created", "modified"}
    assert record["meta"]["status"] == "running"
    assert store.names() == ["s1"]
    created = store.read("s1")
    store.set_status("s1", "failed", message="no memory", source={"engine": "x", "attempt": 2})
    after = store.read("s1")
    assert after is not None
    assert created is not None
    assert (after.created, after.modified) == (created.created, created.modified)
    assert (after.status, after.status_message) == ("failed", "no memory")
    assert after.source == {"engine": "x", "attempt": 2}
    assert store.raw()["demo"]["s1"]["meta"]["status_message"] == "no memory"
    store.set_status("s1", "completed")
    assert "status_message" not in store.raw()["demo"]["s1"]["meta"]


def test_a_flag_folder_of_its_own(stored: Open, tmp_path: Path) -> None:
    folder = tmp_path / "all" / "flags"
    one = stored("one/results.yaml", config={"flag_file_dir": str(folder)})
    two = stored("two/results.yaml", config={"flag_file_dir": str(folder)}, namespace="other")
    one.set_status("s1", "running")
    two.set_status("s1", "failed")
    assert (one.status("s1"), two.status("s1")) == ("running", "failed")
    assert flags_in(folder) == {"demo_s1_running.flag": "running", "other_s1_failed.flag": "failed"}
    assert {path.name for path in folder.iterdir()} == set(flags_in(folder))
    assert one.beside() == {"results.yaml", ".results.yaml.lock", ".results.yaml.status"}
    assert os.readlink(folder / "demo_s1_running.flag") == (
        "../../one/.results.yaml.status/running"
    )


def test_two_flags_of_one_record(stored: Open) -> None:
    """pipestat can leave two: the newer one counts, and the next change tidies up."""
    store = stored()
    store.report("s1", {"n": 1})
    for age, status in ((200, "completed"), (100, "running"), (300, "failed")):
        path = store.path.parent / f"demo_s1_{status}.flag"
        path.write_text(status)
        os.utime(path, (1_000_000_000 - age, 1_000_000_000 - age))
    assert store.status("s1") == "running"
    assert [record.status for record in store.backend.scan("sample")] == ["running"]
    store.set_status("s1", "waiting")
    assert flags_in(store.path.parent) == {"demo_s1_waiting.flag": "waiting"}


def test_the_mode_of_a_flag_obeys_the_umask(stored: Open) -> None:
    store = stored()
    old = os.umask(0o002)
    try:
        store.set_status("s1", "running")
    finally:
        os.umask(old)
    assert (store.path.parent / "demo_s1_running.flag").stat().st_mode & 0o777 == 0o664


def test_own_statuses(stored: Open) -> None:
    names = ("in review", "fertig é")
    schema = StatusSchema({name: StatusDefinition("x", (0, 0, 0)) for name in names})
    store = stored(statuses=schema)
    store.set_status("s1", "in review")
    store.set_status("s1", "fertig é")
    assert store.status("s1") == "fertig é"
    assert flags_in(store.path.parent) == {"demo_s1_fertig é.flag": "fertig é"}


def test_the_levels_share_no_status(stored: Open) -> None:
    """A flag's name does not tell the level; records of one name still differ."""
    store = stored(layout="levels")
    store.report("x", {"n": 1})
    store.set_status("x", "running")
    assert store.read("x", "project") is None
    store.report("x", {"t": 1}, level="project")
    assert store.status("x", "project") is None
    assert store.status("x") == "running"
    store.set_status("x", "failed", level="project")
    assert (store.status("x"), store.status("x", "project")) == ("running", "failed")
    assert flags_in(store.path.parent) == {"demo_x_failed.flag": "failed"}
    store.clear_status("x")
    assert (store.status("x"), store.status("x", "project")) == (None, "failed")
    assert flags_in(store.path.parent) == {"demo_x_failed.flag": "failed"}
    store.set_status("x", "completed")
    assert [r.status for r in store.backend.scan("sample")] == ["completed"]
    assert [r.status for r in store.backend.scan("project")] == ["failed"]
    store.report("x", {"n": 2})
    assert (store.status("x"), store.status("x", "project")) == ("completed", "failed")
    store.remove("x")
    assert store.read("x") is None
    assert store.status("x", "project") == "failed"
    assert flags_in(store.path.parent) == {"demo_x_failed.flag": "failed"}
    store.remove("x", level="project")
    assert flags_in(store.path.parent) == {}


def test_a_reader_never_loses_a_status_that_is_taken_over(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer comes between the two looks of a reader, at the flag and at the file."""
    from pipestat_yaml.local import backend

    store, writer = stored(), stored()
    store.report("s1", {"n": 1})
    foreign_flag(store.path.parent, "s1", "failed")
    read = backend.read_text

    def write_then_read(path: str) -> ResultsText:
        monkeypatch.setattr(backend, "read_text", read)
        writer.report("s1", {"n": 2})
        return read(path)

    monkeypatch.setattr(backend, "read_text", write_then_read)
    seen = store.read("s1")
    assert seen is not None
    assert (dict(seen.results), seen.status) == ({"n": 2}, "failed")
    assert (store.path.parent / "demo_s1_failed.flag").is_symlink()
    foreign_flag(store.path.parent, "s1", "waiting", 3600)
    monkeypatch.setattr(backend, "read_text", write_then_read)
    [seen] = store.backend.scan("sample")
    assert (dict(seen.results), seen.status) == ({"n": 2}, "waiting")


def test_what_a_dead_writer_left_of_a_flag_is_removed(stored: Open, tmp_path: Path) -> None:
    folder = tmp_path / "flags"
    store = stored(config={"flag_file_dir": str(folder)})
    store.set_status("s1", "running")
    left = folder / f".{crc32(os.fsencode(store.path)):08x}.tmp"
    left.write_text("fai")
    store.report("s2", {"n": 1})
    assert set(flags_in(folder)) == {path.name for path in folder.iterdir()}
    assert store.status("s1") == "running"


def test_of_equal_age_the_first_in_the_schema_counts(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    for status in ("waiting", "failed", "completed"):
        path = store.path.parent / f"demo_s1_{status}.flag"
        path.write_text(status)
        os.utime(path, ns=(10**18, 10**18))
    assert store.status("s1") == "completed"
    # One nanosecond is enough, which no floating-point number of seconds tells apart.
    os.utime(store.path.parent / "demo_s1_waiting.flag", ns=(10**18, 10**18 + 1))
    assert store.status("s1") == "waiting"
    assert [record.status for record in store.backend.scan("sample")] == ["waiting"]


@pytest.mark.parametrize("looked_up", [0, 1000])
def test_a_batch_of_statuses(stored: Open, monkeypatch: pytest.MonkeyPatch, looked_up: int) -> None:
    """Old flags, several flags of one record and cleared ones, in one change."""
    store = stored()
    names = [f"s{number:03}" for number in range(60)]
    monkeypatch.setattr(flags, "_LOOKED_UP", looked_up)
    store.report_many({name: {"n": 1} for name in names})
    for name in names[:20]:
        (store.path.parent / f"demo_{name}_running.flag").write_text("running")
    for name in names[:10]:
        (store.path.parent / f"demo_{name}_failed.flag").write_text("failed")
    keys = [RecordKey("sample", name) for name in names]
    store.backend.update_many(  # type: ignore[attr-defined]
        [
            (key, clear_status() if number % 3 == 0 else set_status(key, "completed"))
            for number, key in enumerate(keys)
        ]
    )
    wanted = {name: "completed" for number, name in enumerate(names) if number % 3}
    assert flags_in(store.path.parent) == {
        f"demo_{name}_completed.flag": "completed" for name in wanted
    }
    assert {r.key.identifier: r.status for r in store.backend.scan("sample") if r.status} == wanted
    assert not list(store.path.parent.glob(".*.tmp"))


def test_syncs_do_not_grow_with_the_number_of_flags(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    calls: list[int] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (calls.append(descriptor), real(descriptor))
    )
    keys = [RecordKey("sample", f"s{number}") for number in range(100)]
    store.backend.update_many(  # type: ignore[attr-defined]
        [(key, set_status(key, "running")) for key in keys]
    )
    # The text, its folder, and the file of a status that nobody had before; flags need none.
    assert len(calls) == 3
    calls.clear()
    store.set_status("s1", "running")
    assert len(calls) == 0
    store.set_status("s1", "completed")
    assert len(calls) == 3
    calls.clear()
    store.set_status("s1", "running")
    assert len(calls) == 2


def test_a_removal_that_fails_leaves_the_flag(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new text is on the disk before a flag goes."""
    store = stored()
    store.report("s1", {"n": 1})
    store.set_status("s1", "completed")
    before = store.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PipestatDataError, match=os.strerror(errno.ENOSPC)[1:]):
        store.remove("s1")
    monkeypatch.undo()
    assert store.path.read_bytes() == before
    assert store.status("s1") == "completed"


def test_results_are_stored_before_their_status(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    key = RecordKey("sample", "s1")
    real = os.replace
    order: list[str] = []

    def watched(source: str, target: str) -> None:
        order.append(Path(target).name)
        real(source, target)

    monkeypatch.setattr(os, "replace", watched)
    change = in_turn(report_results(key, {"n": 1}, overwrite=True), set_status(key, "running"))
    store.backend.update(key, change)
    assert order == ["results.yaml", "demo_s1_running.flag"]


def test_a_flag_that_cannot_be_written_tells_what_is_stored(stored: Open, tmp_path: Path) -> None:
    (tmp_path / "flags").write_text("no folder")
    store = stored(config={"flag_file_dir": str(tmp_path / "flags")})
    with pytest.raises(PipestatError, match="not a folder") as caught:
        store.report("s1", {"n": 1})
    assert caught.value.code == "store"
    assert not store.path.exists()


def test_a_flag_name_that_is_too_long_is_refused_before_anything_is_written(stored: Open) -> None:
    status = "s" * 64
    store = stored(statuses=StatusSchema({status: StatusDefinition("x", (0, 0, 0))}))
    key = RecordKey("sample", "r" * 200)
    change = in_turn(report_results(key, {"n": 1}, overwrite=True), set_status(key, status))
    with pytest.raises(PipestatError, match="too long") as caught:
        store.backend.update(key, change)
    assert caught.value.code == "store"
    assert store.beside() == {".results.yaml.lock"}
    short = "r" * 100
    store.set_status(short, status)
    assert flags_in(store.path.parent) == {f"demo_{short}_{status}.flag": status}


# The two levels


def twin_metas(store: Stored) -> tuple[object, object]:
    """Return what the two records called x hold as `meta.status`."""
    tree = store.raw()["demo"]
    return tuple(
        tree[level].get("x", {}).get("meta", {}).get("status", "-")
        for level in ("sample", "project")
    )  # type: ignore[return-value]


def test_the_flag_of_two_records_of_one_name_shows_the_last_change(stored: Open) -> None:
    store = stored(layout="levels")
    store.report("x", {"n": 1})
    store.set_status("x", "running")
    store.report("x", {"t": 1}, level="project")
    assert twin_metas(store) == ("running", "-")
    assert list(flags_in(store.path.parent)) == ["demo_x_running.flag"]
    store.set_status("x", "failed", level="project")
    assert twin_metas(store) == ("running", "failed")
    assert list(flags_in(store.path.parent)) == ["demo_x_failed.flag"]
    store.clear_status("x")
    assert twin_metas(store) == ("-", "failed")
    assert list(flags_in(store.path.parent)) == ["demo_x_failed.flag"]
    store.remove("x", level="project")
    assert flags_in(store.path.parent) == {}


def test_records_of_one_name_that_another_program_made_share_the_flag(stored: Open) -> None:
    store = stored()
    store.path.write_text("demo:\n  project: {x: {t: 1}}\n  sample: {x: {n: 1}}\n")
    foreign_flag(store.path.parent, "x", "running", 0)
    assert (store.status("x"), store.status("x", "project")) == ("running", "running")
    store.set_status("x", "completed")
    assert (store.status("x"), store.status("x", "project")) == ("completed", "running")
    assert twin_metas(store) == ("completed", "running")
    foreign_flag(store.path.parent, "x", "failed", 3600)
    store.remove("x")
    assert store.status("x", "project") == "failed"
    assert twin_metas(store) == ("-", "failed")


def test_two_records_of_one_name_as_they_were_written_once(stored: Open) -> None:
    """Each had its status in `meta`, without a time, and the flag was that of the last change."""
    store = stored()
    store.path.write_text(
        "demo:\n  project: {x: {t: 1, meta: {status: failed}}, y: {t: 1, meta: {status: null}}}\n"
        "  sample: {x: {n: 1, meta: {status: running}}, y: {n: 1, meta: {status: failed}}}\n"
    )
    foreign_flag(store.path.parent, "x", "failed", 0)
    foreign_flag(store.path.parent, "y", "failed", 0)
    assert (store.status("x"), store.status("x", "project")) == ("running", "failed")
    assert (store.status("y"), store.status("y", "project")) == ("failed", None)


def test_a_flag_of_a_sample_is_not_that_of_the_project(stored: Open, tmp_path: Path) -> None:
    store = stored()
    (tmp_path / "demo_x_running.flag").write_text("running")
    assert (store.status("x"), store.status("x", "project")) == ("running", "running")
    store.path.write_text("demo: {sample: {x: {n: 1}}, project: {}}\n")
    assert (store.status("x"), store.status("x", "project")) == ("running", None)
    store.path.write_text("demo: {x: {n: 1}}\n")
    assert (store.status("x"), store.status("x", "project")) == ("running", None)
    store.path.write_text("demo: {y: {n: 1}}\n")
    assert (store.status("x"), store.status("x", "project")) == ("running", None)


# Flags of other programs, for records that are not in the file


def test_setting_the_status_that_a_foreign_flag_says_makes_the_record(
    stored: Open, tmp_path: Path
) -> None:
    store = stored()
    (tmp_path / "demo_s1_running.flag").write_text("running")
    store.set_status("s1", "running")
    assert store.names() == ["s1"]
    assert store.raw()["demo"]["s1"].keys() == {"meta"}
    assert store.status("s1") == "running"
    before = store.path.read_bytes()
    store.set_status("s1", "running")
    assert store.path.read_bytes() == before


def test_clearing_a_foreign_flag_makes_no_record(stored: Open, tmp_path: Path) -> None:
    store = stored()
    (tmp_path / "demo_s1_running.flag").write_text("running")
    store.clear_status("s1")
    assert store.beside() == {".results.yaml.lock"}
    assert store.read("s1") is None
    (tmp_path / "demo_s2_running.flag").write_text("running")
    store.remove("s2")
    assert store.beside() == {".results.yaml.lock"}


def test_nothing_reported_for_a_foreign_flag_makes_no_record(stored: Open, tmp_path: Path) -> None:
    store = stored()
    (tmp_path / "demo_s1_running.flag").write_text("running")
    store.backend.update(RecordKey("sample", "s1"), in_turn())
    assert store.status("s1") == "running"
    assert not store.path.exists()


def test_results_for_a_foreign_flag_keep_it(stored: Open, tmp_path: Path) -> None:
    store = stored()
    (tmp_path / "demo_s1_running.flag").write_text("running")
    store.report("s1", {"n": 1})
    assert store.status("s1") == "running"
    assert flags_in(tmp_path) == {"demo_s1_running.flag": "running"}
