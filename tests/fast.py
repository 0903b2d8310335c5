"""Which tests are fast, for `pytest --fast`: those that start nothing.

Nobody keeps a list. A file of tests is left out when it imports something that starts programs or
servers: itself, through a module of tests/, or through a conftest of its folder. Of the other
files a test is left out that is marked `slow`, and one with a fixture that can leave a leg out.
"""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.repository import REPOSITORY

TESTS = REPOSITORY / "tests"
# What starts programs, servers and browsers, or judges programs that it starts.
STARTERS = (
    *("subprocess", "multiprocessing", "http.server", "uvicorn", "moto", "selenium"),
    *("pipestat_conformance.drivers", "pipestat_conformance.run"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="only tests that start nothing")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that start something."""
    if not config.getoption("--fast") or not collection_path.match("test_*.py"):
        return None
    return starts_something(collection_path) or None


def left_out_files() -> list[Path]:
    """Return all files of tests that start something."""
    return [path for path in sorted(TESTS.rglob("test_*.py")) if starts_something(path)]


def starts_something(path: Path) -> bool:
    """Tell whether a file of tests imports, in the end, what starts something.

    The conftest of all tests does, in fixtures: who asks for these is another question.
    """
    conftests = [folder / "conftest.py" for folder in path.parents if TESTS in folder.parents]
    seen: set[Path] = set()
    ahead = [path, *filter(Path.exists, conftests)]
    while ahead:
        file = ahead.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in _imported(file):
            if any(name == starter or name.startswith(f"{starter}.") for starter in STARTERS):
                return True
            module = REPOSITORY.joinpath(*name.split(".")).with_suffix(".py")
            if TESTS in module.parents and module.exists():
                ahead.append(module)
    return False


@cache
def _imported(file: Path) -> frozenset[str]:
    """Return the names that a file imports anywhere, `from a import b` as `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return frozenset(names)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests of fast files that are slow, or have something from outside."""
    if config.getoption("--fast"):
        slow = [item for item in items if is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def is_slow(item: pytest.Item) -> bool:
    """Tell whether a test is marked so, or has a fixture that can leave a leg out."""
    if item.get_closest_marker("slow"):
        return True
    info: Any = getattr(item, "_fixtureinfo", None)
    definitions = info.name2fixturedefs.values() if info else ()
    functions = [definition.func for found in definitions for definition in found]
    return any("leave_out" in function.__code__.co_names for function in functions)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what a fast run left out."""
    if not config.getoption("--fast"):
        return
    found = Counter(path.parent.relative_to(REPOSITORY) for path in left_out_files())
    folders = ", ".join(f"{folder} {number}" for folder, number in sorted(found.items()))
    text = f"{found.total()} files that start programs or servers (`make test` runs all): {folders}"
    terminalreporter.section("left out of the fast tests")
    for line in textwrap.wrap(text, 79, break_on_hyphens=False):
        terminalreporter.write_line(line)
