"""Who imports whom in a folder of modules: read from the source, not from what runs.

Imports inside functions and under TYPE_CHECKING count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Edges = Mapping[str, Set[str]]


def modules(package: Path) -> dict[str, Path]:
    """Return the files of a package, which may be a folder without `__init__`, by module."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for each import of a file; the name is empty for a whole module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            assert node.module is not None
            yield from ((node.module, alias.name) for alias in node.names)


def edges(*packages: Path) -> Edges:
    """Return for each module which modules of the packages it imports.

    `from package import name` names the module `package.name` where there is one, and the
    `__init__` of the package otherwise.
    """
    files = {name: path for package in packages for name, path in modules(package).items()}
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        names = {f"{where}.{name}" if name else where for where, name in imported(path)}
        names |= {where for where, name in imported(path) if f"{where}.{name}" not in files}
        graph[module] = names & files.keys() - {module}
    return graph


def circle(graph: Edges) -> list[str]:
    """Return modules that import one another in a circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []
