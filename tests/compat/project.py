"""A looper project of three samples: a pipeline over each, and one over the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SAMPLES = {"frog": 2, "toad": 3, "newt": 1}
COUNT_SCHEMA = """
title: Count
type: object
properties:
  pipeline_name: count
  samples:
    type: array
    items:
      type: object
      properties:
        lines: {type: integer, description: lines of the file}
"""
TOTAL_SCHEMA = """
title: Total
type: object
properties:
  pipeline_name: total
  project:
    type: object
    properties:
      total: {type: integer, description: sum of the lines}
"""
# It knows pipestat by name only; a file called `damaged` makes it fail.
COUNT = """
import sys
from pipestat import PipestatManager

path, name, config = sys.argv[1:]
psm = PipestatManager.from_config(config, pipeline_type="sample")
psm.record_identifier = name
psm.set_status("running", name)
text = open(path).read()
if "damaged" in text:
    psm.set_status("failed", name)
    sys.exit("damaged")
psm.report({"lines": len(text.splitlines())}, name)
psm.set_status("completed", name)
"""
TOTAL = """
import sys
from pipestat import PipestatManager

psm = PipestatManager.from_config(sys.argv[1], pipeline_type="project")
psm.report({"total": 6})
psm.set_status("completed")
"""


def write_project(folder: Path, **section: Any) -> Path:
    """Write the project with this `pipestat` section into a new folder; return the folder."""
    pipelines, data = folder / "pipelines", folder / "data"
    pipelines.mkdir(parents=True)
    data.mkdir()
    for name, lines in SAMPLES.items():
        (data / f"{name}.txt").write_text("line\n" * lines)
    table = "".join(f"{name},{data / name}.txt\n" for name in SAMPLES)
    (folder / "samples.csv").write_text("sample_name,file\n" + table)
    (folder / "pep.yaml").write_text("pep_version: 2.1.0\nsample_table: samples.csv\n")
    (pipelines / "count.yaml").write_text(
        _interface("count", "sample", "{sample.file} {sample.sample_name} {pipestat.config_file}")
    )
    (pipelines / "total.yaml").write_text(_interface("total", "project", "{pipestat.config_file}"))
    texts = {"count.py": COUNT, "total.py": TOTAL}
    texts |= {"count_schema.yaml": COUNT_SCHEMA, "total_schema.yaml": TOTAL_SCHEMA}
    for name, text in texts.items():
        (pipelines / name).write_text(text)
    write_section(folder, **section)
    return folder


def write_section(folder: Path, **section: Any) -> None:
    """Write looper's configuration with this `pipestat` section."""
    looper = {
        "pep_config": "pep.yaml",
        "output_dir": "output",
        "pipeline_interfaces": ["pipelines/count.yaml", "pipelines/total.yaml"],
        "pipestat": section,
    }
    (folder / ".looper.yaml").write_text(yaml.safe_dump(looper))


def _interface(name: str, level: str, arguments: str) -> str:
    command = f"python {{looper.piface_dir}}/{name}.py {arguments}"
    return yaml.safe_dump(
        {
            "pipeline_name": name,
            "output_schema": f"{name}_schema.yaml",
            f"{level}_interface": {"command_template": command},
        }
    )
