"""Mistakes that many make, and what the message says to do instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runs import Run

SCHEMA = """\
pipeline_name: count
samples:
  rate: {type: number}
  reads: {type: integer}
project:
  total: {type: integer}
"""
STRICT = """\
pipeline_name: count
samples: {additionalProperties: false, properties: {reads: {type: integer}}}
project: {total: {type: integer}}
"""


@pytest.fixture
def schema(folder: Path) -> Path:
    path = folder / "count.yaml"
    path.write_text(SCHEMA)
    return path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("rate=.94", "write 0.94"),
        ("rate=5.", "write 5"),
        ("rate=-.5", "write -0.5"),
        ("reads=+5", "write 5"),
        ("reads=1_000", "write 1000"),
        ("reads=7.0", "write 7"),
    ],
)
def test_a_number_as_other_languages_write_it(
    run: Run, schema: Path, given: str, meant: str
) -> None:
    done = run("report", "-f", "r.yaml", "-s", str(schema), "-r", "s1", given, code=1)
    assert done.err.rstrip().endswith(meant)
    assert not Path("r.yaml").exists()


@pytest.mark.parametrize("given", ["rate=1,5", "rate=nan", "rate=inf", "reads=1.5", "reads=1e30"])
def test_what_is_no_number_has_no_such_hint(run: Run, schema: Path, given: str) -> None:
    done = run("report", "-f", "r.yaml", "-s", str(schema), "-r", "s1", given, code=1)
    assert "write" not in done.err


def test_a_result_of_the_other_level(run: Run, schema: Path) -> None:
    store = ("-f", "r.yaml", "-s", str(schema))
    assert "-p project" in run("report", *store, "-r", "s1", "total=5").err
    assert "-p sample" in run("report", *store, "-p", "project", "reads=5").err
    schema.write_text(STRICT)
    refused = run("report", "-f", "q.yaml", "-s", str(schema), "-r", "s1", "total=5", code=1)
    assert "-p project" in refused.err


def test_a_tab_is_called_a_tab(run: Run, folder: Path) -> None:
    (folder / "tab.yaml").write_text("pipeline_name: count\nsamples:\n\treads: {type: integer}\n")
    done = run("report", "-f", "r.yaml", "-s", "tab.yaml", "-r", "s1", "reads=5", code=1)
    assert "tab.yaml: line 3" in done.err
    assert "a tab stands where" in done.err


def test_what_a_shell_took_away(run: Run, schema: Path) -> None:
    store = ("-f", "r.yaml", "-s", str(schema))
    run("report", *store, "-r", "s1", "reads=5")
    assert "in quotes" in run("select", *store, "--where", "reads", code=1).err
    done = run("select", *store, "reads", code=None)
    assert done.code == 2
    assert "too many arguments: reads;" in done.err
    assert "--" not in done.err.split(";")[0]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["init", "-s", "schema.yaml"], "-s"),
        (["convert", "-f", "json", "a.yaml", "b.yaml"], "-f"),
        (["select", "-Zx"], "-Z"),
        (["select", "--wher", "x"], "--wher"),
    ],
)
def test_an_option_that_is_not_there(run: Run, arguments: list[str], option: str) -> None:
    done = run(*arguments, code=None)
    assert done.code == 2
    assert f"there is no option {option};" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["select", "--limit", "x"], "--limit: 'x' is not an integer"),
        (["watch", "--timeout", "1h"], "--timeout: '1h' is not a number"),
    ],
)
def test_an_option_that_is_no_number(run: Run, arguments: list[str], told: str) -> None:
    assert told in run(*arguments, code=2).err


def test_an_anchor_beside_the_sections(run: Run, schema: Path) -> None:
    shared = "num: &num {type: integer}"
    body = "pipeline_name: count\nsamples: {reads: *num}\n"
    schema.write_text(f"x-{shared}\n{body}")
    store = ("-f", "r.yaml", "-s", str(schema))
    assert "under $defs" in run("report", *store, "-r", "s1", "reads=5", code=1).err
    schema.write_text(f"$defs:\n  {shared}\n{body}")
    run("report", *store, "-r", "s1", "reads=5")


# What a beginner gives by mistake, the error, and what mends it.
WRONG_FILES = [
    (["select", "-f", "schema.yaml"], "holds namespaces 'pipeline_name', 'samples'", "with -s"),
    (["select", "-f", "pipestat.yaml"], "holds namespaces 'schema_path', 'results", "with -c"),
    (["select", "-f", "workflow.yaml"], "holds namespaces 'name', 'on'", "use another file"),
    (["report", "-f", "schema.yaml", "-r", "s", "n=1"], "holds namespaces", "with -s"),
    (["select", "-c", "schema.yaml"], "unknown key 'samples'", "with -s"),
    (["select", "-c", "workflow.yaml"], "unknown key 'name'", "results_file_path"),
    (["select", "-c", "folder"], "folder: cannot be read: it is a folder", ""),
    (["select", "-s", "results.yaml"], "count: the result has no type", "with -f"),
    (["select", "-s", "empty.yaml"], "empty.yaml: the file is empty", "reads: {type: integer}"),
    (["select", "-s", "folder"], "folder: cannot be read: it is a folder", ""),
    (["select", "-f", "folder"], "folder cannot be used: it is a folder", "path of a file"),
    (["select", "-f", "results.yml"], "no results at", "did you mean", "results.yaml"),
    (["select", "-s", "shcema.yaml"], "there is no such file", "did you mean schema.yaml?"),
    (["report", "-r", "s", "--json", "new.json"], "'new.json' is not JSON", "write @new.json"),
    (["report", "-r", "s", "--json", "schema.yaml"], "the name of a file", "write @schema.yaml"),
    (["report", "-r", "s", "n:=@none.json"], "none.json: there is no such file", ""),
    (["report", "-r", "s", "n:=@folder"], "folder: it is a folder", ""),
    (["table", "-o", "results.yaml/t.csv"], "results.yaml/t.csv cannot be written", "another"),
    (["table", "-o", "folder"], "no exporter writes 'folder'", ".csv"),
    (["select", "-o", "results.yaml/x.json"], "a part of the path is not a folder", ""),
    (
        ["summarize", "-o", "results.yaml/r.html"],
        "results.yaml/r.html cannot be written",
        "another",
    ),
    (["link", "--link-dir", "results.yaml"], "results.yaml cannot be written", "another folder"),
]


@pytest.mark.parametrize(
    ("arguments", "told", "mended"), [(w[0], w[1], w[-1]) for w in WRONG_FILES]
)
def test_a_file_of_another_kind(
    run: Run, folder: Path, arguments: list[str], told: str, mended: str
) -> None:
    (folder / "schema.yaml").write_text("pipeline_name: count\nsamples: {n: {type: integer}}\n")
    (folder / "pipestat.yaml").write_text(
        "schema_path: schema.yaml\nresults_file_path: results.yaml\n"
    )
    (folder / "workflow.yaml").write_text("name: test\non: push\njobs: {}\n")
    (folder / "empty.yaml").touch()
    (folder / "folder").mkdir()
    run("report", "-q", "-r", "s1", "n=1")
    before = (folder / "results.yaml").read_bytes()

    done = run(*arguments, code=1)

    assert (done.out, done.err.count("\n"), done.err[:7]) == ("", 1, "error: ")
    assert told in done.err
    assert mended in done.err
    assert ".tmp" not in done.err
    assert (folder / "results.yaml").read_bytes() == before


def test_names_that_are_not_alike(run: Run, folder: Path) -> None:
    (folder / "bin.yaml").touch()
    (folder / "noperm").mkdir()
    assert "did you mean" not in run("select", "-s", "missing.yaml", code=1).err
    assert "did you mean" not in run("select", "-f", "nothere.yaml", code=1).err


def test_json_that_escapes_an_emoji(run: Run, folder: Path) -> None:
    results = {
        "mood": "\N{GRINNING FACE}",
        "text": "\\ud83d\\ude00",
        "path": "a\\\N{GRINNING FACE}",
    }
    file = folder / "r.json"
    file.write_text(json.dumps({"count": {"sample": {"s1": results}, "project": {}}}))
    assert "\\ud83d\\ude00" in file.read_text()
    found = run("retrieve", "-f", "r.json", "-r", "s1", "--format", "json").out
    assert json.loads(found) == {**results, "record_identifier": "s1"}
