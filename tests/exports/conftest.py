"""A store with every kind of value, among them those that are easily taken for one another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from tests.environments import (
    MissingPart,
    PythonEnvironment,
    frictionless_environment,
    multiqc_environment,
    rocrate_validator_environment,
)
from tests.legs import leave_out

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer}
  rate: {type: number}
  ok: {type: boolean}
  tags: {type: array}
  name: {type: string}
  note: {type: [string, "null"]}
  align: {type: object, properties: {rate: {type: number}, deep: {type: object}}}
  plot: {type: image}
project:
  total: {type: integer}
"""


@pytest.fixture
def psm(tmp_path: Path) -> PipestatManager:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    manager = PipestatManager(
        results_file_path=tmp_path / "results.yaml", schema_path=tmp_path / "schema.yaml"
    )
    manager.report(
        {
            "reads": 0,
            "rate": 2,
            "ok": False,
            "name": "",
            "note": None,
            "align": {"rate": 0.9, "deep": {"x": 1}},
        },
        "s1",
    )
    manager.report(
        {
            "reads": 12,
            "name": "NA",
            "tags": [1, "a"],
            "plot": {"path": "p.png", "title": "=T\t1"},
            "more": 2**60,
        },
        "s2",
    )
    manager.report({"name": "0", "note": "null", "align": {}, "more": "x\ny|<b>"}, "s3")
    manager.set_status("completed", "s1")
    return manager


def _environment(name: str, make: Callable[[], PythonEnvironment]) -> PythonEnvironment:
    try:
        return make()
    except MissingPart as missing:
        leave_out(name, str(missing), "connect to a package index for 'pip install'")


@pytest.fixture(scope="session")
def frictionless() -> PythonEnvironment:
    """Frictionless in an environment of its own."""
    return _environment("frictionless", frictionless_environment)


@pytest.fixture(scope="session")
def multiqc() -> PythonEnvironment:
    """MultiQC in an environment of its own."""
    return _environment("multiqc", multiqc_environment)


@pytest.fixture(scope="session")
def rocrate_validator() -> PythonEnvironment:
    """The validator of RO-Crates in an environment of its own."""
    return _environment("rocrate-validator", rocrate_validator_environment)
