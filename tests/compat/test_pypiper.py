"""pypiper's way of use: the same pipeline on the drop-in and on pipestat 0.13.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.compat.programs import OURS, drop_in, flags, run, stored
from tests.environments import PythonEnvironment

SCHEMA = """
title: Counts
type: object
properties:
  pipeline_name: count
  samples:
    type: array
    items:
      type: object
      properties:
        lines: {type: integer, description: lines}
        plot:
          type: object
          object_type: image
          description: plot
          properties:
            path: {type: string}
            title: {type: string}
            thumbnail_path: {type: string}
          required: [path, title]
  project:
    type: object
    properties:
      total: {type: integer, description: sum}
"""
# What pypiper does with a manager, one thing after the other. Arguments: configuration, folder.
STEPS = """
import glob, os, sys
from importlib.metadata import version
import yaml
from pipestat import PipestatError, PipestatManager

config, folder = sys.argv[1:]
assert version("pipestat").startswith("0.13.1")
psm = PipestatManager.from_config(config=config, pipeline_type="sample", multi_pipelines=False)
psm.record_identifier = "frog"
psm.result_formatter = lambda pipeline_name, record_identifier, res_id, value: f"{res_id}: {value}"
file = psm.file
for line in psm.__str__().split("\\n"):
    pass
told = []

def read():
    data = yaml.safe_load(open(file))
    return data[psm.pipeline_name][psm.pipeline_type][psm.record_identifier]

def change(old, new):
    # The flag goes before the new status is set.
    path = os.path.join(folder, f"{psm.pipeline_name}_{psm.record_identifier}_{old}.flag")
    try:
        os.remove(path)
    except FileNotFoundError:
        told.append("no flag " + old)
    psm.set_status(record_identifier=psm.record_identifier, status_identifier=new)

assert os.path.isfile(file)
try:
    read()
except KeyError:
    told.append("nothing yet")
change("initializing", "running")
told += psm.report(values={"lines": 2}, record_identifier="frog",
                   result_formatter=psm.result_formatter, force_overwrite=True)
told.append(read()["lines"])
change("running", "waiting")
change("waiting", "running")
told.append(psm.get_status(psm.record_identifier) == "completed")
psm.set_status(record_identifier=psm.record_identifier, status_identifier="completed")
told += psm.report(values={"lines": 3}, record_identifier="frog")
told.append(psm.report(values={"lines": 4}, record_identifier="frog", force_overwrite=False))
told.append(read()["lines"])
told.append(psm.get_status("frog"))
told.append(sorted(os.path.basename(path) for path in glob.glob(folder + "/*.flag")))
print(told)
"""
TOLD = [
    "nothing yet",
    "no flag initializing",
    "lines: 2",
    2,
    False,
    "lines: 3",
    False,
    3,
    "completed",
    ["count_frog_completed.flag"],
]

# A pipeline of pypiper's. Arguments: the folder, and what else the manager is given.
PIPELINE = """
import json, os, sys
import pypiper

folder, settings = sys.argv[1], json.loads(sys.argv[2])
pm = pypiper.PipelineManager(name="count", outfolder=folder, **settings)
lines = os.path.join(folder, "lines.txt")
pm.run("printf 'a\\\\nb\\\\n' > " + lines, target=lines)
pm.report_result("lines", 2)
pm.pipestat.report(values={"plot": {"path": "plot.png", "title": "Plot"}},
                   record_identifier="frog")
pm.stats_dict.clear()
assert pm.get_stat("lines") == 2
if "fail" in sys.argv:
    pm.run("exit 3")
pm.stop_pipeline()
"""
PLOT = {"path": "plot.png", "title": "Plot"}


class Ran(NamedTuple):
    """What a run left behind."""

    code: int
    records: Any
    flags: Mapping[str, str]
    log: str


def pypiper(
    looper: PythonEnvironment, folder: Path, settings: str, *more: str, through: bool, code: int = 0
) -> Ran:
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "schema.yaml").write_text(SCHEMA)
    (folder / "config.yaml").write_text(
        "pipeline_name: count\nschema_path: schema.yaml\nresults_file_path: out/stats.yaml\n"
    )
    command = ("pipeline.py", "out/", settings, *more)
    if through:
        drop_in(looper, *command, cwd=folder, code=code)
    else:
        run(looper, "python", *command, cwd=folder, code=code)
    file = folder / "out" / "stats.yaml"
    log = (folder / "out" / "count_log.md").read_text()
    return Ran(code, stored(file), flags(folder / "out"), log)


def timeless(records: Any) -> Any:
    """Return the records with a mark in place of pypiper's own times, which have to be there."""
    for record in records["count"]["sample"].values():
        for name, pattern in (("Time", r"\d:\d\d:\d\d"), ("Success", r"\d\d-\d\d-\d\d:\d\d:\d\d")):
            if name in record:
                assert re.fullmatch(pattern, record[name])
                record[name] = "TIME"
    return records


def test_the_steps_of_pypiper(looper: PythonEnvironment, tmp_path: Path) -> None:
    said = {}
    for name in ("pipestat", "drop-in"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "steps.py").write_text(STEPS)
        (folder / "schema.yaml").write_text(SCHEMA)
        config = {"pipeline_name": "count", "results_file_path": "stats.yaml"}
        config["schema_path"] = "schema.yaml"
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        steps = ("steps.py", folder / "config.yaml", folder)
        if name == "pipestat":
            done = run(looper, "python", *steps, cwd=folder)
        else:
            done = drop_in(OURS, *steps, cwd=folder)
        said[name] = done.stdout.splitlines()[-1]
    assert said == {"pipestat": str(TOLD), "drop-in": str(TOLD)}


@pytest.mark.parametrize(
    "settings",
    [
        '{"pipestat_record_identifier": "frog"}',
        '{"pipestat_record_identifier": "frog", "pipestat_schema": "schema.yaml", '
        '"pipestat_results_file": "out/stats.yaml"}',
        '{"pipestat_record_identifier": "frog", "pipestat_config": "config.yaml"}',
    ],
    ids=["plain", "schema", "config"],
)
def test_a_pipeline_of_pypiper(looper: PythonEnvironment, tmp_path: Path, settings: str) -> None:
    for name in ("pipestat", "drop-in"):
        (tmp_path / name).mkdir()
        ran = pypiper(looper, tmp_path / name, settings, through=name == "drop-in")
        assert timeless(ran.records) == {
            "count": {
                "project": {},
                "sample": {"frog": {"lines": 2, "plot": PLOT, "Time": "TIME", "Success": "TIME"}},
            }
        }
        assert ran.flags == {"count_frog_completed.flag": "completed"}
        # What pypiper's own formatter made of the report.
        assert "> `lines`\t2\t_RES_" in ran.log.splitlines()


def test_a_pipeline_of_pypiper_that_fails(looper: PythonEnvironment, tmp_path: Path) -> None:
    settings = '{"pipestat_record_identifier": "frog"}'
    for name in ("pipestat", "drop-in"):
        (tmp_path / name).mkdir()
        ran = pypiper(looper, tmp_path / name, settings, "fail", through=name == "drop-in", code=1)
        assert ran.flags == {"count_frog_failed.flag": "failed"}
        assert ran.records["count"]["sample"] == {"frog": {"lines": 2, "plot": PLOT}}
