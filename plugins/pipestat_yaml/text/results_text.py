"""The text of a results file: what can be asked of it, and its next bytes (spec/yaml.md).

A text knows nothing of where its bytes live or how they are replaced. One whose trailer vouches
for it is searched and spliced as bytes (`pipestat_yaml.text.spliced_text`); any other is parsed as
a whole, and written in canonical form when it changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import Level
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText, decode
from pipestat_spec.text.yaml_writer import Verbatim, entry_lines, header_lines
from pipestat_yaml.text.layout import Namespace, empty_namespace, read_namespace
from pipestat_yaml.text.stored_history import split_histories
from pipestat_yaml.text.trailer import Section, crc_of, section_header, trailer_line

__all__ = [
    "INDENTS",
    "Chunks",
    "Edits",
    "ParsedText",
    "ResultsText",
    "SectionKey",
    "parse_text",
    "record_chunks",
    "record_text",
]

Chunks: TypeAlias = Sequence[bytes | memoryview]
# The level in the `levels` layout, None in the `records` layout.
SectionKey: TypeAlias = Level | None
# The record's new mapping, or None to remove it.
Edits: TypeAlias = Mapping[tuple[SectionKey, str], dict[str, Any] | None]

# What stands before the names of a section's records.
INDENTS: Mapping[SectionKey, str] = {None: "  ", "project": "    ", "sample": "    "}


class ResultsText(ABC):
    """The content of one file at one moment; immutable. `keys` are the top-level keys."""

    keys: tuple[str, ...]

    @abstractmethod
    def layout(self, namespace: str) -> Layout | None:
        """Return the namespace's layout; None when it is missing or empty."""

    @abstractmethod
    def record(
        self, namespace: str, section: SectionKey, identifier: str, *, results: bool = True
    ) -> dict[str, Any] | None:
        """Return what the file holds for a record, `meta` included.

        Without `results` it may lack them.
        """

    @abstractmethod
    def identifiers(self, namespace: str, section: SectionKey) -> Collection[str]:
        """Return the records of a section, in no order."""

    @abstractmethod
    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        """Return the bytes of the file after the edits, or None when they change nothing."""

    def namespaces(self) -> set[str]:
        """Return the keys that name a pipeline: those that begin with `_` do not."""
        return {name for name in self.keys if not name.startswith("_")}

    def all_identifiers(self, namespace: str) -> list[str]:
        """Return the records of every level, in no order."""
        try:
            return [
                identifier
                for section in INDENTS
                for identifier in self.identifiers(namespace, section)
            ]
        except PipestatDataError:
            # Something else than a namespace, in a file that only looks like one of ours.
            return []


def record_chunks(identifier: str, mapping: dict[str, Any], indent: str) -> Chunks:
    """Return the lines of one record; an empty one gets a `meta`, so that it has lines.

    A history that was not read is what it was, and its lines are not copied.
    """
    before, histories = split_histories(mapping)
    lines = entry_lines(identifier, before or {"meta": {}}, indent)
    chunks: list[bytes | memoryview] = [("\n".join(lines) + "\n").encode()]
    for name, history in histories.items():
        chunks += [f"{header_lines(name, f'{indent}    ')}\n".encode(), *history.chunks]
    return chunks


def record_text(identifier: str, mapping: dict[str, Any], indent: str) -> bytes:
    """Return the lines of one record in one piece."""
    return b"".join(record_chunks(identifier, mapping, indent))


def parse_text(data: bytes, name: str) -> ParsedText:
    """Return the text of the file `name`, read as a whole; raises PipestatDataError."""
    if not data.strip(b" \n"):
        return ParsedText({}, name)
    from pipestat_spec.text.yaml_reader import read_yaml

    try:
        tree = read_yaml(decode(data), verbatim=True)
    except UnreadableText as error:
        raise PipestatDataError(
            f"{name}, line {error.line}: {error.problem}",
            hint=error.hint,
            file=name,
            line=error.line,
        ) from error
    if tree is not None and not isinstance(tree, dict):
        raise PipestatDataError(
            f"{name}: a results file is a mapping of namespaces, not {shorten(repr(tree))}",
            hint="correct the file or choose another one",
            file=name,
        )
    return ParsedText(tree or {}, name)


class ParsedText(ResultsText):
    """A text that was read as a whole."""

    def __init__(self, tree: dict[str, Any], name: str) -> None:
        self.keys = tuple(tree)
        self._tree = tree
        self._name = name
        self._read: dict[str, Namespace] = {}

    def _namespace(self, namespace: str) -> Namespace:
        if namespace not in self._read:
            value = self._tree.get(namespace)
            self._read[namespace] = read_namespace(namespace, value, self._name)
        return self._read[namespace]

    def _section(self, namespace: str, section: SectionKey) -> dict[str, dict[str, Any]]:
        return self._namespace(namespace).sections.get(section, {})

    def layout(self, namespace: str) -> Layout | None:
        content = self._namespace(namespace)
        return None if content.is_empty else content.layout

    def record(
        self,
        namespace: str,
        section: SectionKey,
        identifier: str,
        *,
        results: bool = True,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        return self._section(namespace, section).get(identifier)

    def identifiers(self, namespace: str, section: SectionKey) -> Collection[str]:
        return self._section(namespace, section)

    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        content = self._namespace(namespace)
        if content.is_empty:
            content = empty_namespace(layout)
        sections = {section: dict(records) for section, records in content.sections.items()}
        changed = False
        for (section, identifier), mapping in edits.items():
            records = sections[section]
            old = records.get(identifier)
            if mapping is None:
                changed |= records.pop(identifier, None) is not None
            elif old is None or record_text(identifier, old, "") != record_text(
                identifier, mapping, ""
            ):
                changed = True
                records[identifier] = mapping
        if not changed:
            return None
        return self._composed({namespace: Namespace(layout, sections)})

    def _composed(self, replaced: Mapping[str, Namespace]) -> Chunks:
        writer = _Writer()
        for name in dict.fromkeys((*self._tree, *replaced)):
            content = replaced.get(name) or self._foreign(name)
            if content is None:
                writer.add_opaque(name, self._tree[name])
            else:
                writer.add(name, content)
        return writer.finish()

    def _foreign(self, name: str) -> Namespace | None:
        try:
            return self._namespace(name)
        except PipestatDataError:
            return None


class _Writer:
    """Puts a whole file together, noting where each section stands."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._length = 0
        self._sections: list[Section] = []
        self._vouched = True

    def _add(self, text: bytes) -> None:
        self._chunks.append(text)
        self._length += len(text)

    def add_opaque(self, name: str, value: Any) -> None:
        """Keep what is no namespace; the file gets no trailer, since no section covers it."""
        self._add(("\n".join(entry_lines(name, value, "")) + "\n").encode())
        self._vouched = False

    def add(self, name: str, content: Namespace) -> None:
        for level, records in content.sections.items():
            if any(map(_holds_verbatim, records.values())):
                # No canonical form: a trailer would vouch for text that it must not.
                self._vouched = False
            self._add(section_header(Section(name, level, 0, 0, len(records))))
            start = self._length
            for identifier, mapping in records.items():
                self._add(record_text(identifier, mapping, INDENTS[level]))
            self._sections.append(Section(name, level, start, self._length, len(records)))

    def finish(self) -> list[bytes]:
        if self._vouched:
            self._chunks.append(trailer_line(self._sections, crc_of(self._chunks)))
        return [b"".join(self._chunks)]


def _holds_verbatim(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_verbatim, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Verbatim)
