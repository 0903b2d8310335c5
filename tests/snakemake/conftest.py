"""Snakemake in an environment of its own, and an empty place for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import (
    MissingPart,
    PythonEnvironment,
    clean_environment,
    snakemake_environment,
)
from tests.forking import running
from tests.legs import leave_out
from tests.snakemake.places import Place
from tests.sql.servers import PostgresServer, wheel_programs


@pytest.fixture(scope="session")
def snakemake() -> PythonEnvironment:
    """Snakemake 9 with this project and its plugin."""
    try:
        return snakemake_environment()
    except MissingPart as missing:
        leave_out("snakemake", str(missing), "connect to a package index for 'pip install'")


@pytest.fixture(scope="session")
def fork(snakemake: PythonEnvironment) -> Iterator[list[str]]:
    """The command that runs Snakemake in a fork: its imports take a second each time."""
    modules = ["snakemake.cli", "snakemake_logger_plugin_pipestat"]
    environment = clean_environment()
    with running(
        "snakemake.__main__", modules, python=snakemake.python, environment=environment
    ) as command:
        yield command


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(wheel_programs(), "--no-locale")
    yield server
    server.stop()


@pytest.fixture
def place(snakemake: PythonEnvironment, fork: list[str], tmp_path: Path) -> Place:
    """An empty folder with a YAML store."""
    return Place(tmp_path / "work", snakemake, fork)


@pytest.fixture(params=["yaml", "postgresql"])
def any_place(
    request: pytest.FixtureRequest, snakemake: PythonEnvironment, fork: list[str], tmp_path: Path
) -> Place:
    """An empty folder with a store of each kind in turn.

    It is for what a store could get wrong; what decides before it has `place`.
    """
    if request.param == "yaml":
        return Place(tmp_path / "work", snakemake, fork)
    server: PostgresServer = request.getfixturevalue("postgres")
    return Place(tmp_path / "work", snakemake, fork, server, server.new_name("workflow"))
