"""`retrieve`, `select`, `history`, `status list`, `inspect`: what is printed, in each format."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.runs import Run

ODD: dict[str, Any] = {
    "a": 1,
    "b": 1.0,
    "c": True,
    "d": None,
    "e": "",
    "f": [],
    "g": {},
    "h": "no",
    "i": "1e3",
    "j": 1e22,
    "k": -0.0,
    "l": "12:30",
    "m": "é\u2028ü\x85 ",
    "n": [[1, {"x": [{"y": None}]}], []],
    "o": "0o7",
    "p": 5e-324,
    "q": 2**63 - 1,
    "r": "two\nlines\t#: x",
    "s": {"": 1, "no": 2, "k" * 600: {"z": 1}},
    "t": "# no comment",
    "u": "😀",
    "v": "~",
    "w": "<<",
    "x": "- a",
}


@pytest.fixture
def odd(run: Run, folder: Path) -> list[str]:
    run("report", "-f", "r.yaml", "-r", "s1", "--json", json.dumps(ODD))
    return ["-f", "r.yaml", "-r", "s1"]


@pytest.fixture
def three(run: Run, store: Path) -> Path:
    run("report", "-r", "s1", "reads=1200", "name=x", "--status", "completed")
    run("report", "-r", "s2", "reads=900", "note=null", "--status", "failed", "-m", "no, reads")
    run("report", "-r", "a,b", "rate=0.5", 'align={"rate": 0.9}', "extra:=[1]")
    return store


def exactly(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            exactly(found[k], expected[k]) for k in found
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(exactly, found, expected))
    return type(found) is type(expected) and repr(found) == repr(expected)


@pytest.mark.parametrize("style", ["json", "yaml"])
def test_json_and_yaml_keep_every_value(run: Run, odd: list[str], style: str) -> None:
    out = run("retrieve", *odd, "--format", style).out
    found = json.loads(out) if style == "json" else yaml.safe_load(out)
    assert exactly(found, {**ODD, "record_identifier": "s1"})


def test_yaml_is_read_alike_by_a_yaml_1_2_parser(run: Run, odd: list[str]) -> None:
    ruamel = pytest.importorskip("ruamel.yaml")
    parser = ruamel.YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    found = parser.load("%YAML 1.2\n---\n" + run("retrieve", *odd, "--format", "yaml").out)
    assert exactly(found, {**ODD, "record_identifier": "s1"})


def test_json_is_stable_and_readable(run: Run, folder: Path) -> None:
    run("report", "-f", "r.yaml", "-r", "s1", "b=é", "a:=1")
    out = run("retrieve", "-f", "r.yaml", "-r", "s1", "--format", "json").out
    assert out == '{\n  "a": 1,\n  "b": "é",\n  "record_identifier": "s1"\n}\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [("a", "1"), ("b", "1.0"), ("c", "true"), ("d", "null"), ("e", ""), ("f", "[]"), ("h", "no")],
)
def test_one_result_is_its_bare_value(run: Run, odd: list[str], name: str, text: str) -> None:
    assert run("retrieve", *odd, "-i", name).out == f"{text}\n"
    assert exactly(json.loads(run("retrieve", *odd, "-i", name, "--format", "json").out), ODD[name])


def test_several_results_are_an_object(run: Run, odd: list[str]) -> None:
    out = run("retrieve", *odd, "-i", "a", "-i", "h", "-i", "zzz", "--format", "json").out
    assert json.loads(out) == {"a": 1, "h": "no", "record_identifier": "s1"}


def test_a_record_as_text(run: Run, three: Path) -> None:
    assert run("retrieve", "-r", "s1").out == "reads: 1200\nname: x\nrecord_identifier: s1\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["retrieve", "-r", "zzz"], "'zzz'"),
        (["retrieve", "-r", "s1", "-i", "zzz"], "'zzz'; stored are reads, name"),
        (["history", "-r", "zzz"], "'zzz'"),
        (["select", "--where", "reads >"], "column"),
        (["select", "--limit", "0"], "limit"),
        (["select", "-f", "missing_folder/r.yaml", "-c", "none.yaml"], "none.yaml"),
    ],
)
def test_what_is_not_there_is_one_line(
    run: Run, three: Path, arguments: list[str], part: str
) -> None:
    done = run(*arguments, code=1)
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert part in done.err


def test_the_table_of_records(run: Run, three: Path) -> None:
    assert run("select").out.splitlines() == [
        "record_identifier  status     reads  rate  name  note  align          extra",
        "-----------------  ---------  -----  ----  ----  ----  -------------  -----",
        'a,b                                  0.5               {"rate": 0.9}  [1]',
        "s1                 completed  1200         x",
        "s2                 failed     900                null",
    ]


def test_csv_keeps_missing_and_empty_apart(run: Run, three: Path) -> None:
    run("report", "-r", "s3", "name=", 'plot:={"path": "a\\"b", "title": "1,2\\n3"}')
    columns = ["--columns", "name,plot,status", "--format", "csv"]
    out = run("select", *columns).out
    assert out.splitlines()[0] == "record_identifier,name,plot,status"
    assert '"a,b",,,\n' in out
    assert 's3,"","{' in out
    rows = {row["record_identifier"]: row for row in csv.DictReader(out.splitlines(keepends=True))}
    assert json.loads(rows["s3"]["plot"]) == {"path": 'a"b', "title": "1,2\n3"}
    assert rows["s1"] == {"record_identifier": "s1", "name": "x", "plot": "", "status": "completed"}


def test_tsv_has_one_line_a_record(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "--json", '{"name": "a\\tb\\nc\\\\d", "reads": 1}')
    assert run("select", "--columns", "name,reads", "--format", "tsv").out == (
        "record_identifier\tname\treads\ns1\ta\\tb\\nc\\\\d\t1\n"
    )


def test_a_table_does_not_disturb_the_terminal(run: Run, store: Path) -> None:
    run("report", "-r", "日本", "--json", '{"name": "\\u001b[31mred\\n", "reads": 1}')
    lines = run("select", "--columns", "name,reads").out.splitlines()
    assert lines[2] == "日本               \\x1b[31mred\\n  1"


def test_filters_pages_and_columns(run: Run, three: Path) -> None:
    query = ["select", "--format", "json", "--columns", "reads"]
    page = json.loads(run(*query, "--where", "reads > 900 or status = 'failed'").out)
    assert page == {
        "total_size": 2,
        "page_size": 2,
        "next_page_token": None,
        "records": [
            {"record_identifier": "s1", "reads": 1200},
            {"record_identifier": "s2", "reads": 900},
        ],
    }
    first = json.loads(run(*query, "--limit", "2").out)
    assert [r["record_identifier"] for r in first["records"]] == ["a,b", "s1"]
    assert first["total_size"] == 3
    second = json.loads(run(*query, "--limit", "2", "--cursor", first["next_page_token"]).out)
    assert [r["record_identifier"] for r in second["records"]] == ["s2"]
    assert second["next_page_token"] is None


def test_json_records_carry_their_status(run: Run, three: Path) -> None:
    records = json.loads(run("select", "--format", "json").out)["records"]
    assert [record["status"] for record in records] == [None, "completed", "failed"]


def test_a_cut_table_says_how_to_go_on(run: Run, three: Path) -> None:
    done = run("select", "--limit", "1")
    assert done.err == "1 of 3 records; go on with --cursor 'a,b'\n"


def test_columns_with_commas_and_misspelt_ones(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "--json", '{"a,b": 1, "c d": 2}')
    done = run("select", "--columns", '"a,b", c d,reads,readz', "--format", "csv")
    assert done.out == 'record_identifier,"a,b",c d,reads,readz\ns1,1,2,,\n'
    assert done.err == "warning: no record has a result 'readz'; did you mean 'reads'?\n"


def test_distinct_values(run: Run, three: Path) -> None:
    out = run("select", "--distinct", "status,reads", "--format", "json").out
    assert json.loads(out) == {
        "total_size": 2,
        "records": [
            {"status": "completed", "reads": 1200},
            {"status": "failed", "reads": 900},
        ],
    }
    assert run("select", "--distinct", "status", "--format", "tsv").out == (
        "status\ncompleted\nfailed\n"
    )
    run("select", "--distinct", "status", "--where", "reads > 1", code=2)


def test_history(run: Run, three: Path) -> None:
    run("report", "-r", "s1", "-o", "reads=1", "name=y")
    run("report", "-r", "s1", "-o", "reads=2")
    found = json.loads(run("history", "-r", "s1", "--format", "json").out)["records"]
    assert sorted((entry["result"], entry["value"]) for entry in found) == [
        ("name", "x"),
        ("reads", 1),
        ("reads", 1200),
    ]
    assert sorted(entry["until"] for entry in found) == [entry["until"] for entry in found]
    name = next(entry for entry in found if entry["result"] == "name")
    lines = run("history", "-r", "s1", "-i", "name", "--format", "csv").out.splitlines()
    assert lines[0] == "until,result,value"
    assert lines[1] == f"{name['until']},name,x"
    nothing = run("history", "-r", "s1", "-i", "rate", "--format", "json").out
    assert json.loads(nothing) == {"total_size": 0, "records": []}


def test_status_list(run: Run, three: Path) -> None:
    only = run("status", "list", "--only", "failed", "--format", "json").out
    (told,) = json.loads(only)["records"]
    since = told.pop("status_time")
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(since) < timedelta(hours=1)
    assert told == {
        "record_identifier": "s2",
        "status": "failed",
        "status_message": "no, reads",
    }
    lines = run("status", "list", "--format", "csv").out.splitlines()
    assert lines[:2] == ["record_identifier,status,status_time,status_message", '"a,b",,,']
    assert lines[3] == f's2,failed,{since},"no, reads"'
    assert "'done' is not defined" in run("status", "list", "--only", "done", code=1).err
    defined = json.loads(run("status", "list", "--defined", "--format", "json").out)
    colours = {status["status"]: status["color"] for status in defined["records"]}
    assert colours["failed"] == [220, 20, 60]


def test_inspect(run: Run, three: Path) -> None:
    run("report", "-p", "project", "total=3")
    summary = json.loads(run("inspect", "--format", "json").out)
    assert summary["backend"] == "yaml"
    assert summary["location"] == str(three)
    assert summary["pipeline_name"] == "rnaseq"
    assert summary["records"] == {
        "sample": {"count": 3, "statuses": {"completed": 1, "failed": 1}, "verdicts": None},
        "project": {"count": 1, "statuses": {}, "verdicts": None},
    }
    assert summary["results"]["project"] == ["total"]
    text = run("inspect").out.splitlines()
    assert "sample records: 3 (1 completed, 1 failed)" in text
    assert "validate results: yes" in text
    data = json.loads(run("inspect", "-d", "--format", "json").out)["rnaseq"]
    assert list(data["project"]) == ["project"]
    assert data["sample"]["s2"]["meta"]["status"] == "failed"
    assert yaml.safe_load(run("inspect", "-d").out)["rnaseq"] == data


def test_no_secret_is_printed(run: Run, folder: Path) -> None:
    config = "results_file_path: r.yaml\nstorage_options: {secret: hunter2}\n"
    (folder / "c.yaml").write_text(config)
    run("report", "-c", "c.yaml", "-r", "s1", "a=1")
    for arguments in (["inspect"], ["inspect", "--format", "json"], ["inspect", "-d"]):
        done = run(*arguments, "-c", "c.yaml")
        assert "hunter2" not in done.out + done.err


def test_the_store_must_be_named(run: Run, folder: Path) -> None:
    for command in ("select", "inspect", "validate"):
        done = run(command, code=1)
        assert "no store is named; give a results file" in done.err


def test_a_memory_store_is_empty_each_time(run: Run, folder: Path) -> None:
    assert run("report", "--backend", "memory", "-r", "s1", "a=1").err == "s1: reported a\n"
    assert "no results at the memory store" in run("select", "--backend", "memory", code=1).err


def test_what_a_plugin_warns_of(run: Run, folder: Path) -> None:
    (folder / "s1.yaml").write_text("p:\n  s1: {n: 1}\n  s2: {n: 2}\n")
    place = folder / "{record_identifier}.yaml"
    done = run("select", "-f", str(place), "--pipeline-name", "p")
    assert done.err == (
        f"warning: {folder}/s1.yaml also holds record 's2' (1 in all), which belongs into "
        "another file\n"
    )
