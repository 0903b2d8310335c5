"""`PipestatManager.from_snakemake`, with an object such as Snakemake hands to a script."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.engines.record_expression import parse_record_expression
from pipestat_spec.errors import InvalidIdentifierError, MissingConfigDataError


class Named(dict[str, Any]):
    """Items that are attributes too, as Snakemake's own lists with names."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def job(**given: Any) -> SimpleNamespace:
    """Return what a script sees of its job."""
    seen = {"wildcards": {"sample": "s1"}, "params": {}, "config": {}, "resources": {}, **given}
    return SimpleNamespace(rule="count", **{name: Named(value) for name, value in seen.items()})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pipestat.yaml"
    path.write_text("results_file_path: results.yaml\npipeline_name: demo\n")
    return path


def test_results_keep_rule_and_attempt(config: Path) -> None:
    seen = job(params={"pipestat": str(config)}, resources={"attempt": 2})
    with PipestatManager.from_snakemake(seen) as psm:
        psm.report({"reads": 12})
        psm.report_many({"s2": {"reads": 13}})
        with psm.record("s3"):
            pass
        psm.report({"reads": 14}, "s4", source={"engine": "by hand"})
    stored = yaml.safe_load((config.parent / "results.yaml").read_text())["demo"]
    source = {"engine": "snakemake", "rule": "count", "attempt": 2}
    assert [stored[name]["meta"]["source"] for name in ("s1", "s2", "s3")] == [source] * 3
    assert stored["s4"]["meta"]["source"] == {"engine": "by hand"}
    assert stored["s1"]["reads"] == 12


def test_where_the_configuration_comes_from(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def file(seen: Any, **settings: Any) -> str:
        with PipestatManager.from_snakemake(seen, **settings) as psm:
            return Path(str(psm.file)).name

    mapping = {"results_file_path": str(tmp_path / "mapping.yaml")}
    assert file(job(config={"pipestat": str(config)})) == "results.yaml"
    assert file(job(config={"pipestat": str(config)}, params={"pipestat": mapping})) == (
        "mapping.yaml"
    )
    given = str(tmp_path / "given.yaml")
    assert file(job(config={"pipestat": str(config)}), results_file_path=given) == "given.yaml"
    monkeypatch.setenv("PIPESTAT_CONFIG", str(config))
    assert file(job()) == "results.yaml"
    with pytest.raises(MissingConfigDataError, match="is no configuration"):
        file(job(config={"pipestat": 3}))


def test_which_record_a_job_is_about(config: Path) -> None:
    def record(wildcards: dict[str, str], expression: str | None = None, **more: Any) -> Any:
        seen = job(wildcards=wildcards, config={"pipestat": str(config)})
        with PipestatManager.from_snakemake(seen, expression, **more) as psm:
            return psm.record_identifier

    assert record({"sample": "s1", "lane": "L2"}) == "s1"
    assert record({"sample": "s1", "lane": "L2"}, "{sample}-{lane}") == "s1-L2"
    assert record({"sample": "s1"}, record_identifier="other") == "other"
    assert record({"lane": "L2"}) is None
    assert record({"sample": "s1"}, pipeline_type="project", project_name="p") == "p"
    with pytest.raises(MissingConfigDataError, match="its wildcards are sample"):
        record({"sample": "s1"}, "{patient}")


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("{sample}", {"sample": "s1"}, "s1"),
        ("{a}/{b}", {"a": "x", "b": "y", "c": "z"}, "x/y"),
        ("{{{a}}}", {"a": "x"}, "{x}"),
        ("run {a}!", {"a": 7}, "run 7!"),
        ("{a}{b}", {"a": "x"}, None),
    ],
)
def test_an_expression_is_filled(text: str, values: dict[str, Any], filled: str | None) -> None:
    assert parse_record_expression(text).fill(values) == filled


@pytest.mark.parametrize(
    "text", ["", "all", "{", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>3}", "{0}"]
)
def test_an_expression_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MissingConfigDataError, match="record expression"):
        parse_record_expression(text)


def test_what_cannot_name_a_record_is_refused() -> None:
    with pytest.raises(InvalidIdentifierError, match="control character"):
        parse_record_expression("{a}").fill({"a": "x\ny"})
