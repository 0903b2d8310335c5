"""The configuration is the one that looper writes, for the four stores of looper's pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.engines.looper import looper_configs, write_config
from tests.environments import PythonEnvironment
from tests.looper.projects import STORES, write_project

NAME = "example_pipestat_pipeline"
STORES_AND_MORE = {
    **STORES,
    "file for each record": "  results_file_path: '{record_identifier}/stats.yaml'\n",
    "absolute paths": "  results_file_path: /srv/r.yaml\n  flag_file_dir: /srv/flags\n",
    "keys of its own": "  results_file_path: r.yaml\n  output_dir: x\n  pipeline_type: sample\n",
}


def normalised(path: Path) -> dict[str, Any]:
    settings = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(settings, dict)
    for key in ("output_dir", "schema_path", "results_file_path", "flag_file_dir"):
        if key in settings:
            settings[key] = str(Path(settings[key]))
    return settings


@pytest.mark.parametrize("store", STORES_AND_MORE)
def test_looper_writes_the_same(tmp_path: Path, looper: PythonEnvironment, store: str) -> None:
    text = STORES_AND_MORE[store]
    if store == "absolute paths":
        text = text.replace("/srv", str(tmp_path))
    path = write_project(tmp_path / "project", text)
    written = tmp_path / "project" / "results" / f"pipestat_config_{NAME}.yaml"
    # Whether pipestat then reaches the store is not looper's affair: no server is there.
    looper.run("looper", "run", "--dry-run", cwd=path.parent, check=False)
    theirs = normalised(written)
    shutil.rmtree(written.parent)
    (config,) = looper_configs(path)
    write_config(config)
    ours = normalised(written)
    assert ours.pop("layout") == "levels"
    assert ours == theirs
    assert theirs["pipeline_name"] == NAME
