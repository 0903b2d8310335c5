"""Running commands in this process, in a folder with an output schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec.cli import main
from tests.cli.runs import SCHEMA, Done, Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with `schema.yaml` in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("report", "x=1", code=0)`; without `code` any exit code will do."""

    def call(*arguments: str, code: int | None = 0) -> Done:
        capsys.readouterr()
        got = main(arguments)
        out, err = capsys.readouterr()
        assert code is None or got == code, f"{arguments}: {got}\n{out}{err}"
        if got:
            assert err.count("error: ") == 1
            assert err.splitlines()[-1].startswith("error: ")
        return Done(got, out, err)

    return call


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A results file and the schema, named by the environment."""
    monkeypatch.setenv("PIPESTAT_RESULTS_FILE", str(folder / "results.yaml"))
    monkeypatch.setenv("PIPESTAT_RESULTS_SCHEMA", str(folder / "schema.yaml"))
    return folder / "results.yaml"
