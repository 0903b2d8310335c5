"""Reading a store that is not there is an error, which names what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import StoreNotFoundError
from pipestat_spec.infer import infer_schema
from tests.cli.runs import Run

# Every command that reads, without what names its store.
READING = [
    ["retrieve", "-r", "s1"],
    ["select"],
    ["select", "--distinct", "reads"],
    ["history", "-r", "s1"],
    ["remove", "-r", "s1", "-i", "reads"],
    ["remove", "-r", "s1", "--whole-record"],
    ["status", "get", "-r", "s1"],
    ["status", "clear", "-r", "s1"],
    ["status", "list"],
    ["inspect"],
    ["inspect", "--data"],
    ["table"],
    ["table", "-o", "table.csv"],
    ["summarize"],
    ["link", "--link-dir", "links"],
    ["validate"],
    ["infer-schema"],
]
ALL = [*READING, ["convert"]]


def reading(command: list[str], place: str) -> list[str]:
    """Return the command line that reads a store; `convert` into a new one."""
    if command == ["convert"]:
        return ["convert", place, "copy.yaml"]
    return [*command, "-f", place]


@pytest.fixture
def results(run: Run, folder: Path) -> Path:
    """`results.yaml`, `results.db` and `each/RECORD.yaml`, all of `rnaseq`."""
    for place in ("results.yaml", "results.db", "each/{record_identifier}.yaml"):
        run("report", "-f", place, "-s", "schema.yaml", "-r", "s1", "reads=1")
    return folder


@pytest.mark.parametrize("command", ALL, ids=" ".join)
@pytest.mark.parametrize(
    ("place", "near"),
    [
        ("resluts.yaml", "results.yaml"),
        ("results.yml", "results.yaml"),
        ("resluts.db", "results.db"),
        ("sqlite:///resluts.db", "results.db"),
        ("eahc/{record_identifier}.yaml", "each/{record_identifier}.yaml"),
        ("eahc/s1.yaml", "each/s1.yaml"),
    ],
)
def test_a_mistyped_place(
    run: Run, results: Path, command: list[str], place: str, near: str
) -> None:
    before = sorted(results.rglob("*"))
    done = run(*reading(command, place), code=1)
    assert done.out == ""
    assert done.err.startswith("error: there are no results at ")
    assert done.err.endswith(f"; did you mean {results / near}?\n")
    assert sorted(results.rglob("*")) == before


@pytest.mark.parametrize("command", READING[:-1], ids=" ".join)
@pytest.mark.parametrize("place", ["results.db", "each/{record_identifier}.yaml"])
def test_a_mistyped_namespace(run: Run, results: Path, command: list[str], place: str) -> None:
    done = run(*reading(command, place), "--pipeline-name", "rnasq", code=1)
    assert (done.out, done.err.split("; ")[1]) == ("", "did you mean 'rnaseq'?\n")
    assert "holds no namespace 'rnasq'" in done.err


@pytest.mark.parametrize("command", READING[:-1], ids=" ".join)
def test_a_mistyped_namespace_in_one_file(run: Run, results: Path, command: list[str]) -> None:
    where = [*reading(command, "results.yaml"), "--pipeline-name", "rnasq"]
    done = run(*where, code=1)
    told = done.out if command == ["validate"] else done.err
    assert "holds namespace 'rnaseq', not 'rnasq'; did you mean 'rnaseq'?" in told
    several = run(*where, "--multi-pipelines", code=1)
    assert several.err.endswith("holds no namespace 'rnasq'; did you mean 'rnaseq'?\n")


def test_no_name_is_near(run: Run, results: Path) -> None:
    done = run("select", "-f", "elsewhere.yaml", code=1)
    assert done.err.endswith("/elsewhere.yaml; nothing was reported there yet\n")
    done = run("select", "-f", "results.db", "--pipeline-name", "x", code=1)
    assert done.err.endswith("holds no namespace 'x'; it holds 'rnaseq'\n")
    assert "no folder" in run("select", "-f", "nowhere/results.db", code=1).err


def test_what_holds_no_record_any_more_is_there(run: Run, results: Path) -> None:
    for place in ("results.yaml", "results.db", "each/{record_identifier}.yaml"):
        run("remove", "-f", place, "-r", "s1", "--whole-record", "-s", "schema.yaml")
        assert run("select", "-f", place, "-s", "schema.yaml", "--format", "csv").out == (
            "record_identifier,status\n"
        )


def test_an_empty_file_is_a_store(run: Run, folder: Path) -> None:
    (folder / "results.yaml").touch()
    assert "sample records: 0" in run("inspect", "-f", "results.yaml").out


def test_writing_makes_a_store(run: Run, folder: Path) -> None:
    run("status", "set", "-f", "a.yaml", "-r", "s1", "running")
    (folder / "s1.pipestat.json").write_text(
        '{"pipestat_report": "1.0", "record_identifier": "s1", "results": {"n": 1}}'
    )
    run("ingest", "-f", "b.db", "s1.pipestat.json")
    assert run("retrieve", "-f", "b.db", "-r", "s1", "-i", "n").out == "1\n"


def test_defined_statuses_need_no_store(run: Run, folder: Path) -> None:
    assert "running" in run("status", "list", "-f", "new.yaml", "--defined").out


def test_a_configuration_may_be_checked_before_its_store_is_there(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text("results_file_path: resluts.yaml\nschema_path: schema.yaml\n")
    (folder / "results.yaml").touch()
    done = run("validate", "-c", "c.yaml")
    assert done.err.splitlines() == [
        f"warning: there are no results at {folder / 'resluts.yaml'}; "
        f"did you mean {folder / 'results.yaml'}?",
        f"valid: {folder / 'c.yaml'}, {folder / 'schema.yaml'}",
    ]


def test_a_manager_opens_before_it_reports(folder: Path) -> None:
    for place in ("new.yaml", "new.db", "new/{record_identifier}.yaml"):
        with PipestatManager(results_file_path=place, pipeline_name="rnaseq") as psm:
            assert psm.select_records()["records"] == []
            assert psm.get_status("s1") is None
            assert not psm.store.backend.exists()
            psm.report({"n": 1}, "s1")
            assert psm.store.backend.exists()
            psm.remove_record("s1", rm_record=True)
            assert psm.store.backend.exists()


def test_the_schema_of_a_missing_store(results: Path) -> None:
    with pytest.raises(StoreNotFoundError) as caught:
        infer_schema("resluts.yaml")
    assert caught.value.nearest == str(results / "results.yaml")
    assert caught.value.code == "not-found"
