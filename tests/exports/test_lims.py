"""The wide CSV for a LIMS, and what a spreadsheet makes of CSV files."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.plugins.loading import plugins
from tests import patience
from tests.environments import clean_environment
from tests.legs import leave_out

SCHEMA = """
pipeline_name: lims
samples:
  reads: {type: integer, qc: {warn: "value < 1"}}
  "a.b": {type: string}
  tags: {type: array, items: {type: string}, maxItems: 3}
  free: {type: array, items: {type: integer}}
  reports: {type: array, items: {type: file}}
  two: {type: array, items: {type: file}, maxItems: 2}
  align: {type: object, properties: {rate: {type: number}, log: {type: file}}}
  plot: {type: image}
project:
  total: {type: integer}
"""
HEAD = (
    'record_identifier,status,verdict,reads,"""a.b""",tags.1,tags.2,tags.3,free,reports,two.1,two.2,'
    "align.rate,align.log,plot,more.k\n"
)
FILE = {"path": "=m.txt", "title": "M"}


def manager(folder: Path) -> PipestatManager:
    (folder / "schema.yaml").write_text(SCHEMA)
    return PipestatManager(
        results_file_path=folder / "results.yaml", schema_path=folder / "schema.yaml"
    )


def export(psm: PipestatManager, output: Path, **options: Any) -> Path:
    (path,) = plugins().exporter_of(output.name).export(psm.store, output, options)
    return path


def test_every_cell_is_a_value_a_path_or_a_list(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"reads": 0, "a.b": "x", "tags": ["p", "q"], "free": [1, 2], "two": [FILE]}, "s1")
    psm.report({"align": {"rate": 0.5, "log": FILE}, "plot": FILE, "reports": [FILE]}, "s2")
    psm.report({"align": {"log": FILE}, "more": {"k": True}, "tags": []}, "s3")
    psm.set_status("failed", "s2")
    assert export(psm, tmp_path / "t.lims.csv").read_text("utf-8") == (
        HEAD + 's1,NA,warn,0,x,p,q,NA,"[1, 2]",NA,\'=m.txt,NA,NA,NA,NA,NA\n'
        's2,failed,not judged,NA,NA,NA,NA,NA,NA,"[""=m.txt""]",NA,NA,0.5,\'=m.txt,\'=m.txt,NA\n'
        "s3,NA,not judged,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,'=m.txt,NA,true\n"
    )


def test_the_columns_are_those_of_the_schema_in_an_empty_store(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    text = export(psm, tmp_path / "t.lims.csv").read_text("utf-8")
    assert text == HEAD.replace(",more.k", "")
    text = export(psm, tmp_path / "t.lims.csv", level="project").read_text("utf-8")
    assert text == "record_identifier,status,total\n"


def test_columns_are_chosen(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"align": {"rate": 0.5, "log": FILE}}, "s1")
    path = export(psm, tmp_path / "t.lims.csv", columns=["align"], missing="")
    assert path.read_text("utf-8") == "record_identifier,align.rate,align.log\ns1,0.5,'=m.txt\n"


def test_libreoffice_reads_every_row_whole(tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        needed = "apt-get install --no-install-recommends libreoffice-calc"
        leave_out("libreoffice", "the command 'soffice' is not installed", needed)
    psm = manager(tmp_path)
    texts = ["a,b", 'say "x"', "two\nlines", "=1+1", "@SUM(A1)", "tab\there", "ü ∑", "semi;colon"]
    psm.report_many({f"s{n}": {"reads": n, "a.b": text} for n, text in enumerate(texts)})
    paths = [export(psm, tmp_path / name) for name in ("wide.lims.csv", "plain.csv")]
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    # Commas, double quotes, UTF-8, from the first line.
    command = ["soffice", profile, "--headless", "--infilter=CSV:44,34,76,1"]
    command += ["--convert-to", "xlsx", "--outdir", "out"]
    subprocess.run(
        [*command, *map(str, paths)],
        cwd=tmp_path,
        env=clean_environment(),
        check=True,
        capture_output=True,
        timeout=patience.SECONDS,
    )
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            written = list(csv.reader(file))
        book = openpyxl.load_workbook(tmp_path / "out" / path.with_suffix(".xlsx").name)
        rows = [list(row) for row in book.active.values]
        assert {len(row) for row in written} == {len(rows[0])}
        assert rows[0] == written[0]
        # Text that would be computed is text, with the apostrophe that it got.
        expected = [text if text[0] not in "=@" else f"'{text}" for text in texts]
        assert [row[4] for row in rows[1:]] == expected
        assert [row[3] for row in rows[1:]] == list(range(len(texts)))
        assert [row[0] for row in rows[1:]] == [row[0] for row in written[1:]]


@pytest.mark.parametrize("levels", [101, 3])
def test_a_list_that_may_be_very_long_stays_one_cell(tmp_path: Path, levels: int) -> None:
    (tmp_path / "schema.yaml").write_text(
        f"pipeline_name: p\nsamples:\n  x: {{type: array, items: {{type: integer}}, "
        f"maxItems: {levels}}}\n"
    )
    psm = PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=tmp_path / "schema.yaml"
    )
    psm.report({"x": [1]}, "s1")
    head = export(psm, tmp_path / "t.lims.csv").read_text("utf-8").splitlines()[0]
    assert head == "record_identifier,status," + ("x" if levels == 101 else "x.1,x.2,x.3")
