"""Which records, in which order, with which columns; and where they go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.runs import Run


@pytest.fixture
def three(run: Run, store: Path) -> Path:
    run("report", "-r", "s1", "reads=1200", 'align={"rate": 0.9}', "--status", "completed")
    run("report", "-r", "s2", "reads=7", "--status", "failed", "-m", "no reads")
    run("report", "-r", "s3", "name=x", 'align={"rate": 0.5}', "--status", "failed")
    return store.parent


def identifiers(run: Run, *arguments: str) -> list[str]:
    lines = run("select", "--columns", "record_identifier", "--no-header", *arguments).out
    return lines.split()


def test_order(run: Run, three: Path) -> None:
    assert identifiers(run, "--sort", "reads") == ["s2", "s1", "s3"]
    assert identifiers(run, "--sort", "reads:desc") == ["s1", "s2", "s3"]
    assert identifiers(run, "--sort", "align.rate", "--limit", "1") == ["s3"]
    assert identifiers(run, "--sort", "status:desc", "--sort", "name") == ["s3", "s2", "s1"]
    done = run("select", "--sort", "reads", "--limit", "2")
    assert done.err == "2 of 3 records\n"
    run("select", "--sort", "reads", "--cursor", "s1", code=2)


def test_statuses(run: Run, three: Path) -> None:
    assert identifiers(run, "--status", "failed") == ["s2", "s3"]
    assert identifiers(run, "--status", "failed", "--where", "reads > 1") == ["s2"]
    assert identifiers(run, "--status", "failed", "--status", "completed") == ["s1", "s2", "s3"]
    assert "'fail' is not defined" in run("select", "--status", "fail", code=1).err


def test_columns_of_messages_and_inside_objects(run: Run, three: Path) -> None:
    columns = ["--columns", "status_message,align.rate"]
    done = run("select", *columns, "--format", "csv")
    assert done.out == (
        "record_identifier,status_message,align.rate\ns1,,0.9\ns2,no reads,\ns3,,0.5\n"
    )
    assert done.err == ""
    records = json.loads(run("select", *columns, "--format", "json").out)["records"]
    assert records[0] == {"record_identifier": "s1", "status_message": None, "align.rate": 0.9}
    assert records[1] == {"record_identifier": "s2", "status_message": "no reads"}


def test_rows_of_a_database_are_printed_as_they_are_read(run: Run, three: Path) -> None:
    run("report", "-f", "x.db", "-r", "s1", "reads=1200", "zeta=a, b", "--status", "completed")
    run("report", "-f", "x.db", "-r", "s2", "alpha=1", "--status", "failed")
    run("report", "-f", "x.db", "-r", "s3", "reads=7")
    select = ("select", "-f", "x.db", "--format", "csv")
    assert run(*select).out == (
        "record_identifier,status,reads,alpha,zeta\n"
        's1,completed,1200,,"a, b"\ns2,failed,,1,\ns3,,7,,\n'
    )
    assert run(*select, "--where", "reads > 1", "--no-header").out == (
        's1,completed,1200,"a, b"\ns3,,7,\n'
    )
    misspelt = run(*select, "--columns", "reads,raeds", "--status", "completed")
    assert misspelt.out == "record_identifier,reads,raeds\ns1,1200,\n"
    assert "'raeds'; did you mean 'reads'?" in misspelt.err
    assert run(*select, "--where", "reads > 5000", "--columns", "nothing").out == (
        "record_identifier,nothing\n"
    )
    cut = run(*select, "--limit", "1", "--columns", "reads")
    assert (cut.out, cut.err.split()[:3]) == (
        "record_identifier,reads\ns1,1200\n",
        ["1", "of", "3"],
    )


def test_without_a_header(run: Run, three: Path) -> None:
    assert run("select", "--columns", "reads", "--no-header", "--format", "tsv").out == (
        "s1\t1200\ns2\t7\ns3\t\n"
    )
    lines = run("status", "list", "--no-header").out.splitlines()
    first, second = (line.split() for line in lines[:2])
    assert (first[:2], second[:2]) == (["s1", "completed"], ["s2", "failed"])
    assert second[3:] == ["no", "reads"]


@pytest.mark.parametrize("where", ["staus = 'failed'", "not staus = 'failed'"])
def test_a_name_that_nobody_knows_is_told_without_a_schema(
    run: Run, folder: Path, where: str
) -> None:
    run("report", "-f", "r.yaml", "-r", "s1", "n:=1", "--status", "failed")
    err = run("select", "-f", "r.yaml", "--where", where).err
    assert err == "warning: no record has staus; did you mean 'status'?\n"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("n = '1'", "n has no text, only numbers; write numbers without quotes"),
        ("name in (1, 2)", "name has no numbers, only text; write text in single quotes"),
        ("align.rat > 0.5", "no record has align.rat"),
        ("status = 1", "status has no numbers, only text; write text in single quotes"),
        ("n > 5", None),
        ("nothing is null", None),
    ],
)
def test_what_can_match_nothing_is_told(
    run: Run, folder: Path, where: str, said: str | None
) -> None:
    result = '{"n": 1, "name": "x", "align": {"rate": 0.9}, "nothing": null}'
    run("report", "-f", "r.yaml", "-r", "s1", "--json", result, "--status", "failed")
    err = run("select", "-f", "r.yaml", "--where", where).err
    assert err == ("" if said is None else f"warning: {said}\n")


def test_an_empty_store_is_not_doubted(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1")
    run("remove", "-r", "s1", "--whole-record")
    assert run("select", "--where", "status = 1").err == ""


def test_formats_of_exporters(run: Run, three: Path) -> None:
    out = run("select", "--columns", "reads", "--format", "markdown", "--limit", "1").out
    assert out == "| record\\_identifier | reads |\n| --- | --: |\n| s1 | 1200 |\n"
    lines = run("select", "--format", "jsonl", "--where", "reads = 7").out
    assert json.loads(lines) == {"record_identifier": "s2", "status": "failed", "reads": 7}
    assert "give a file: -o table.parquet" in run("select", "--format", "parquet", code=1).err


def test_into_a_file(run: Run, three: Path) -> None:
    done = run("select", "--sort", "reads", "--limit", "1", "--columns", "reads", "-o", "t.csv")
    assert (done.out, done.err) == ("", "t.csv: 1 record\n")
    assert Path("t.csv").read_text() == "record_identifier,reads\ns2,7\n"
    run("select", "-o", "t.json", "--limit", "1")
    assert json.loads(Path("t.json").read_text())["total_size"] == 3
    run("select", "-o", "t.txt", "--columns", "reads", "--status", "completed")
    assert Path("t.txt").read_text().splitlines()[2] == "s1                 1200"
    run("select", "-o", "t.html", "--status", "failed")
    assert "<h1>rnaseq</h1>" in Path("t.html").read_text("utf-8")
    run("retrieve", "-r", "s1", "-o", "one.txt")
    assert Path("one.txt").read_text().startswith("reads: 1200\n")
    run("history", "-r", "s1", "-o", "h.json")
    assert json.loads(Path("h.json").read_text()) == {"total_size": 0, "records": []}
    run("select", "-r", "nobody", "-o", "no.txt", code=2)
    run("retrieve", "-r", "nobody", "-o", "no.txt", code=1)
    assert not Path("no.txt").exists()


def test_records_and_former_values_in_every_format(run: Run, three: Path) -> None:
    run("report", "-r", "s1", "-o", "reads=1300")
    two = ("retrieve", "-r", "s1", "-r", "s2")
    assert run(*two, "-i", "reads").out.splitlines()[2:] == [
        "s1                 1300",
        "s2                 7",
    ]
    answer = json.loads(run(*two, "-i", "reads", "--format", "json").out)
    assert answer["records"][1] == {"record_identifier": "s2", "reads": 7}
    assert run("retrieve", "-r", "s1", "-i", "reads", "--format", "csv").out.splitlines()[1] == (
        "s1,1300"
    )
    run(*two, "-r", "nobody", code=1)
    lines = run("status", "list", "--format", "markdown").out.splitlines()
    assert lines[3].startswith("| s2 | failed | 20")
    assert lines[3].endswith("Z | no reads |")
    former = json.loads(run("history", "-r", "s1", "--format", "jsonl").out)
    assert (former["record_identifier"], former["result"], former["value"]) == ("s1", "reads", 1200)
    for command in (two, ("history", "-r", "s1"), ("status", "list"), ("select",)):
        done = run(*command, "-o", "t.parquet")
        assert done.out == ""
        assert done.err.startswith("t.parquet: ")
        assert Path("t.parquet").read_bytes()[:4] == b"PAR1"


def test_the_ending_of_a_file_is_its_format(run: Run, three: Path) -> None:
    for command in (
        ("retrieve", "-r", "s1"),
        ("inspect",),
        ("status", "get", "-r", "s1"),
        ("status", "list", "--defined"),
        ("validate", "-q"),
        ("plugins",),
    ):
        run(*command, "-o", "a.json")
        json.loads(Path("a.json").read_text())
        run(*command, "-o", "a.yml")
        assert yaml.safe_load(Path("a.yml").read_text()) == json.loads(Path("a.json").read_text())
    run("retrieve", "-r", "s1", "-o", "a.json", "--format", "yaml")
    assert Path("a.json").read_text().startswith("align:\n")
    run("plugins", "-o", "p.csv")
    assert Path("p.csv").read_text().startswith("plugin,distribution,")
    run("plugins", "-o", "p.parquet", code=2)
    run("status", "list", "--defined", "--format", "markdown", code=2)
    run("select", "-o", "p.odd", code=1)
    assert not [path for path in Path().iterdir() if path.suffix in (".parquet", ".odd")]


def test_statuses_are_counted(run: Run, three: Path) -> None:
    assert run("status", "list").err == "1 completed, 2 failed\n"
    assert run("status", "list", "--format", "csv").err == ""
    assert run("status", "list", "-q").err == ""


def test_reported_files_that_are_not_there(run: Run, three: Path) -> None:
    (three / "p.png").touch()
    run("report", "-r", "s1", 'plot={"path": "p.png", "title": "t"}')
    run("report", "-r", "s2", 'plot={"path": "q.png", "title": "t"}')
    run("report", "-r", "s3", 'plot={"path": "s3://b/q.png", "title": "t"}')
    run("validate")
    done = run("validate", "--check-files", code=1)
    assert done.out == f"sample 's2': result 'plot': there is no file '{three}/q.png'\n"
    found = json.loads(run("validate", "--check-files", "--format", "json", code=1).out)
    assert [(p["record"], p["result"]) for p in found["records"]] == [("s2", "plot")]


def test_a_misspelt_name_is_told_once(run: Run, three: Path) -> None:
    schema = three / "once.yaml"
    schema.write_text("pipeline_name: rnaseq\nsamples: {reads: {type: integer}}\n")
    for command in (("select",), ("table", "-o", str(three / "t.csv"))):
        done = run(*command, "-s", str(schema), "--where", "raeds > 1")
        assert done.err.count("raeds") == 1, done.err
