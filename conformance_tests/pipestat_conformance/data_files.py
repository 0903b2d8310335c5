"""Where the suite's data lies: beside the package in the source tree, inside it in a wheel."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["catalogue_file", "data_files", "protocol_schema", "read_data", "rules_file"]


def _root() -> Traversable:
    installed = files("pipestat_conformance") / "data"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[1]


def catalogue_file() -> Traversable:
    """Return `requirements.yaml`."""
    return _root() / "requirements.yaml"


def rules_file() -> Traversable:
    """Return `rules.json`."""
    return _root() / "rules.json"


def data_files(folder: str, *endings: str) -> Iterator[tuple[str, Traversable]]:
    """Yield (path below `folder`, file) for each file with one of the endings, by path."""
    yield from sorted(_walk(_root() / folder, "", endings), key=lambda found: found[0])


def _walk(
    folder: Traversable, prefix: str, endings: tuple[str, ...]
) -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/", endings)
        elif entry.name.endswith(endings):
            yield path, entry


def read_data(folder: str, name: str) -> str:
    """Return the text of one file; raises FileNotFoundError."""
    return (_root() / folder / name).read_text(encoding="utf-8")


def protocol_schema(name: str) -> str:
    """Return the JSON Schema `protocol/NAME.schema.json`."""
    return read_data("protocol", f"{name}.schema.json")
