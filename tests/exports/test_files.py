"""The files that the exporters write, read by other libraries where there are some."""

from __future__ import annotations

import csv
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDependencyError, PipestatSummarizeError, PluginError
from pipestat_spec.installing import install_hint
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.tables import Selection

HEAD = ["record_identifier", "status", "reads", "rate", "ok", "tags", "name", "note"]
HEAD += ["align", "plot", "more"]


def export(psm: PipestatManager, output: Path, **options: Any) -> list[Path]:
    return plugins().exporter_of(output.name).export(psm.store, output, options)


def test_csv(psm: PipestatManager, tmp_path: Path) -> None:
    (path,) = export(psm, tmp_path / "t.csv")
    text = path.read_text("utf-8")
    assert text == (
        ",".join(HEAD) + "\n"
        's1,completed,0,2.0,false,NA,"",null,"{""deep"": {""x"": 1}, ""rate"": 0.9}",NA,NA\n'
        's2,NA,12,NA,NA,"[1, ""a""]","NA",NA,NA,'
        '"{""path"": ""p.png"", ""title"": ""=T\\t1""}",1152921504606846976\n'
        's3,NA,NA,NA,NA,NA,"0","null",{},NA,"""x\\ny|<b>"""\n'
    )
    assert {len(row) for row in csv.reader(text.splitlines())} == {len(HEAD)}


def test_tsv_with_types(psm: PipestatManager, tmp_path: Path) -> None:
    path, types = export(
        psm, tmp_path / "t.tsv", types=True, columns=["name", "plot.title"], missing=""
    )
    assert path.read_text("utf-8") == (
        'record_identifier\tname\tplot.title\ns1\t""\t\ns2\tNA\t"\'=T\t1"\ns3\t"0"\t\n'
    )
    assert types == tmp_path / "t.types.json"
    assert json.loads(types.read_text("utf-8")) == {
        "fields": [
            {"name": "record_identifier", "type": "string"},
            {"name": "name", "type": "string"},
            {"name": "plot.title", "type": "string"},
        ],
        "missingValues": ["", "null"],
    }


def test_markdown_shows_values_as_text(psm: PipestatManager, tmp_path: Path) -> None:
    (path,) = export(psm, tmp_path / "t.md", columns=["reads", "more", "tags"])
    assert path.read_text("utf-8") == (
        "| record\\_identifier | reads | more | tags |\n"
        "| --- | --: | --- | --- |\n"
        "| s1 | 0 | NA | NA |\n"
        '| s2 | 12 | 1152921504606846976 | \\[1, "a"\\] |\n'
        "| s3 | NA | x\\ny\\|&lt;b&gt; | NA |\n"
    )


def test_json_lines_leave_out_what_is_missing(psm: PipestatManager, tmp_path: Path) -> None:
    (path,) = export(psm, tmp_path / "t.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines[2] == {
        "record_identifier": "s3",
        "name": "0",
        "note": "null",
        "align": {},
        "more": "x\ny|<b>",
    }
    assert lines[0]["note"] is None
    assert "tags" not in lines[0]


def test_excel(psm: PipestatManager, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    psm.report({"name": '=HYPERLINK("http://x")'}, "s4")
    (path,) = export(psm, tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(path)["sample"]
    rows = [list(row) for row in sheet.values]
    assert rows[0] == HEAD
    assert rows[1][:5] == ["s1", "completed", 0, 2, False]
    assert rows[1][5] is None
    # More digits than a sheet's numbers have.
    assert rows[2][10] == str(2**60)
    cell = sheet.cell(5, 7)
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x")', "s")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1+1", "'+1+1"),
        ("-1+cmd", "'-1+cmd"),
        ("-inf", "'-inf"),
        ("\tx", '"\'\tx"'),
        ("\rx", '"\'\rx"'),
        ("+", "+"),
        ("-", "-"),
        ("-5.5", '"-5.5"'),
        ("+5", "+5"),
        ("a=b", "a=b"),
    ],
)
def test_text_does_not_run_in_a_spreadsheet(tmp_path: Path, text: str, cell: str) -> None:
    with PipestatManager(results_file_path=tmp_path / "r.yaml") as psm:
        psm.report({"text": text, "number": -5}, "s1")
        (path,) = plugins().exporter("tsv").export(psm.store, tmp_path / "t.tsv", {})
    assert path.read_bytes().decode() == (
        f"record_identifier\tstatus\tnumber\ttext\ns1\tNA\t-5\t{cell}\n"
    )


def test_excel_refuses_what_a_cell_cannot_hold(psm: PipestatManager, tmp_path: Path) -> None:
    psm.report({"name": "x" * 40_000}, "s4")
    with pytest.raises(PipestatSummarizeError, match="40000 characters"):
        export(psm, tmp_path / "t.xlsx")
    assert not list(tmp_path.glob("*t.xlsx*"))


def test_the_other_level(psm: PipestatManager, tmp_path: Path) -> None:
    psm.report({"total": 3}, level="project")
    (path,) = export(psm, tmp_path / "t.csv", level="project")
    assert path.read_text("utf-8") == "record_identifier,status,total\nproject,NA,3\n"


def test_a_folder_gets_a_file_named_for_the_pipeline(psm: PipestatManager, tmp_path: Path) -> None:
    (path,) = plugins().exporter("csv").export(psm.store, tmp_path, {})
    assert path == tmp_path / "rnaseq_table.csv"


def test_an_empty_store_has_a_header(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml")
    for suffix in ("csv", "md", "jsonl", "parquet", "xlsx"):
        (path,) = export(psm, tmp_path / f"t.{suffix}")
        assert path.is_file()
    assert (tmp_path / "t.csv").read_text() == "record_identifier,status\n"


def test_what_is_wrong_is_named(psm: PipestatManager, tmp_path: Path) -> None:
    with pytest.raises(PipestatSummarizeError, match="'flaten'; did you mean 'flatten'"):
        export(psm, tmp_path / "t.csv", flaten=True)
    with pytest.raises(PipestatSummarizeError, match="columns"):
        export(psm, tmp_path / "t.csv", columns="reads")
    with pytest.raises(PipestatSummarizeError, match="level"):
        export(psm, tmp_path / "t.csv", level="run")
    with pytest.raises(PluginError, match=r"endings are .*\.csv"):
        plugins().exporter_of("t.doc")
    with pytest.raises(PluginError, match="exporters are csv, frictionless, html, jsonl"):
        plugins().exporter("doc")
    (tmp_path / "file").write_text("")
    with pytest.raises(PipestatSummarizeError, match="cannot be written"):
        export(psm, tmp_path / "file" / "t.csv")


@pytest.mark.parametrize(("module", "ending"), [("pyarrow", "parquet"), ("xlsxwriter", "xlsx")])
def test_a_library_that_is_not_installed(
    psm: PipestatManager,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    ending: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PipestatDependencyError) as caught:
        export(psm, tmp_path / f"t.{ending}")
    assert str(caught.value).endswith(
        f"needs the package {module}; {install_hint('pipestat-spec[tables]')}"
    )


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "md"])
def test_memory_does_not_grow_with_the_records(
    psm: PipestatManager, tmp_path: Path, ending: str
) -> None:
    def records() -> Iterator[Record]:
        for number in range(2_000):
            yield Record(RecordKey("sample", f"s{number:04}"), {"text": f"{number:05}" * 4000})

    source = Selection(psm.store, "sample", records)
    tracemalloc.start()
    try:
        (path,) = plugins().exporter_of(f"t.{ending}").export(source, tmp_path / f"t.{ending}", {})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 35_000_000
    assert peak < 20_000_000
