"""The folder of links to the files of the results."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.linking import link_files


@pytest.fixture
def psm(tmp_path: Path) -> PipestatManager:
    for name in ("a.png", "sub/a.png", "b.pdf", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    manager = PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="p")
    manager.report({"plot": {"path": "a.png", "title": "A"}}, "s1")
    nested = {"pdf": {"path": str(tmp_path / "b.pdf")}, "deep": {"text": {"path": "c.txt"}}}
    manager.report({"docs": nested, "n": 3}, "s2")
    return manager


def links(folder: Path) -> dict[str, str]:
    """Return the links below a folder and what each leads to."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_names_of_links(psm: PipestatManager, tmp_path: Path) -> None:
    assert psm.link(tmp_path / "links") == f"{tmp_path}/links"
    assert links(tmp_path / "links") == {
        "docs/s2_pdf_b.pdf": "b.pdf",
        "docs/s2_text_c.txt": "c.txt",
        "plot/s1_plot_a.png": "a.png",
    }
    # Relative: results and links may move together.
    assert os.readlink(tmp_path / "links" / "plot" / "s1_plot_a.png") == "../../a.png"


def test_a_second_time_nothing_happens(psm: PipestatManager, tmp_path: Path) -> None:
    first = link_files(psm.store, "sample", str(tmp_path / "links"))
    again = link_files(psm.store, "sample", str(tmp_path / "links"))
    assert (first.made, first.unchanged) == (3, 0)
    assert (again.made, again.unchanged, again.removed) == (0, 3, 0)


def test_links_that_lead_nowhere_are_removed_if_they_are_ours(
    psm: PipestatManager, tmp_path: Path
) -> None:
    folder = tmp_path / "links"
    psm.link(folder)
    (folder / "plot" / "mine").symlink_to("nowhere")
    (folder / "mine").symlink_to("nowhere")
    (tmp_path / "a.png").unlink()
    psm.report({"plot": {"path": "sub/a.png", "title": "A"}}, "s1")
    (tmp_path / "b.pdf").unlink()
    done = link_files(psm.store, "sample", str(folder))
    assert (done.made, done.removed) == (1, 1)
    assert done.missing == [f"s2: {tmp_path}/b.pdf"]
    assert (folder / "plot" / "s1_plot_a.png").read_text() == "sub/a.png"
    assert not (folder / "docs" / "s2_pdf_b.pdf").is_symlink()
    assert (folder / "plot" / "mine").is_symlink()
    assert (folder / "mine").is_symlink()


def test_two_files_never_have_one_link(psm: PipestatManager, tmp_path: Path) -> None:
    psm.report({"plots": [{"path": "a.png"}, {"path": "sub/a.png"}]}, "s3")
    done = link_files(psm.store, "sample", str(tmp_path / "links"))
    assert done.made == 5
    found = links(tmp_path / "links" / "plots")
    assert sorted(found.values()) == ["a.png", "sub/a.png"]
    assert all(name.endswith(".png") for name in found)


@pytest.mark.parametrize("name", ["../../evil", "/abs", ".hidden", "x" * 255, "a\\b:c", "日本"])
def test_any_identifier_stays_in_the_folder(
    psm: PipestatManager, tmp_path: Path, name: str
) -> None:
    psm.report({"plot": {"path": str(tmp_path / "a.png")}, "../up": {"path": "c.txt"}}, name)
    psm.link(tmp_path / "links")
    found = links(tmp_path / "links")
    assert len(found) == 5
    assert {path.count("/") for path in found} == {1}
    assert sum(path.startswith("plot/") and path.endswith(".png") for path in found) == 2


def test_what_is_not_ours_is_left_alone(
    psm: PipestatManager, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "links" / "plot" / "s1_plot_a.png"
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    with caplog.at_level(logging.WARNING):
        psm.link(tmp_path / "links")
    assert place.read_text() == "mine"
    assert str(place) in caplog.text


def test_copies(psm: PipestatManager, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    psm.link(folder)
    psm.link(folder, copy=True)
    copy = folder / "plot" / "s1_plot_a.png"
    assert not copy.is_symlink()
    assert copy.read_text() == "a.png"
    (tmp_path / "a.png").write_text("newer")
    done = link_files(psm.store, "sample", str(folder), copy=True)
    assert (done.made, done.unchanged) == (1, 2)
    assert copy.read_text() == "newer"


def test_missing_files_and_addresses(
    psm: PipestatManager, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    psm.report({"x": {"path": "not there"}, "y": {"path": "s3://bucket/y.png"}}, "s4")
    with caplog.at_level(logging.WARNING):
        psm.link(tmp_path / "links")
    assert caplog.messages == [f"no such file: s4: {tmp_path}/not there"]
    done = link_files(psm.store, "sample", str(tmp_path / "links"))
    assert done.remote == ["s4: s3://bucket/y.png"]


def test_the_folder_by_default(psm: PipestatManager, tmp_path: Path) -> None:
    assert psm.link() == f"{tmp_path}/p_links"
    (tmp_path / "file").write_text("")
    with pytest.raises(PipestatSummarizeError, match="choose another folder"):
        psm.link(tmp_path / "file")
