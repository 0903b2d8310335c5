"""Databases by their address; reading tables that are not there is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from tests.cli.test_missing_stores import ALL, READING, reading
from tests.sql.servers import PostgresServer

Refused = Callable[..., str]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refused:
    """`refused("select", ...)` runs a command that must fail, and returns what it says."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> str:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        assert (code, out, err.count("\n")) == (1, "", 1), f"{arguments}: {code}\n{out}{err}"
        return err

    return call


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    """The address of a new database of the server."""
    return postgres.url(postgres.new_database())


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_a_database_without_tables(refused: Refused, address: str, command: list[str]) -> None:
    err = refused(*reading(command, address))
    assert err.startswith("error: there are no results at postgresql")
    assert err.endswith("; nothing was reported there yet\n")


@pytest.mark.parametrize("command", READING[:-1], ids=" ".join)
def test_a_namespace(refused: Refused, address: str, command: list[str]) -> None:
    with PipestatManager(results_file_path=address, pipeline_name="rnaseq") as psm:
        psm.report({"reads": 1}, "s1")
    err = refused(*reading(command, address), "--pipeline-name", "rnasq")
    assert err.endswith(" holds no namespace 'rnasq'; did you mean 'rnaseq'?\n")


def test_a_database_that_is_not_there(refused: Refused, postgres: PostgresServer) -> None:
    assert "no_such_database" in refused("select", "-f", postgres.url("no_such_database"))


def test_a_whole_way(
    refused: Refused, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (
        ["report", "-f", address, "--pipeline-name", "rnaseq", "-r", "s1", "reads:=1"],
        ["convert", address, "copy.yaml"],
        ["convert", "copy.yaml", "copy.db"],
        ["convert", "copy.db", address],
        ["inspect", "-f", address],
        ["infer-schema", "-f", address],
    ):
        assert main(command) == 0, command
    out, err = capsys.readouterr()
    assert "1 there already" in err.splitlines()[-1]
    assert "location: postgresql" in out
    (tmp_path / "pipestat.yaml").write_text(f"results_file_path: {address}\n")
    assert main(["retrieve", "-r", "s1", "-i", "reads"]) == 0
    assert capsys.readouterr().out == "1\n"
