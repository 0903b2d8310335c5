"""Imports point downward only: read from the source, not from what runs.

Imports inside functions and under TYPE_CHECKING count like any other.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

CORE = REPOSITORY / "pipestat_spec"
PLUGINS = REPOSITORY / "plugins"

# From the ground up. A module may import its own layer and those above it in this list;
# an entry `a.b` stands for the module and everything inside it.
LAYERS: list[set[str]] = [
    {"_version", "errors", "exceptions", "installing", "plugins.entry_points", "logs", "problems"},
    {"whole_files", "many_objects"},
    {"mounts"},
    # The data model: what text becomes and what becomes text, and when two values are the same.
    {"json_values"},
    {"text"},
    {"models"},
    {"domain"},
    {"backend", "formatters", "plugins.hookspecs"},
    {
        "plugins",
        "memory",
        "schema_files",
        "addresses",
        "configuration",
        "documents",
        "options",
        "path_prefixes",
        "tables",
    },
    {"store"},
    # What an engine hands to a job becomes settings of a manager, without knowing one.
    {
        "opening",
        "places",
        "counting",
        "differences",
        "watching",
        "ingest",
        "infer",
        "convert",
        "linking",
        "output_places",
        "engines.record_expression",
        "engines.snakemake",
        "engines.looper",
    },
    {"manager"},
    {"__init__"},
    {"engines"},
    {"cli", "__main__"},
    {"compat"},
]

# What the core may use of other people's; everything else belongs into a plugin.
CORE_THIRD_PARTY = {
    "jsonschema",
    "jsonschema_rs",
    "pandas",
    "pluggy",
    "polars",
    "pydantic",
    "pydantic_core",
    "referencing",
    "rich",
    "yaml",
}

# The core's public interface for plugins.
FOR_PLUGINS = {
    "pipestat_spec.backend",
    "pipestat_spec.errors",
    "pipestat_spec.installing",
    "pipestat_spec.json_values",
    "pipestat_spec.linking",
    "pipestat_spec.logs",
    "pipestat_spec.plugins.exporter_options",
    "pipestat_spec.plugins.hookspecs",
    "pipestat_spec.models",
    "pipestat_spec.mounts",
    "pipestat_spec.options",
    "pipestat_spec.tables",
    "pipestat_spec.whole_files",
    "pipestat_spec.domain.filters",
    "pipestat_spec.domain.history",
    "pipestat_spec.domain.query",
    "pipestat_spec.domain.times",
    "pipestat_spec.domain.values",
    "pipestat_spec.text",
}
# And for those that add a command over stores: they let the core open them, and never a backend.
FOR_COMMANDS = {
    "pipestat_serve": {
        "pipestat_spec.counting",
        "pipestat_spec.documents",
        "pipestat_spec.domain.filter_conditions",
        "pipestat_spec.domain.filter_text",
        "pipestat_spec.opening",
        "pipestat_spec.places",
        "pipestat_spec.store",
        "pipestat_spec.watching",
    },
}
PLUGIN_THIRD_PARTY = {
    "pipestat_sql": {"psycopg", "pydantic", "sqlalchemy"},
    "pipestat_exports": {"pyarrow", "rocrate", "xlsxwriter"},
    "pipestat_pephub": {"pydantic", "requests", "urllib3"},
    "pipestat_report": {"PIL", "fsspec", "pypdfium2"},
    # It shows the page of the report.
    "pipestat_serve": {
        *("fastapi", "pipestat_report", "prometheus_client", "pydantic", "pydantic_core"),
        *("starlette", "uvicorn"),
    },
    "pipestat_yaml": {"aiobotocore", "aiohttp", "fsspec", "pydantic", "s3fs", "yaml"},
}


def module_name(path: Path, root: Path) -> str:
    parts = list(path.relative_to(root.parent).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 2:
        parts.pop()
    return ".".join(parts)


def imported(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, module) for each import; `from package import module` names the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, resolved(node.module, alias.name, root)


def resolved(module: str, name: str, root: Path) -> str:
    inside = root.parent.joinpath(*module.split("."))
    if (inside / f"{name}.py").exists() or (inside / name / "__init__.py").exists():
        return f"{module}.{name}"
    return module


def layer_of(module: str) -> int:
    """Return the layer of a core module; 0 is the ground."""
    inside = module.removeprefix("pipestat_spec").removeprefix(".") or "__init__"
    for number, members in enumerate(LAYERS):
        if any(inside == member or inside.startswith(member + ".") for member in members):
            return number
    raise AssertionError(f"{module} has no layer: put it into LAYERS")


def core_files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def plugin_files() -> list[Path]:
    # A folder with its own pyproject.toml is a distribution of its own.
    packages = [p for p in PLUGINS.iterdir() if (p / "__init__.py").exists()]
    return sorted(path for package in packages for path in package.rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_the_core_has_files_to_check() -> None:
    assert len(core_files()) > 20
    assert {path.relative_to(PLUGINS).parts[0] for path in plugin_files()} >= {"pipestat_yaml"}


@pytest.mark.parametrize("path", core_files(), ids=relative)
def test_core_imports_point_downward(path: Path) -> None:
    here = layer_of(module_name(path, CORE))
    wrong = [
        f"line {line}: {name}"
        for line, name in imported(path, CORE)
        if name.partition(".")[0] == "pipestat_spec" and layer_of(name) > here
    ]
    assert not wrong


@pytest.mark.parametrize("path", core_files(), ids=relative)
def test_core_uses_no_plugin_and_no_storage_library(path: Path) -> None:
    allowed = {"pipestat_spec", *CORE_THIRD_PARTY, *sys.stdlib_module_names}
    wrong = [
        f"line {line}: {name}"
        for line, name in imported(path, CORE)
        if name.partition(".")[0] not in allowed
    ]
    assert not wrong


def test_core_names_no_plugin_class() -> None:
    # `pipestat_report` is also the key that a report document starts with (spec/documents.md).
    packages = [p.name for p in PLUGINS.iterdir() if (p / "__init__.py").exists()]
    names = [name + "." if name == "pipestat_report" else name for name in packages]
    wrong = [
        f"{relative(path)}: {name}"
        for path in core_files()
        for name in names
        if name in path.read_text(encoding="utf-8")
    ]
    assert not wrong


@pytest.mark.parametrize("path", plugin_files(), ids=relative)
def test_plugins_use_the_public_interface_only(path: Path) -> None:
    package = path.relative_to(PLUGINS).parts[0]
    third_party = PLUGIN_THIRD_PARTY[package]
    public = FOR_PLUGINS | FOR_COMMANDS.get(package, set())
    wrong = []
    for line, name in imported(path, PLUGINS / package):
        top = name.partition(".")[0]
        if top == "pipestat_spec":
            if not any(name == ok or name.startswith(ok + ".") for ok in public):
                wrong.append(f"line {line}: {name}")
        elif top not in {package, *third_party, *sys.stdlib_module_names}:
            wrong.append(f"line {line}: {name}")
    assert not wrong


def test_plugins_speak_through_the_logger_of_the_core() -> None:
    # It is where the command line listens, and the programs that know pipestat's logger.
    wrong = [
        f"{relative(path)}:{line}"
        for path in plugin_files()
        for line, name in imported(path, path.parent)
        if name == "logging"
    ]
    assert not wrong


@pytest.mark.parametrize(
    "path", [path for path in plugin_files() if path.name == "plugin.py"], ids=relative
)
def test_an_entry_point_is_light_to_import(path: Path) -> None:
    # Every command imports the entry point of every plugin: what is heavy waits in functions.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {"yaml", "pydantic", "fsspec"}
