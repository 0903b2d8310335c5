"""Small looper projects, written into a folder."""

from __future__ import annotations

from pathlib import Path

OUTPUT_SCHEMA = """\
title: Output of {name}
type: object
properties:
  pipeline_name: {name}
  samples:
    type: array
    items:
      type: object
      properties:
        number_of_lines: {{type: integer, description: Number of lines}}
"""
SAMPLE_INTERFACE = """\
pipeline_name: {name}
output_schema: pipeline_pipestat/pipestat_output_schema.yaml
sample_interface:
  command_template: >
    true {{sample.sample_name}} {{pipestat.config_file}}
"""
# The store of each of the four configurations that looper's pages show.
STORES = {
    "file": """\
  project_name: TEST_PROJECT_NAME
  results_file_path: tmp_pipestat_results.yaml
  flag_file_dir: output/results_pipeline
""",
    "postgresql": """\
  flag_file_dir: output/results_pipeline
  database:
    dialect: postgresql
    driver: psycopg2
    name: pipestat-test
    user: postgres
    password: pipestat-password
    host: 127.0.0.1
    port: 5432
""",
    "sqlite": """\
  flag_file_dir: output/results_pipeline
  database:
    sqlite_url: "sqlite:///yourdatabase.sqlite3"
""",
    "pephub": """\
  flag_file_dir: output/results_pipeline
  pephub_path: "databio/pipestat_demo:default"
""",
}


def write_looper_config(
    folder: Path, store: str, interfaces: tuple[str, ...] = ("pipeline_interface.yaml",)
) -> Path:
    """Write `.looper.yaml` with a `pipestat` section, indented, and return its path."""
    listed = "".join(f"  - {name}\n" for name in interfaces)
    path = folder / ".looper.yaml"
    path.write_text(
        "pep_config: project_config_pipestat.yaml\n"
        "output_dir: results\n"
        f"pipeline_interfaces:\n{listed}"
        f"pipestat:\n{store}"
    )
    return path


def write_project(folder: Path, store: str, name: str = "example_pipestat_pipeline") -> Path:
    """Write a project of two samples and one sample pipeline; return looper's configuration."""
    schema = folder / "pipeline_pipestat" / "pipestat_output_schema.yaml"
    schema.parent.mkdir(parents=True)
    schema.write_text(OUTPUT_SCHEMA.format(name=name))
    (folder / "pipeline_interface.yaml").write_text(SAMPLE_INTERFACE.format(name=name))
    (folder / "project_config_pipestat.yaml").write_text(
        "pep_version: 2.0.0\nsample_table: samples.csv\n"
    )
    (folder / "samples.csv").write_text("sample_name,file\nfrog_1,a.txt\nfrog_2,b.txt\n")
    return write_looper_config(folder, store)
