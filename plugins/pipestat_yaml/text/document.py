"""One results file as text: what can be asked of it, and its next bytes (SPEC.md section 7).

A document knows nothing of where its bytes live or how they are replaced. One whose trailer
vouches for its text is searched and spliced as bytes (`pipestat_yaml.text.spliced`); any other is
parsed as a whole, and written in canonical form when it changes (`pipestat_yaml.text.parsed`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pipestat_spec.models.record import Level
from pipestat_spec.text.yaml_writer import entry_lines
from pipestat_yaml.text.layout import Layout

__all__ = ["Chunks", "Document", "Edits", "SectionKey", "indent_of", "record_text"]

Chunks: TypeAlias = Sequence[bytes | memoryview]
# The level in the `levels` layout, None in the `records` layout.
SectionKey: TypeAlias = Level | None
# The record's new mapping, or None to remove it.
Edits: TypeAlias = Mapping[tuple[SectionKey, str], dict[str, Any] | None]


class Document(ABC):
    """The content of one file at one moment; immutable."""

    @property
    @abstractmethod
    def namespaces(self) -> tuple[str, ...]:
        """The top-level keys."""

    @abstractmethod
    def layout(self, namespace: str) -> Layout | None:
        """Return the namespace's layout; None when it is missing or empty."""

    @abstractmethod
    def record(self, namespace: str, section: SectionKey, identifier: str) -> dict[str, Any] | None:
        """Return what the file holds for a record, `meta` included."""

    @abstractmethod
    def identifiers(self, namespace: str, section: SectionKey) -> list[str]:
        """Return the records of a section in code-point order."""

    @abstractmethod
    def count(self, namespace: str, section: SectionKey) -> int: ...

    @abstractmethod
    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        """Return the bytes of the file after the edits, or None when they change nothing."""


def record_text(identifier: str, mapping: dict[str, Any], indent: str) -> bytes:
    """Return the lines of one record; an empty one gets a `meta`, so that it has lines."""
    lines = entry_lines(identifier, mapping or {"meta": {}}, indent)
    return ("\n".join(lines) + "\n").encode()


def indent_of(section: SectionKey) -> str:
    return "  " if section is None else "    "
