"""Fixtures that any test may use, and the list of what a run left out."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.environments import (
    MissingPart,
    PythonEnvironment,
    clean_environment,
    looper_environment,
    node_yaml_folder,
    reference_environment,
)
from tests.forking import running
from tests.legs import add_left_out, leave_out, left_out, summary_lines
from tests.parsers import NodeParser, read_ruamel_12

pytest_plugins = ["tests.display", "tests.fast"]

# A busy machine is no defect: nothing is judged by how long it takes.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

_REQUIRE_ALL = os.environ.get("PIPESTAT_REQUIRE_ALL") == "1"
_FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
_SEED = os.environ.get("PIPESTAT_SEED", "0")


# Where files are in memory, and how much must be free there for those of the tests, in bytes.
_IN_MEMORY, _ENOUGH = Path("/dev/shm"), 8_000_000_000


def pytest_configure() -> None:
    """Heed interruption; keep temporary files in memory.

    A job in the background ignores interruption, and so would what tests start. Tests sync
    thousands of small files: on a disk that takes half of the time. TMPDIR says another place.
    """
    if (
        "TMPDIR" not in os.environ
        and _IN_MEMORY.is_dir()
        and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH
    ):
        folder = _IN_MEMORY / f"pipestat-tests-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        # A PostgreSQL server of root's runs as another user.
        folder.chmod(0o711)
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Make the tests, some ten thousand objects that all stay, without a search for cycles.

    The search takes half of the time, in each process of the tests, and finds next to nothing.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every process begin with files that have slow tests: the last one would run alone.

    One begins with all that looks into browsers, which each process starts for itself. Each
    process is given a part of the list, all as long; who has ended takes from the end of another's.
    """
    parts = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    browsers = {item.path for item in items if item.get_closest_marker("browser")} - slow
    begins: list[list[pytest.Item]] = [[] for _ in range(parts)]
    begins[0] = [item for item in items if item.path in browsers]
    for number, path in enumerate(sorted(slow), start=1):
        begins[number % parts] += [item for item in items if item.path == path]
    rest = [item for item in items if item.path not in slow | browsers]
    total, ordered = len(items), []
    for number, begin in enumerate(begins):
        end = total * (number + 1) // parts
        ordered += begin
        taken = max(end - len(ordered), 0)
        ordered += rest[:taken]
        del rest[:taken]
    items[:] = ordered + rest


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the caller's settings out: no PIPESTAT_ variables, another HOME, compiled modules."""
    for name in list(os.environ):
        if name.startswith("PIPESTAT_"):
            monkeypatch.delenv(name)
    if _REQUIRE_ALL:
        monkeypatch.setenv("PIPESTAT_REQUIRE_ALL", "1")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "home"))
    (tmp_path_factory.getbasetemp() / "home").mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def reference() -> PythonEnvironment:
    """The existing package pipestat 0.13.1 in an environment of its own."""
    try:
        return reference_environment()
    except MissingPart as missing:
        leave_out("reference", str(missing), "connect to a package index for 'pip install'")


@pytest.fixture(scope="session")
def looper() -> Iterator[PythonEnvironment]:
    """looper 2.1.1, pypiper and pipestat 0.13.1 with this project in one environment.

    `looper` runs in forks there, and so it does through the drop-in: a start takes a second.
    """
    try:
        environment = looper_environment()
    except MissingPart as missing:
        leave_out("looper", str(missing), "connect to a package index for 'pip install'")
    settings: Any = {
        "python": environment.python,
        "environment": clean_environment(),
        # looper keeps the folder in which it was imported; the drop-in decides what pipestat is.
        "anew": ["looper", "pipestat"],
    }
    through = ("python", "-m", "pipestat_spec.compat", "looper")
    with (
        running(str(environment.command("looper")), [], **settings) as plain,
        running("pipestat_spec.compat.__main__", [], **settings) as drop_in,
    ):
        forks = {("looper",): plain, through: [*drop_in, "looper"]}
        forks[(*through[:-1], "--debug", "looper")] = [*drop_in, "--debug", "looper"]
        yield replace(environment, forks=forks)


@pytest.fixture(scope="session")
def node_yaml() -> NodeParser:
    """A parser of YAML 1.2 that is not ours: the npm package `yaml`."""
    try:
        return NodeParser(node_yaml_folder())
    except MissingPart as missing:
        leave_out("node", str(missing), "apt-get install nodejs npm")


@pytest.fixture(scope="session")
def ruamel12() -> Callable[[Path], Any]:
    """A parser of YAML 1.2 that is not ours: ruamel.yaml; answers in tagged form."""
    return read_ruamel_12


Trials = Callable[[int, int], Iterator[random.Random]]


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Trials:
    """`trials(full, ci)` yields one seeded random source for each trial.

    PIPESTAT_TRIALS=full runs the full number; PIPESTAT_SEED chooses other random numbers.
    """

    def sources(full: int, ci: int) -> Iterator[random.Random]:
        for number in range(full if _FULL else ci):
            yield random.Random(f"{_SEED}:{request.node.nodeid}:{number}")

    return sources


@pytest.fixture
def schema_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write an output schema and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "schema" / "output_schema.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With PIPESTAT_REQUIRE_ALL=1 a skipped test, for whatever reason, is a failed one."""
    report = yield
    if _REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and every test is required: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist tell what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = left_out()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist left out."""
    add_left_out(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the legs that were left out, each with what it needs."""
    lines = summary_lines()
    if lines:
        terminalreporter.section("left out")
        for line in lines:
            terminalreporter.write_line(line)
