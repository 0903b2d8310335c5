"""The folder for MultiQC, and the report that the real one makes of it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.plugins.loading import plugins
from tests.environments import PythonEnvironment

SCHEMA = """
pipeline_name: rnaseq
title: Runs of <b>mice</b>
samples:
  reads: {type: integer, title: "Reads <i>", description: All reads, unit: M, minimum: 0}
  rate: {type: number, qc: {fail: "value < 0.5", warn: "value < 0.8"}}
  share: {type: number, unit: "%", maximum: 100, multipleOf: 0.01}
  tiny: {type: number, multiqc: {scale: Reds}}
  quarter: {type: number, multipleOf: 0.25}
  ok: {type: boolean}
  code: {type: string}
  align: {type: object, properties: {rate: {type: number, description: Aligned}}}
  tags: {type: array}
  plot: {type: image, title: Coverage, description: Along genes}
project:
  total: {type: integer}
"""
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RECORDS: dict[str, dict[str, Any]] = {
    "s1.bam": {"reads": 5_123_456, "rate": 0.9123456789, "share": 12.25, "ok": True, "code": "007"},
    "s1": {"reads": 7, "rate": 0.71, "code": "<script>a,b</script>", "tags": ["x", "y"]},
    "a/x": {"reads": 0, "rate": 0.2, "tiny": 0.00012, "align": {"rate": 0.5}},
    "<u>b</u>": {"ok": False, "plot": {"path": "plot.png", "title": "P & <Q>"}},
    "gone": {"plot": {"path": "none.png", "title": "N"}},
}
# More rows than MultiQC shows in a table by itself.
MANY = {f"r{number:03}": {"reads": number, "rate": 0.9} for number in range(500)}
NUMBERS = ("reads", "rate", "share", "tiny", "align.rate")


class Made(NamedTuple):
    folder: Path
    html: str
    data: dict[str, Any]


@pytest.fixture(scope="module")
def made(multiqc: PythonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("multiqc")
    (place / "schema.yaml").write_text(SCHEMA)
    (place / "plot.png").write_bytes(PICTURE)
    with PipestatManager(
        results_file_path=place / "results.yaml", schema_path=place / "schema.yaml"
    ) as psm:
        psm.report_many({**RECORDS, **MANY})
        psm.report({"total": 505}, level="project")
        psm.set_status("completed", "s1")
        psm.set_status("failed", "a/x")
        (folder,) = plugins().exporter("multiqc").export(psm.store, place / "content", {})
    config = folder / "multiqc_config.yaml"
    multiqc.run(
        *("multiqc", folder, "--config", config, "--no-version-check"), cwd=place, HOME=str(place)
    )
    data = json.loads((place / "multiqc_data" / "multiqc_data.json").read_text("utf-8"))
    return Made(folder, (place / "multiqc_report.html").read_text("utf-8"), data)


def shown(name: str) -> str:
    """Return a record's name as it is in general statistics, where no slash may be."""
    return name.replace("<", "&lt;").replace(">", "&gt;").replace("/", "&#47;")


def stored(values: dict[str, Any]) -> dict[str, Any]:
    flat = {**values, "align.rate": values.get("align", {}).get("rate")}
    return {name: flat[name] for name in NUMBERS if flat.get(name) is not None}


def test_numbers_are_those_of_the_store(made: Made) -> None:
    (general,) = made.data["report_general_stats_data"].values()
    table = made.data["report_saved_raw_data"]["multiqc_pipestat_rnaseq_sample_table"]
    assert len(general) == len(table) == 505
    for name, values in {**RECORDS, **MANY}.items():
        # The table keeps the slash.
        row = table[shown(name).replace("&#47;", "/")]
        for found in (general.get(shown(name), {}), row):
            assert {key: value for key, value in found.items() if key in NUMBERS} == stored(values)
    project = made.data["report_saved_raw_data"]["multiqc_pipestat_rnaseq_project_table"]
    assert project == {"project": {"total": 505}}


def test_status_verdict_and_reasons(made: Made) -> None:
    (general,) = made.data["report_general_stats_data"].values()
    assert {name: general[shown(name)].get("verdict") for name in RECORDS} == {
        "s1.bam": "pass",
        "s1": "warn",
        "a/x": "fail",
        "<u>b</u>": "not judged",
        "gone": "not judged",
    }
    assert general["s1"]["status"] == "completed"
    table = made.data["report_saved_raw_data"]["multiqc_pipestat_rnaseq_sample_table"]
    assert table["a/x"]["reasons"] == "value &lt; 0.5 (rate = 0.2)"
    assert "reasons" not in table["s1.bam"]
    # The colours that MultiQC's own configuration gives pass, warn and fail.
    badges = re.findall(r'badge" style="background-color:(#\w+)">(\w+)<', made.html)
    by_text = {text: colour for colour, text in badges}
    assert len({by_text[verdict] for verdict in ("pass", "warn", "fail")}) == 3
    assert "not judged" not in by_text
    assert by_text["completed"] == "#32cd32"
    assert by_text["failed"] == "#dc143c"


def test_columns_have_the_words_of_the_schema(made: Made) -> None:
    table = json.loads((made.folder / "sample_mqc.json").read_text("utf-8"))
    assert table["headers"]["reads"] == {
        "title": "Reads &lt;i&gt;",
        "description": "All reads",
        "format": "{:,d}",
        "min": 0,
        "suffix": " M",
    }
    assert table["headers"]["share"]["format"] == "{:,.2f}"
    assert table["headers"]["share"]["max"] == 100
    assert table["headers"]["quarter"]["format"] == "{:,.2f}"
    assert table["headers"]["rate"]["format"] == "{:,.4f}"
    assert table["headers"]["tiny"]["format"] == "{:.3g}"
    assert table["headers"]["tiny"]["scale"] == "Reds"
    assert "Reads &lt;i&gt;" in made.html
    assert "All reads" in made.html
    assert "<script>a" not in made.html
    # Text with a comma is shown with it, and is no number.
    assert ">&lt;script&gt;a&#44;b&lt;/script&gt;</td>" in made.html
    table = made.data["report_saved_raw_data"]["multiqc_pipestat_rnaseq_sample_table"]
    assert table["s1.bam"]["code"] == "007"


def test_a_long_table_is_a_table(made: Made) -> None:
    config = yaml.safe_load((made.folder / "multiqc_config.yaml").read_text("utf-8"))
    assert config["max_table_rows"] == 505
    for anchor in ("general_stats_table", "pipestat_rnaseq_sample_table"):
        begin = made.html.index(f'<table id="{anchor}_table"')
        body = made.html[begin : made.html.index("</table>", begin)]
        assert len(re.findall(r"<tr[ >]", body)) == 505 + 1


def test_images_are_in_the_report(made: Made) -> None:
    assert f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}" in made.html
    assert "P &amp; &lt;Q&gt;" in made.html
    assert "Along genes" in made.html
    assert "1 of 2 images are not shown." in made.html


def test_a_store_without_records_is_no_report(tmp_path: Path) -> None:
    exporter = plugins().exporter("multiqc")
    with PipestatManager(results_file_path=tmp_path / "r.yaml") as psm:
        with pytest.raises(PipestatSummarizeError, match="no records"):
            exporter.export(psm.store, tmp_path / "m", {})
        assert not (tmp_path / "m").exists()
        psm.report({"total": 1}, "p", level="project")
        exporter.export(psm.store, tmp_path / "m", {})
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert names == {"project_mqc.json", "multiqc_config.yaml"}
