"""Where a workflow runs and where its records are stored, read past this project's code."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from tests import patience
from tests.environments import PythonEnvironment, clean_environment
from tests.sql.servers import PostgresServer

# `sh emit.sh s1` prints a report document of one result; a second argument says another thing.
_EMIT = """[ $# -gt 1 ] || set -- "$1" '"results": {"n": 1}'
printf '{"pipestat_report": "1.0", "record_identifier": "%s", %s}\\n' "$1" "$2"
"""
_STATUSES = ("running", "completed", "failed", "waiting", "partial")


@dataclass(frozen=True)
class Stored:
    """One record as the store holds it."""

    status: str | None
    results: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def job(self) -> tuple[Any, Any]:
        """The rule and the attempt that decided the status."""
        return self.source.get("rule"), self.source.get("attempt")


@dataclass
class Place:
    """A folder with a workflow in it, and a store: a YAML file, or a schema of PostgreSQL."""

    folder: Path
    environment: PythonEnvironment
    # The command that runs Snakemake: a fork of a process that has imported it.
    fork: list[str]
    server: PostgresServer | None = None
    schema: str = ""

    def write(self, **files: str) -> None:
        """Write the workflow, the configuration of its store, and `emit.sh`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "emit.sh").write_text(_EMIT)
        store: dict[str, Any] = {"results_file_path": "store/results.yaml"}
        if self.server is not None:
            store = {"backend": "sql", "sql": {"url": self.server.url(), "schema": self.schema}}
        config = {**store, "pipeline_name": "demo"}
        (self.folder / "pipestat.yaml").write_text(yaml.safe_dump(config))
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    @property
    def program(self) -> str:
        return str(self.environment.command("snakemake"))

    def arguments(self, *more: str) -> list[str]:
        ours = ["--logger", "pipestat", "--logger-pipestat-config", "pipestat.yaml"]
        return [*ours, "--cores", "4", "--latency-wait", "0", *more]

    def variables(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(self.environment.folder / "bin"), os.environ["PATH"]])
        return clean_environment(PATH=path, **more)

    def run(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run Snakemake to its end; return what it said. `code` is its exit code."""
        # A fork has the path of its parent.
        program = [self.program] if "PYTHONPATH" in variables else self.fork
        done = subprocess.run(
            [*program, *self.arguments(*arguments)],
            cwd=self.folder,
            env=self.variables(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience.SECONDS,
        )
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout or code, done.stdout
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Snakemake itself, in a process group of its own: to send it signals."""
        return subprocess.Popen(
            [self.program, *self.arguments(*arguments)],
            cwd=self.folder,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    # The store

    def records(self, level: str = "sample") -> dict[str, Stored]:
        """Return all records of a level; a database has those of samples only."""
        return self._rows("demo") if self.server is not None else self._file(level)

    def statuses(self) -> dict[str, str | None]:
        return {name: record.status for name, record in self.records().items()}

    def is_empty(self) -> bool:
        """Tell whether nothing at all was written to the store."""
        if self.server is None:
            return not (self.folder / "store").exists()
        with self.server.connect() as connection:
            found = connection.execute(
                "select count(*) from pg_tables where schemaname = %s", (self.schema,)
            )
            return found.fetchone() == (0,)

    def clear(self) -> None:
        """Lose the store."""
        if self.server is None:
            shutil.rmtree(self.folder / "store")
        else:
            with self.server.connect() as connection:
                connection.execute(f'drop schema "{self.schema}" cascade')

    def _file(self, level: str) -> dict[str, Stored]:
        file = self.folder / "store" / "results.yaml"
        if not file.exists():
            return {}
        flags: dict[str, str] = {}
        for path in file.parent.glob("demo_*.flag"):
            name, _, status = path.stem.removeprefix("demo_").rpartition("_")
            name = unquote(name)
            assert name not in flags, f"two flags of {name}"
            assert status in _STATUSES
            flags[name] = status
        records = yaml.safe_load(file.read_text("utf-8"))["demo"]
        if set(records) == {"project", "sample"}:
            records = records[level]
        return {name: _stored(flags.get(name), content) for name, content in records.items()}

    def _rows(self, table: str) -> dict[str, Stored]:
        assert self.server is not None
        with self.server.connect() as connection:
            connection.execute(f'set search_path to "{self.schema}"')
            if connection.execute("select to_regclass(%s)", (table,)).fetchone() == (None,):
                return {}
            rows = connection.execute(
                f"select record_identifier, status, pipestat_extended_data, meta from {table}"
            )
            return {
                name: _stored(status, {**(extended or {}), "meta": meta or {}})
                for name, status, extended, meta in rows
            }


def _stored(status: str | None, content: Mapping[str, Any]) -> Stored:
    results = dict(content)
    meta = results.pop("meta", {})
    return Stored(status, results, meta.get("status_message"), meta.get("source", {}))


def kill_group(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started with SIGKILL."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=patience.SECONDS)
