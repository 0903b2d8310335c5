"""The folders of the core and of each plugin show the way: arrows downward only, no circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.import_graph import circle, edges, modules
from tests.repository import REPOSITORY

CORE = REPOSITORY / "pipestat_spec"
PLUGINS = REPOSITORY / "plugins"

# From the ground up, what stands beside `plugin.py`: a folder, or a module of its own.
FLOORS: dict[str, list[str]] = {
    "pipestat_yaml": ["text", "records", "local", "remote", "plugin"],
    "pipestat_sql": ["database", "tables", "rows", "queries", "backend", "plugin"],
}


def packages() -> list[Path]:
    found = [p for p in PLUGINS.iterdir() if (p / "__init__.py").exists()]
    return sorted([CORE, *found, *PLUGINS.glob("*/snakemake_logger_plugin_pipestat")])


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_no_module_imports_itself_in_the_end(package: Path) -> None:
    assert len(modules(package)) > 3
    assert circle(edges(package)) == []


@pytest.mark.parametrize("name", FLOORS)
def test_the_rooms_of_a_plugin_are_these(name: str) -> None:
    rooms = {module.split(".")[1] for module in modules(PLUGINS / name) if "." in module}
    assert rooms == set(FLOORS[name])


@pytest.mark.parametrize("name", FLOORS)
def test_imports_of_a_plugin_point_downward(name: str) -> None:
    def floor(module: str) -> int:
        return FLOORS[name].index(module.split(".")[1]) if "." in module else -1

    wrong = [
        f"{module} imports {other}"
        for module, others in edges(PLUGINS / name).items()
        for other in others
        if floor(other) > floor(module)
    ]
    assert not wrong
