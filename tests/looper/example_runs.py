"""Runs of examples/looper in copies of its folder, and what they leave behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.environments import PythonEnvironment

EXAMPLES = Path(__file__).parents[2] / "examples"
RESULTS = Path("output", "results")
_TIMES = {
    *("created", "modified", "pipestat_created_time", "pipestat_modified_time", "status_time")
}
# A row of looper's tables: what stands between their lines, whichever way they are drawn.
_ROW = re.compile(r"^\s*[│|]\s*(?P<first>.+?)\s*[│|]\s*(?P<second>.+?)\s*[│|]\s*$")
_TITLE = re.compile(r"^\s*Pipeline: '(?P<name>.+)'\s*$")

Facts = dict[tuple[str, ...], Any]


@dataclass(frozen=True)
class Example:
    """A copy of the example, and the looper that runs it: on pipestat, or through the drop-in."""

    folder: Path
    environment: PythonEnvironment
    drop_in: bool

    @property
    def programs(self) -> Path:
        """The folder of programs that go before the environment's."""
        return self.folder.parent / "bin"

    def looper(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = ["python", "-m", "pipestat_spec.compat"] if self.drop_in else []
        return self.run(*command, "looper", *arguments, cwd=cwd)

    def run(
        self, *command: str, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        first = (self.programs, self.environment.folder / "bin")
        path = os.pathsep.join([*map(str, first), os.environ["PATH"]])
        settings = {"PATH": path, "COLUMNS": "200", "LC_ALL": "C.UTF-8"}
        folder = cwd or self.folder
        return self.environment.run(*command, cwd=folder, check=check, **settings)

    def statuses(self, *options: str) -> dict[str, dict[str, str]]:
        """Return what `looper check` says of each record, by pipeline."""
        printed = self.looper("check", "--itemized", *options).stdout
        found: dict[str, dict[str, str]] = {}
        rows: dict[str, str] = {}
        for line in printed.splitlines():
            if title := _TITLE.match(line):
                rows = found.setdefault(title["name"], {})
            elif found and (row := _ROW.match(line)):
                rows[row["first"]] = row["second"]
        return found

    def facts(self, *statuses: Mapping[str, Mapping[str, str]]) -> Facts:
        """Return what looper and the pipelines have written, times and this folder aside."""
        facts: Facts = {
            ("status", p, r): s for each in statuses for p in each for r, s in each[p].items()
        }
        for path in (self.folder / "output" / "flags").glob("*"):
            facts["flag", path.name] = path.read_text()
        for path in (self.folder / RESULTS).glob("pipestat_config_*.yaml"):
            config = self.read(path)
            config.pop("layout", None)
            facts["config", path.name] = config
        for path in (self.folder / RESULTS).glob("*/*.yaml"):
            for pipeline, levels in self.read(path).items():
                for level, records in levels.items():
                    for name, results in records.items():
                        facts["record", pipeline, level, name] = without_times(results)
        return facts

    def read(self, path: Path) -> dict[str, Any]:
        """Parse a YAML file with another parser; paths in this copy are those in another one."""
        text = path.read_text("utf-8").replace(str(self.folder), "FOLDER").replace("/./", "/")
        document = yaml.safe_load(text)
        assert isinstance(document, dict), text
        return document


def without_times(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's results, the times in `meta` checked and taken away.

    So is the status, which looper and the flags tell.
    """
    meta = dict(results["meta"])
    meta.pop("status", None)
    for name in _TIMES & meta.keys():
        assert re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", meta.pop(name)), name
    meta.pop("history_times", None)
    for name, entries in meta.get("history", {}).items():
        meta["history"][name] = list(entries.values())
    rest = {name: value for name, value in results.items() if name != "meta"}
    return rest | ({"meta": meta} if meta else {})


def copy_example(parent: Path, environment: PythonEnvironment, drop_in: bool) -> Example:
    """Copy the example, the reads that it takes from the quickstart, and nothing generated."""
    ignored = shutil.ignore_patterns("output", "__pycache__")
    shutil.copytree(EXAMPLES / "quickstart" / "data", parent / "quickstart" / "data")
    shutil.copytree(EXAMPLES / "looper", parent / "looper", ignore=ignored)
    return Example((parent / "looper").resolve(), environment, drop_in)


def write_program(path: Path, script: str) -> Path:
    """Write a program of the shell into a folder, which is new."""
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def fetch_reads(example: Example) -> None:
    """Do what the demo does first: the third transfer breaks off."""
    reads = example.folder / "output" / "reads"
    reads.mkdir(parents=True)
    for name in ("brain_1", "liver_1", "liver_2"):
        data = (example.folder.parent / "quickstart" / "data" / f"{name}.fastq.gz").read_bytes()
        (reads / f"{name}.fastq.gz").write_bytes(data[:20000] if name == "liver_2" else data)


def mend_reads(example: Example) -> None:
    name = "liver_2.fastq.gz"
    source = example.folder.parent / "quickstart" / "data" / name
    shutil.copy(source, example.folder / "output" / "reads" / name)


def walk(example: Example, before_destroy: Callable[[Example], object]) -> dict[str, Facts]:
    """Run, mend, rerun, runp, destroy; return the facts after each step."""
    after: dict[str, Facts] = {}
    fetch_reads(example)
    example.looper("run")
    after["run"] = example.facts(example.statuses())
    mend_reads(example)
    example.looper("rerun")
    after["rerun"] = example.facts()
    example.looper("runp")
    after["runp"] = example.facts(example.statuses("--project"))
    before_destroy(example)
    example.looper("destroy", "--force-yes")
    after["destroy"] = example.facts(example.statuses())
    return after


def differences(
    reference: Mapping[str, Facts], ours: Mapping[str, Facts]
) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """Return what differs, by step and fact: the reference's value and ours."""
    found: dict[tuple[str, ...], tuple[Any, Any]] = {}
    for step in reference:
        for name in sorted({*reference[step], *ours[step]}):
            values = reference[step].get(name), ours[step].get(name)
            if values[0] != values[1] or type(values[0]) is not type(values[1]):
                found[step, *name] = values
    return found
