"""A store with every kind of value, among them those that are easily taken for one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec import PipestatManager

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
