"""Entry points of one group, read straight from `entry_points.txt` on `sys.path`.

`importlib.metadata` gives the same answer and takes as long to import as the rest of a
`report` call together (docs/adr/0004); it is asked only about places that are no folders,
such as zip files. A test compares the two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

__all__ = ["EntryPoint", "find_entry_points"]


class EntryPoint(NamedTuple):
    """`name = module` of one installed distribution."""

    name: str
    value: str
    distribution: str

    def load(self) -> ModuleType:
        """Import and return the module that `value` names."""
        return import_module(self.value.partition(":")[0].strip())


def find_entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of `group`, sorted by distribution and name.

    Of two copies of a distribution the first on `sys.path` counts, as for imports.
    """
    found: dict[str, list[EntryPoint]] = {}
    for folder in dict.fromkeys(sys.path):
        for distribution, text in _metadata(folder or os.curdir, group):
            if distribution not in found:
                found[distribution] = list(_parse(text, group, distribution))
    return sorted(
        (point for points in found.values() for point in points),
        key=lambda point: (point.distribution, point.name),
    )


def _metadata(folder: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield (distribution, entry_points.txt) of each distribution in `folder`."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, PermissionError):
        return
    except NotADirectoryError:
        yield from _from_importlib(folder, group)
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as f:
                    text = f.read()
            except OSError:
                text = ""
            yield name.rpartition(".")[0].partition("-")[0].lower(), text


def _from_importlib(path: str, group: str) -> Iterator[tuple[str, str]]:
    from importlib.metadata import distributions

    for distribution in distributions(path=[path]):
        points = distribution.entry_points.select(group=group)
        lines = "".join(f"{point.name} = {point.value}\n" for point in points)
        yield distribution.name.lower().replace("-", "_"), f"[{group}]\n{lines}"


def _parse(text: str, group: str, distribution: str) -> Iterator[EntryPoint]:
    inside = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip(), distribution)
