"""Files that released versions of pipestat wrote (in data/) are read and updated."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.yaml.stores import Stored

Open = Callable[..., Stored]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local time of these files is read as that of a fixed zone: UTC+2."""
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def copied(stored: Open, data: Path, tmp_path: Path) -> Callable[..., Stored]:
    def copy(name: str, **settings: object) -> Stored:
        shutil.copy(data / name, tmp_path / "results.yaml")
        for flag in (data / "flags").iterdir():
            shutil.copy(flag, tmp_path)
        return stored(**settings)

    return copy


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_0_13_1_is_read(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.13.1.yaml")
    before = store.path.read_bytes()
    assert store.names() == ["1e3", "2024-01-01", "no", "s 2", "s1"]
    assert store.names("project") == ["all"]
    assert store.results("s1") == {
        "arr": [1, "2024-01-01", None],
        "b": True,
        "f": 1e22,
        "n": 3,
        "pct aligned": 0.5,
        "plot": {"path": "a b.png", "thumbnail_path": "t.png", "title": "T: é"},
    }
    assert store.results("1e3") == {"n": 2, "obj": {}, "s": "12:30"}
    assert store.results("s 2") == {"s": "multi\nline\ntext"}
    assert store.results("no") == {"s": ""}
    assert store.results("all", "project") == {"total": 12}
    record = store.read("s1")
    assert record is not None
    assert record.created == utc(2026, 11, 20, 22, 25, 13)
    assert record.modified == utc(2026, 11, 20, 22, 25, 15)
    assert record.status == "completed"
    assert store.status("all", "project") == "completed"
    assert store.status("no") is None
    assert store.path.read_bytes() == before


def test_0_13_1_history_is_read(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.13.1.yaml")
    entries = {(entry.result, entry.value, entry.time) for entry in store.history("s1")}
    assert entries == {
        ("n", 1, utc(2026, 11, 20, 22, 25, 14)),
        ("n", 2, utc(2026, 11, 20, 22, 25, 15)),
        # pipestat notes a removed result in the wrong place, and without its value.
        ("s", "", utc(2026, 11, 20, 22, 25, 15)),
    }
    times = [entry.time for entry in store.history("s1")]
    assert times == sorted(times)
    assert store.history("1e3") == []


def test_a_status_without_a_record(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.13.1.yaml")
    record = store.read("flag only")
    assert record is not None
    assert (record.status, dict(record.results)) == ("failed", {})
    assert "flag only" not in store.names()
    store.report("flag only", {"n": 1})
    assert store.names()[2] == "flag only"
    assert store.status("flag only") == "failed"
    meta = store.raw()["demo"]["sample"]["flag only"]["meta"]
    assert "pipestat_created_time" in meta


def test_0_13_1_is_updated(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.13.1.yaml")
    before = store.raw()["demo"]
    store.report("s1", {"n": 4})
    store.report("new", {"n": 1})
    after = store.raw()["demo"]
    assert after.keys() == {"project", "sample"}
    assert after["project"] == before["project"]
    assert {name: after["sample"][name] for name in ("1e3", "2024-01-01", "no", "s 2")} == {
        name: before["sample"][name] for name in ("1e3", "2024-01-01", "no", "s 2")
    }
    s1 = after["sample"]["s1"]
    assert "history" not in s1
    assert s1["n"] == 4
    meta = s1["meta"]
    assert meta["pipestat_created_time"] == "2026-11-21 00:25:13"
    local = datetime.strptime(meta["pipestat_modified_time"], "%Y-%m-%d %H:%M:%S").astimezone(UTC)
    precise = datetime.fromisoformat(meta["modified"])
    assert local == precise.replace(microsecond=0)
    assert meta["history"]["s"] == {"2026-11-21 00:25:15": ""}
    assert meta["history"]["n"] == {
        "2026-11-21 00:25:14": 1,
        "2026-11-21 00:25:15": 2,
        meta["pipestat_modified_time"]: 3,
    }
    assert [entry.value for entry in store.history("s1") if entry.result == "n"] == [1, 2, 3]
    assert store.history("s1")[-1].time == precise
    assert store.read("s1").created == utc(2026, 11, 20, 22, 25, 13)  # type: ignore[union-attr]
    assert store.vouched()


def test_a_status_of_0_13_1_is_taken_over(copied: Callable[..., Stored], tmp_path: Path) -> None:
    store = copied("pipestat_0.13.1.yaml")
    before = store.raw()["demo"]["sample"]["s1"]
    assert store.status("s1") == "completed"
    store.set_status("s1", "failed")
    after = store.raw()["demo"]["sample"]["s1"]
    assert after["meta"]["status"] == "failed"
    assert after["meta"]["status_time"].endswith("Z")
    del after["meta"], before["meta"], before["history"]
    assert after == before
    [flag] = tmp_path.glob("demo_s1*.flag")
    assert (flag.name, os.readlink(flag)) == ("demo_s1_failed.flag", ".results.yaml.status/failed")
    assert flag.read_text() == "failed"


def test_two_namespaces_of_0_13_1(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.13.1_two_namespaces.yaml", namespace="other")
    other = store.raw()["demo"]
    assert store.results("s1") == {"n": 1, "s": "other"}
    store.report("s1", {"n": 2})
    assert store.raw()["demo"] == other
    assert store.results("s1") == {"n": 2, "s": "other"}


def test_0_6_0_keeps_its_times_among_the_results(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.6.0.yaml")
    assert store.names() == ["2024-01-01", "s 2", "s1"]
    assert store.results("2024-01-01") == {"s": "12:30"}
    assert store.results("s1").keys() == {"n", "f", "s", "pct aligned", "b", "log"}
    record = store.read("s1")
    assert record is not None
    assert record.created == utc(2026, 11, 20, 22, 26, 19)
    store.report("s1", {"n": 3})
    s1 = store.raw()["demo"]["sample"]["s1"]
    assert s1["meta"]["pipestat_created_time"] == "2026-11-21 00:26:19"
    assert "pipestat_created_time" not in s1
    assert [entry.value for entry in store.history("s1")] == [2]
    assert store.read("s1").created == record.created  # type: ignore[union-attr]


def test_0_3_1_has_no_meta(copied: Callable[..., Stored]) -> None:
    store = copied("pipestat_0.3.1.yaml", namespace="oldpipe")
    assert store.names() == ["2024-01-01", "False", "sample_1"]
    # That version wrote `yes` and `12:30` unquoted.
    assert store.results("sample_1") == {
        "number_of_things": 3, "ratio": 0.25, "name": True, "switch": True
    }  # fmt: skip
    assert store.results("False")["name"] == 750
    record = store.read("sample_1")
    assert record is not None
    assert (record.created, record.modified) == (None, None)
    assert store.status("sample_1") is None
    store.report("sample_1", {"number_of_things": 4})
    after = store.raw()["oldpipe"]
    assert list(after) == ["sample_1", "False", "2024-01-01"]
    assert after["False"] == {"number_of_things": 3, "ratio": 0.25, "name": 750, "switch": True}
    assert after["sample_1"]["number_of_things"] == 4
    assert list(after["sample_1"]["meta"]["history"]["number_of_things"].values()) == [3]


def test_a_file_that_pipestat_wrote_to_after_us(stored: Open) -> None:
    """pipestat renews its own time and drops our trailer; its word counts then."""
    store = stored(layout="levels")
    store.report("s1", {"n": 1})
    store.report("s1", {"n": 2})
    first = store.read("s1")
    assert first is not None
    text = store.path.read_text().partition("# pipestat-spec")[0]
    meta = store.raw()["demo"]["sample"]["s1"]["meta"]
    changed = text.replace(
        f'pipestat_modified_time: "{meta["pipestat_modified_time"]}"',
        "pipestat_modified_time: '2031-05-06 07:08:09'",
    )
    store.path.write_text(changed)
    record = store.read("s1")
    assert record is not None
    assert record.created == first.created
    assert record.modified == utc(2031, 5, 6, 5, 8, 9)
    assert store.history("s1")[0].time == first.modified


def test_another_time_zone_than_the_writers_is_no_change(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(layout="levels")
    store.report("s1", {"n": 1})
    store.report("s1", {"n": 2})
    record, history = store.read("s1"), store.history("s1")
    monkeypatch.setenv("TZ", "YYY+5:45")
    time.tzset()
    assert store.read("s1") == record
    assert store.history("s1") == history


def test_the_time_of_the_reference_counts_at_face_value(stored: Open) -> None:
    """In UTC+2; times that differ by what two zones differ by are the same."""
    store = stored()
    for local, modified in (
        ("2026-01-31 14:00:00", utc(2026, 1, 31, 12, 0, 0, 5)),
        ("2026-01-31 02:15:00", utc(2026, 1, 31, 12, 0, 0, 5)),
        ("2026-02-01 02:00:00", utc(2026, 1, 31, 12, 0, 0, 5)),
        # A second more, and more than the 14 hours of the farthest zone.
        ("2026-01-31 14:00:01", utc(2026, 1, 31, 12, 0, 1)),
        ("2026-02-01 02:15:00", utc(2026, 2, 1, 0, 15)),
        ("2026-01-30 21:45:00", utc(2026, 1, 30, 19, 45)),
    ):
        store.path.write_text(
            "demo: {sample: {s1: {n: 1, meta: {modified: '2026-01-31T12:00:00.000005Z', "
            f"pipestat_modified_time: '{local}'}}}}}}}}\n"
        )
        found = store.read("s1")
        assert found is not None
        assert found.modified == modified, local


def test_times_of_the_reference_in_the_other_layout_are_kept_in_step(stored: Open) -> None:
    store = stored()
    store.path.write_text(
        "demo: {s1: {n: 1, meta: {pipestat_modified_time: '2026-01-31 14:00:00'}}}\n"
    )
    assert store.read("s1").modified == utc(2026, 1, 31, 12)  # type: ignore[union-attr]
    record = store.report("s1", {"n": 2})
    assert store.read("s1").modified == record.modified  # type: ignore[union-attr]
    meta = store.raw()["demo"]["s1"]["meta"]
    local = datetime.strptime(meta["pipestat_modified_time"], "%Y-%m-%d %H:%M:%S").astimezone(UTC)
    assert record.modified is not None
    assert local == record.modified.replace(microsecond=0)
    assert "pipestat_created_time" not in meta


def test_history_of_one_moment_is_told_apart(stored: Open) -> None:
    store = stored()
    store.path.write_text(
        "demo: {sample: {s1: {n: 1, meta: {history: {n: "
        "{'2026-01-31 14:00:00': a, '2026-01-31T12:00:00.000000Z': b, whenever: c}}}}}}\n"
    )
    assert [(entry.value, entry.time) for entry in store.history("s1")] == [
        ("a", utc(2026, 1, 31, 12)),
        ("b", utc(2026, 1, 31, 12, 0, 0, 1)),
    ]
    store.report("s1", {"n": 2})
    assert set(store.raw()["demo"]["sample"]["s1"]["meta"]["history"]["n"]) >= {"whenever"}
