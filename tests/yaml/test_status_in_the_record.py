"""The status is stored with the results; flags repeat it and tell what other programs have set."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipestat_yaml.local import flags

from pipestat_spec.domain.changes import in_turn, report_results, set_status
from pipestat_spec.models.record import RecordKey
from tests.yaml.stores import Stored
from tests.yaml.test_flags import flags_in, foreign_flag

Open = Callable[..., Stored]
KEY = RecordKey("sample", "s1")


class Killed(BaseException):
    """The writer dies here."""


def links_in(folder: Path) -> dict[str, str]:
    return {path.name: os.readlink(path) for path in folder.glob("*.flag") if path.is_symlink()}


def statuses(store: Stored) -> dict[str, str | None]:
    return {record.key.identifier: record.status for record in store.backend.scan("sample")}


def test_results_and_status_are_one_replacement(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    store.set_status("s1", "running")
    seen: list[Any] = []
    real = os.replace

    def watched(source: str, target: str) -> None:
        real(source, target)
        if target.endswith("results.yaml"):
            seen.append(yaml.safe_load(Path(target).read_bytes())["demo"]["s1"])

    monkeypatch.setattr(os, "replace", watched)
    report = report_results(KEY, {"n": 2}, overwrite=True)
    store.backend.update(KEY, in_turn(report, set_status(KEY, "completed")))
    assert [(r["n"], r["meta"]["status"]) for r in seen] == [(2, "completed")]


@pytest.mark.parametrize("earlier", [None, "running"])
@pytest.mark.parametrize("foreign", [False, True])
def test_a_writer_killed_between_results_and_flag(
    stored: Open, monkeypatch: pytest.MonkeyPatch, earlier: str | None, foreign: bool
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    if earlier and foreign:
        foreign_flag(store.path.parent, "s1", earlier, -60)
    elif earlier:
        store.set_status("s1", earlier)
    left = flags_in(store.path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(flags.Flags, "mirror", lambda *_: (_ for _ in ()).throw(Killed))
        report = report_results(KEY, {"n": 2}, overwrite=True)
        with pytest.raises(Killed):
            store.backend.update(KEY, in_turn(report, set_status(KEY, "completed")))
    assert flags_in(store.path.parent) == left
    assert (store.status("s1"), statuses(store)) == ("completed", {"s1": "completed"})
    # The next change of anything in the record puts the flag right.
    store.report("s1", {"n": 3})
    assert links_in(store.path.parent) == {
        "demo_s1_completed.flag": ".results.yaml.status/completed"
    }
    assert list(flags_in(store.path.parent)) == ["demo_s1_completed.flag"]


def test_a_writer_killed_before_it_has_cleared_the_flag(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    for name in ("s1", "s2"):
        store.set_status(name, "running")
    with monkeypatch.context() as patch:
        patch.setattr(flags.Flags, "mirror", lambda *_: (_ for _ in ()).throw(Killed))
        for change in (store.clear_status, store.remove):
            with pytest.raises(Killed):
                change("s1" if change == store.clear_status else "s2")
    assert len(links_in(store.path.parent)) == 2
    assert (store.status("s1"), store.read("s2"), statuses(store)) == (None, None, {"s1": None})
    store.clear_status("s1")
    store.report("s2", {"n": 1})
    assert flags_in(store.path.parent) == {}
    assert statuses(store) == {"s1": None, "s2": None}


def test_a_lost_flag_is_restored_and_not_obeyed(stored: Open) -> None:
    store = stored()
    for again in (
        lambda: store.report("s1", {"n": 1}),
        lambda: store.set_status("s1", "running"),
        lambda: store.report("s1", {"n": 1}),
    ):
        store.set_status("s1", "running")
        (store.path.parent / "demo_s1_running.flag").unlink()
        assert (store.status("s1"), statuses(store)) == ("running", {"s1": "running"})
        again()
        assert flags_in(store.path.parent) == {"demo_s1_running.flag": "running"}


@pytest.mark.parametrize("keep_ours", [False, True])
def test_a_newer_plain_file_counts_and_is_taken_over(stored: Open, keep_ours: bool) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    store.set_status("s1", "running")
    flag = foreign_flag(store.path.parent, "s1", "failed")
    if keep_ours:
        (store.path.parent / "demo_s1_running.flag").symlink_to(".results.yaml.status/running")
    found = store.read("s1")
    assert found is not None
    assert (found.status, statuses(store)) == ("failed", {"s1": "failed"})
    changed = flag.stat().st_mtime_ns // 1000
    assert found.status_time is not None
    assert round(found.status_time.timestamp() * 1e6) == changed
    # Nothing to write, nothing to take over.
    before = store.path.read_bytes()
    store.report("s1", {"n": 1})
    store.set_status("s1", "failed")
    assert (store.path.read_bytes(), flag.is_symlink()) == (before, False)
    store.report("s1", {"n": 2})
    meta = store.raw()["demo"]["s1"]["meta"]
    assert meta["status"] == "failed"
    assert store.read("s1").status_time == found.status_time  # type: ignore[union-attr]
    assert links_in(store.path.parent) == {"demo_s1_failed.flag": ".results.yaml.status/failed"}
    assert store.status("s1") == "failed"
    store.set_status("s1", "completed")
    assert (store.status("s1"), list(flags_in(store.path.parent))) == (
        "completed", ["demo_s1_completed.flag"]
    )  # fmt: skip


def test_an_older_plain_file_does_not_count(stored: Open) -> None:
    store = stored()
    store.set_status("s1", "running")
    for status, seconds in (("failed", -3600.0), ("waiting", -0.1)):
        foreign_flag(store.path.parent, "s1", status, seconds)
        assert (store.status("s1"), statuses(store)) == ("running", {"s1": "running"})
    store.report("s1", {"n": 1})
    assert flags_in(store.path.parent) == {"demo_s1_running.flag": "running"}


def test_our_own_flag_set_by_another_program_at_once_counts(stored: Open) -> None:
    """The clock that stamps files ticks: what is written after us may look older by one tick."""
    store = stored()
    store.set_status("s1", "running")
    record = store.read("s1")
    assert record is not None
    assert record.status_time is not None
    flag = foreign_flag(store.path.parent, "s1", "failed")
    moment = round(record.status_time.timestamp() * 1e6) * 1000 - 4_000_000
    os.utime(flag, ns=(moment, moment))
    assert store.status("s1") == "failed"


@pytest.mark.parametrize("namespaces", [("rnaseq", "rnaseq"), ("rnaseq", "other")])
def test_two_results_files_in_one_folder(stored: Open, namespaces: tuple[str, str]) -> None:
    one = stored("one.yaml", namespace=namespaces[0])
    two = stored("two.yaml", namespace=namespaces[1])
    one.set_status("s1", "completed")
    assert two.read("s1") is None
    two.report("s1", {"n": 1})
    assert (one.status("s1"), two.status("s1")) == ("completed", None)
    two.set_status("s1", "failed")
    two.set_status("s1", "completed")
    assert (one.status("s1"), two.status("s1")) == ("completed", "completed")
    two.clear_status("s1")
    two.remove("s1")
    assert one.status("s1") == "completed"
    assert links_in(one.path.parent) == {
        f"{namespaces[0]}_s1_completed.flag": ".one.yaml.status/completed"
    }


def test_two_pipelines_whose_flags_have_one_name(stored: Open, tmp_path: Path) -> None:
    folder = {"flag_file_dir": str(tmp_path / "flags")}
    one = stored("a/r.yaml", namespace="rnaseq", config=folder)
    two = stored("b/r.yaml", namespace="rnaseq_qc", config=folder)
    one.set_status("qc_s1", "running")
    assert two.read("s1") is None
    two.set_status("s1", "failed")
    two.set_status("s1", "running")
    two.clear_status("s1")
    assert (one.status("qc_s1"), two.status("s1")) == ("running", None)
    assert links_in(tmp_path / "flags") == {
        "rnaseq_qc_s1_running.flag": "../a/.r.yaml.status/running"
    }
    one.set_status("qc_s1", "completed")
    two.set_status("s1", "failed")
    assert (one.status("qc_s1"), two.status("s1")) == ("completed", "failed")


def test_a_copied_results_file_has_its_statuses(stored: Open, tmp_path: Path) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    store.set_status("s1", "completed")
    shutil.copy(store.path, tmp_path / "copy.yaml")
    copy = stored("copy.yaml")
    assert copy.status("s1") == "completed"
    copy.report("s1", {"n": 2})
    copy.remove("s1")
    assert (store.status("s1"), copy.read("s1")) == ("completed", None)
    assert links_in(tmp_path) == {"demo_s1_completed.flag": ".results.yaml.status/completed"}
    # The whole folder, with its flags.
    shutil.copytree(tmp_path, tmp_path / "else" / "where", symlinks=True)
    moved = stored("else/where/results.yaml")
    assert flags_in(moved.path.parent) == {"demo_s1_completed.flag": "completed"}
    moved.set_status("s1", "failed")
    assert (moved.status("s1"), store.status("s1")) == ("failed", "completed")
    assert links_in(moved.path.parent) == {"demo_s1_failed.flag": ".results.yaml.status/failed"}


def test_flags_of_a_results_file_that_is_gone(stored: Open, tmp_path: Path) -> None:
    store = stored()
    store.set_status("s1", "running")
    store.path.rename(tmp_path / "new.yaml")
    renamed = stored("new.yaml")
    assert renamed.status("s1") == "running"
    renamed.set_status("s1", "completed")
    assert links_in(tmp_path) == {"demo_s1_completed.flag": ".new.yaml.status/completed"}


@pytest.mark.parametrize("target", ["elsewhere", "missing", ".results.yaml.status/failed"])
def test_a_link_that_somebody_prepared_is_neither_read_nor_written_through(
    stored: Open, tmp_path: Path, target: str
) -> None:
    store = stored("in/results.yaml")
    store.report("s1", {"n": 1})
    victim = tmp_path / "in" / "elsewhere"
    victim.write_text("failed")
    for status in ("running", "failed"):
        (tmp_path / "in" / f"demo_s1_{status}.flag").symlink_to(target)
    assert (store.status("s1"), statuses(store)) == (None, {"s1": None})
    store.set_status("s1", "running")
    assert links_in(tmp_path / "in") == {"demo_s1_running.flag": ".results.yaml.status/running"}
    assert victim.read_text() == "failed"
    assert flags_in(tmp_path / "in") == {"demo_s1_running.flag": "running"}


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "symlink", refused)
    return


def check_plain_files(store: Stored, caplog: pytest.LogCaptureFixture) -> None:
    store.set_status("s1", "running")
    store.set_status("s2", "running")
    store.set_status("s1", "completed")
    store.report("s1", {"n": 1})
    assert statuses(store) == {"s1": "completed", "s2": "running"}
    folder = store.path.parent
    assert links_in(folder) == {}
    assert flags_in(folder) == {
        "demo_s1_completed.flag": "completed", "demo_s2_running.flag": "running"
    }  # fmt: skip
    assert len(caplog.records) == 1
    assert str(folder) in caplog.text
    foreign_flag(folder, "s2", "failed")
    assert store.status("s2") == "failed"
    store.clear_status("s2")
    store.remove("s1")
    assert flags_in(folder) == {}
    assert statuses(store) == {"s2": None}


@pytest.mark.usefixtures("without_links")
def test_where_no_links_can_be_made_flags_are_plain_files(
    stored: Open, caplog: pytest.LogCaptureFixture
) -> None:
    check_plain_files(stored(), caplog)


def test_a_folder_of_statuses_that_leads_elsewhere_is_not_used(
    stored: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "victim").mkdir()
    store = stored("in/results.yaml")
    store.report("s2", {"n": 1})
    (tmp_path / "in" / ".results.yaml.status").symlink_to("../victim")
    check_plain_files(store, caplog)
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "other text", "longer text"])
def test_what_somebody_put_for_a_status_is_replaced(
    stored: Open, tmp_path: Path, kind: str
) -> None:
    store = stored()
    folder = tmp_path / ".results.yaml.status"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    if kind == "link":
        (folder / "running").symlink_to("../secret")
    else:
        (folder / "running").write_text("failed" if kind == "other text" else "running\n")
    store.set_status("s1", "running")
    assert not (folder / "running").is_symlink()
    assert flags_in(tmp_path) == {"demo_s1_running.flag": "running"}
    assert (tmp_path / "secret").read_text() == "secret"
    assert [path.name for path in folder.iterdir()] == ["running"]


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("{record_identifier}.yaml", ".{record_identifier}.yaml.status"),
        ("runs/{record_identifier}/r.yaml", "runs/.{record_identifier}%2Fr.yaml.status"),
        (
            "runs/of_{record_identifier}/a/{record_identifier}.yaml",
            "runs/.of_{record_identifier}%2Fa%2F{record_identifier}.yaml.status",
        ),
    ],
)
def test_one_folder_of_statuses_for_all_files_of_a_path(
    stored: Open, tmp_path: Path, template: str, folder: str
) -> None:
    store = stored(template)
    for name in ("s1", "a/b"):
        store.set_status(name, "running")
        store.set_status(name, "failed")
    assert list(tmp_path.rglob("*.status")) == [tmp_path / folder]
    assert sorted(path.name for path in (tmp_path / folder).iterdir()) == ["failed", "running"]
    assert statuses(store) == {"a/b": "failed", "s1": "failed"}
    # A pipeline that is given the file of its record knows the flag for its own.
    path = template.replace("{record_identifier}", "s1")
    alone = stored(path)
    assert alone.status("s1") == "failed"
    alone.set_status("s1", "completed")
    assert [found.name for found in tmp_path.rglob("demo_s1_*.flag")] == ["demo_s1_completed.flag"]
    store.set_status("s1", "waiting")
    assert [found.name for found in tmp_path.rglob("demo_s1_*.flag")] == ["demo_s1_waiting.flag"]
    assert [found.read_text() for found in tmp_path.rglob("demo_s1_*.flag")] == ["waiting"]


def test_a_name_with_characters_of_the_folder_s_own(stored: Open, tmp_path: Path) -> None:
    store = stored("50%2F.yaml")
    store.set_status("s1", "running")
    store.set_status("s1", "failed")
    assert links_in(tmp_path) == {"demo_s1_failed.flag": ".50%252F.yaml.status/failed"}
    assert flags_in(tmp_path) == {"demo_s1_failed.flag": "failed"}


def test_a_link_of_another_form_to_our_own_folder_is_ours(stored: Open, tmp_path: Path) -> None:
    store = stored()
    store.set_status("s1", "running")
    flag = tmp_path / "demo_s1_running.flag"
    flag.unlink()
    flag.symlink_to(tmp_path / ".results.yaml.status" / "running")
    store.set_status("s1", "failed")
    assert links_in(tmp_path) == {"demo_s1_failed.flag": ".results.yaml.status/failed"}


@pytest.mark.parametrize("template", ["r.yaml", "runs/{record_identifier}.yaml"])
def test_flags_are_looked_at_by_one_listing(
    stored: Open, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    store = stored(template)
    names = [f"s{number:03}" for number in range(100)]
    store.backend.update_many(
        [(RecordKey("sample", n), set_status(RecordKey("sample", n), "running")) for n in names]
    )
    foreign_flag(store.path.parent, "s050", "failed")
    calls: list[str] = []
    for name in ("readlink", "scandir", "listdir"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, real=real, name=name: (calls.append(name), real(*a))[1]
        )
    assert list(store.backend.scan("sample"))[50].status == "failed"
    assert [name for name in calls if name != "scandir"] == []
    assert calls.count("scandir") <= 2  # one of them to find the files of a path


def test_a_report_without_a_status_asks_for_each_flag_once(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    looked: list[str] = []
    for name in ("stat", "lstat", "readlink"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda path, *a, real=real, **k: (looked.append(str(path)), real(path))[1]
        )
    store.report("s1", {"n": 2})
    assert len([path for path in looked if path.endswith(".flag")]) == 5
