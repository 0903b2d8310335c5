"""Flags that other programs set, as the drop-in's managers read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec.errors import PipestatError
from tests.compat.conftest import Make
from tests.compat.programs import flags


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the results, where the flags are too."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.mark.parametrize("status", ["archived", "3333", "on_hold"])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_status_that_is_not_defined_is_told(
    make: Make, folder: Path, status: str, ending: str
) -> None:
    (folder / f"count_b_{status}.flag").write_text(status + ending)
    psm = make()
    assert psm.get_status("b") == psm.backend.get_status("b") == status
    assert psm.get_status("b_x") is None
    assert psm.get_status("other") is None


def test_an_empty_flag_tells_its_status_by_its_name(make: Make, folder: Path) -> None:
    (folder / "count_b_archived.flag").touch()
    (folder / "count_c_failed.flag").touch()
    psm = make()
    assert (psm.get_status("b"), psm.get_status("c")) == ("archived", "failed")


def test_flags_of_names_that_begin_alike_are_told_apart(make: Make, folder: Path) -> None:
    for name, status in {"b": "held", "b_x": "archived", "b_x_y": "failed"}.items():
        (folder / f"count_{name}_{status}.flag").write_text(status)
    (folder / "count_c_x_failed.flag").touch()
    psm = make()
    assert psm.get_status("b") == "held"
    assert psm.get_status("b_x") == "archived"
    assert psm.get_status("b_x_y") == "failed"
    assert psm.get_status("c") is None


@pytest.mark.parametrize("other", ["completed", "archived"])
def test_several_flags_are_no_answer(make: Make, folder: Path, other: str) -> None:
    for status in ("running", other):
        (folder / f"count_b_{status}.flag").write_text(status)
    psm = make()
    for error in (AssertionError, PipestatError):
        with pytest.raises(error, match=f"several statuses of b: .*; .*count_b_{other}"):
            psm.get_status("b")
    # Setting one mends it, and removes no flag of another record.
    (folder / "count_c_archived.flag").write_text("archived")
    psm.set_status("failed", "b")
    assert psm.get_status("b") == "failed"
    assert flags(folder) == {
        "count_b_failed.flag": "failed",
        "count_c_archived.flag": "archived",
    }


def test_a_flag_beside_a_stored_status(make: Make, folder: Path) -> None:
    psm = make()
    psm.set_status("completed", "b")
    (folder / "count_b_archived.flag").write_text("archived")
    with pytest.raises(AssertionError, match="several statuses of b: archived, completed"):
        psm.get_status("b")
    (folder / "count_b_archived.flag").unlink()
    # A defined one that is newer counts: a store takes it over.
    (folder / "count_b_failed.flag").write_text("failed")
    assert psm.get_status("b") == "failed"


def test_flags_of_encoded_names(make: Make, folder: Path) -> None:
    (folder / "count_a%2Fb_archived.flag").write_text("archived")
    psm = make(record_identifier="a/b")
    assert psm.get_status() == "archived"
    psm.set_status("running")
    assert flags(folder) == {"count_a%2Fb_running.flag": "running"}


def test_flags_of_files_of_records(make: Make, tmp_path: Path) -> None:
    psm = make(results_file_path=tmp_path / "{record_identifier}" / "results.yaml")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "count_b_archived.flag").write_text("archived")
    assert psm.get_status("b") == "archived"
    assert psm.get_status("c") is None


def test_a_store_without_flags(make: Make, tmp_path: Path) -> None:
    psm = make(
        results_file_path=None, config_dict={"database": {"sqlite_url": str(tmp_path / "r.db")}}
    )
    assert psm.get_status("b") is None
    psm.set_status("running", "b")
    assert psm.get_status("b") == "running"
    psm.close()
