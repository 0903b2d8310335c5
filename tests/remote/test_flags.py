"""Flags beside a remote results file: a copy for other programs, never read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec.errors import PipestatError
from tests.remote.conftest import Managers, Place


def flags_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("path", ["run/results.yaml", "run/{record_identifier}.yaml"])
def test_local_flags(place: Place, manager: Managers, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "new" / "flags"
    url = f"s3://{place.bucket.name}/{path}"
    psm = manager(results_file_path=url, flag_file_dir=str(folder))
    psm.set_status("running", "a/b")
    psm.report_many({"s1": {"n": 1}, "s2": {"n": 2}})
    assert flags_in(folder) == {"demo_a%2Fb_running.flag": "running"}
    psm.set_status("completed", "a/b")
    psm.set_status("failed", "s1")
    assert flags_in(folder) == {
        "demo_a%2Fb_completed.flag": "completed", "demo_s1_failed.flag": "failed"
    }  # fmt: skip
    psm.clear_status("s1")
    psm.remove_record("a/b", rm_record=True)
    assert flags_in(folder) == {}
    assert not [key for key in place.bucket.names() if key.endswith(".flag")]


def test_flags_are_not_read(place: Place, manager: Managers, tmp_path: Path) -> None:
    psm = manager(flag_file_dir=str(tmp_path))
    psm.set_status("running", "s1")
    (tmp_path / "demo_s1_running.flag").rename(tmp_path / "demo_s1_failed.flag")
    (tmp_path / "demo_s2_failed.flag").write_text("failed")
    assert psm.get_status("s1") == "running"
    assert psm.get_status("s2") is None
    psm.set_status("completed", "s1")
    names = {path.name for path in tmp_path.iterdir() if path.suffix == ".flag"}
    assert names == {"demo_s1_completed.flag", "demo_s2_failed.flag"}


def test_flags_as_objects(place: Place, manager: Managers) -> None:
    psm = manager(flag_file_dir=f"s3://{place.bucket.name}/flags/")
    psm.set_status("running", "s1")
    psm.set_status("running", "s1_x")
    psm.report({"n": 1}, "s1")
    assert place.bucket.get("flags/demo_s1_running.flag") == b"running"
    psm.set_status("completed", "s1")
    assert place.bucket.names() == [
        "flags/demo_s1_completed.flag", "flags/demo_s1_x_running.flag", "run/results.yaml"
    ]  # fmt: skip
    psm.clear_status("s1")
    psm.remove_record("s1_x", rm_record=True)
    assert place.bucket.names() == ["run/results.yaml"]


def test_without_the_setting_there_are_none(place: Place, manager: Managers) -> None:
    manager().set_status("running", "s1")
    assert place.bucket.names() == ["run/results.yaml"]


def test_a_flag_that_cannot_be_written(place: Place, manager: Managers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    psm = manager(flag_file_dir=str(tmp_path / "file"))
    with pytest.raises(PipestatError, match="the results and the status are stored"):
        psm.set_status("running", "s1")
    assert psm.get_status("s1") == "running"
