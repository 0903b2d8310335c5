"""What a manager makes of the records: summaries, report, data frames, notebooks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDependencyError, PipestatSummarizeError

SCHEMA = """
pipeline_name: p
samples:
  n: {type: integer}
  rate: {type: number}
  ok: {type: boolean}
  name: {type: string}
  plot: {type: image}
project:
  total: {type: integer}
"""


@pytest.fixture
def psm(tmp_path: Path) -> PipestatManager:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    manager = PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=tmp_path / "schema.yaml"
    )
    manager.report({"n": 0, "ok": False, "name": ""}, "s1")
    manager.report({"rate": 1, "plot": {"path": "p.png", "title": "T"}}, "s2")
    return manager


def test_the_two_summaries(psm: PipestatManager, tmp_path: Path) -> None:
    stats, objects = psm.table()
    assert stats == f"{tmp_path}/p_stats_summary.tsv"
    assert Path(stats).read_text() == (
        "Sample Index\tRecord Identifier\tPipeline Type\tn\trate\tok\tname\n"
        '1\ts1\tsample\t0\tNA\tfalse\t""\n'
        "2\ts2\tsample\tNA\t1.0\tNA\tNA\n"
    )
    assert objects == f"{tmp_path}/p_objs_summary.yaml"
    assert yaml.safe_load(Path(objects).read_text()) == {
        "s2": {"plot": {"path": "p.png", "title": "T"}}
    }
    assert (tmp_path / "p_stats_summary.types.json").is_file()


def test_summaries_of_a_project_and_in_another_folder(psm: PipestatManager, tmp_path: Path) -> None:
    project = PipestatManager(
        results_file_path=tmp_path / "r.yaml",
        schema_path=tmp_path / "schema.yaml",
        pipeline_type="project",
    )
    project.report({"total": 3})
    stats, objects = project.table(tmp_path / "new")
    assert Path(stats).read_text() == (
        "Sample Index\tRecord Identifier\tPipeline Type\ttotal\n1\tproject\tproject\t3\n"
    )
    assert stats == f"{tmp_path}/new/p_stats_summary.tsv"
    assert yaml.safe_load(Path(objects).read_text()) == {}


def test_where_output_goes(tmp_path: Path) -> None:
    each = PipestatManager(results_file_path=tmp_path / "out" / "{record_identifier}" / "r.yaml")
    assert each.output_folder() == f"{tmp_path}/out"
    each.output_dir = tmp_path / "set"
    assert each.output_folder() == f"{tmp_path}/set"
    assert each.output_folder("given") == "given"
    config = {"backend": "memory", "output_dir": str(tmp_path / "configured")}
    assert PipestatManager(config_dict=config).output_folder() == f"{tmp_path}/configured"


class Sample:
    sample_name = "s9"


def test_the_report(psm: PipestatManager, tmp_path: Path) -> None:
    path = psm.summarize(["s1", Sample(), {"sample_name": "s8"}], amendment="hg38")
    assert path == f"{tmp_path}/p_hg38_report.html"
    text = Path(path).read_text("utf-8")
    assert "<h2>Not reported</h2>\n<p>s8, s9</p>" in text
    assert psm.summarize(portable=True, output_dir=tmp_path / "z", mode="gallery") == (
        f"{tmp_path}/z/p_report.zip"
    )
    with pytest.raises(PipestatSummarizeError, match="3 is no sample"):
        psm.summarize([3])
    with pytest.raises(PipestatSummarizeError, match="mode"):
        psm.summarize(mode="list")


def test_pandas_types(psm: PipestatManager) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = psm.to_dataframe()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "status": "string",
        "n": "Int64",
        "rate": "Float64",
        "ok": "boolean",
        "name": "string",
        "plot": "object",
    }
    assert frame.loc["s1", "n"] == 0
    assert frame.loc["s1", "ok"] is False or not frame.loc["s1", "ok"]
    assert frame.loc["s1", "rate"] is pandas.NA
    assert frame.loc["s2", "plot"] == {"path": "p.png", "title": "T"}
    assert list(psm.to_dataframe("project").columns) == ["status", "total"]


def test_polars_types(psm: PipestatManager) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = psm.to_dataframe(engine="polars")
    assert frame.schema == {
        "record_identifier": polars.String,
        "status": polars.String,
        "n": polars.Int64,
        "rate": polars.Float64,
        "ok": polars.Boolean,
        "name": polars.String,
        "plot": polars.String,
    }
    assert frame["rate"].to_list() == [None, 1.0]
    assert frame["plot"].to_list() == [None, '{"path": "p.png", "title": "T"}']
    with pytest.raises(PipestatDependencyError, match="'pandas' or 'polars'"):
        psm.to_dataframe(engine="arrow")  # type: ignore[call-overload]


def test_notebooks_show_values_as_text(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="p")
    psm.report({"x": "<script>alert(1)</script>", "n": 3}, "<b>")
    for shown in (psm._repr_html_(), psm.select_records()._repr_html_()):  # type: ignore[attr-defined]
        assert "<script>" not in shown
        assert "<td>&lt;b&gt;</td>" in shown
        assert "<td>3</td>" in shown
        assert shown.endswith("<p>1 of 1 records</p>")
