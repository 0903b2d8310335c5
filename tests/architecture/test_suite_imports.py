"""The conformance suite's imports: downward only, and nothing of what checks the suite itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.architecture.import_graph import circle, edges, imported, modules
from tests.repository import REPOSITORY

SUITE = REPOSITORY / "conformance_tests" / "pipestat_conformance"
SELFCHECK = REPOSITORY / "conformance_tests" / "selfcheck" / "conformance_selfcheck"

# From the ground up. A module may import its own floor and those below; an entry `a` stands for
# the module or folder `a` and everything inside it.
FLOORS: list[set[str]] = [
    {"_version", "data_files", "special_values", "stores", "verdicts"},
    # What the specification asks for, and how an answer is compared with it.
    {"catalogue", "claims", "known_failures", "matchers", "model", "vectors"},
    # What is tested, in Python.
    {"targets"},
    # What is tested, in any language.
    {"drivers"},
    # What it stores.
    {"interchange"},
    {"executor"},
    {"harness_check", "options", "trials", "walks"},
    {"run"},
    {"assessment"},
    {"reports"},
    {"contents", "pytest_plugin", "serve"},
    {"actions", "arguments", "suite"},
    {"", "__main__", "command"},
]
THIRD_PARTY = {"jsonschema", "pytest", "ruamel", "yaml"}


def floor(module: str) -> int:
    inside = module.removeprefix(SUITE.name).removeprefix(".")
    for number, members in enumerate(FLOORS):
        if inside in members or inside.partition(".")[0] in members - {""}:
            return number
    raise AssertionError(f"{module} has no floor: put it into FLOORS")


def test_there_is_something_to_check() -> None:
    assert len(modules(SUITE)) > 30
    assert len(modules(SELFCHECK)) > 20


def test_imports_of_the_suite_point_downward() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in edges(SUITE).items()
        for other in others
        if floor(other) > floor(module)
    ]
    assert not wrong


@pytest.mark.parametrize("package", [SUITE, SELFCHECK], ids=lambda package: package.name)
def test_no_module_imports_itself_in_the_end(package: Path) -> None:
    assert circle(edges(package)) == []


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        (SUITE, {"pipestat_conformance", "pipestat_spec", *THIRD_PARTY}),
        (SELFCHECK, {"conformance_selfcheck", "pipestat_conformance", "pipestat_spec", "yaml"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_nothing_else_is_imported(package: Path, allowed: set[str]) -> None:
    wrong = [
        f"{module}: {where}"
        for module, path in modules(package).items()
        for where, _ in imported(path)
        if where.partition(".")[0] not in {*allowed, *sys.stdlib_module_names}
    ]
    assert not wrong


def test_nothing_that_is_not_shipped_is_named() -> None:
    # By name as well: a module may be run, or imported by its name.
    wrong = [
        module
        for module, path in modules(SUITE).items()
        if SELFCHECK.name in path.read_text(encoding="utf-8")
    ]
    assert not wrong


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert circle({"a": {"b"}, "b": set()}) == []
