"""Documents that are read as a whole, and written in canonical form (SPEC.md section 7.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.text.unreadable import UnreadableText, decode
from pipestat_spec.text.yaml_writer import Verbatim, entry_lines
from pipestat_yaml.text.document import Chunks, Document, Edits, SectionKey, indent_of, record_text
from pipestat_yaml.text.layout import Layout, Namespace, empty_namespace, read_namespace
from pipestat_yaml.text.trailer import Section, crc_of, section_header, trailer_line

__all__ = ["ParsedDocument", "parse_document"]


def parse_document(data: bytes, name: str) -> ParsedDocument:
    if not data.strip(b" \n"):
        return ParsedDocument({}, name)
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
            f"{name}: a results file is a mapping of namespaces, not {type(tree).__name__} data",
            hint="correct the file or choose another one",
            file=name,
        )
    return ParsedDocument(tree or {}, name)


class ParsedDocument(Document):
    """A document that was read as a whole."""

    def __init__(self, tree: dict[str, Any], name: str) -> None:
        self._tree = tree
        self._name = name
        self._read: dict[str, Namespace] = {}

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(self._tree)

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

    def record(self, namespace: str, section: SectionKey, identifier: str) -> dict[str, Any] | None:
        return self._section(namespace, section).get(identifier)

    def identifiers(self, namespace: str, section: SectionKey) -> list[str]:
        return sorted(self._section(namespace, section))

    def count(self, namespace: str, section: SectionKey) -> int:
        return len(self._section(namespace, section))

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
                self._add(record_text(identifier, mapping, indent_of(level)))
            self._sections.append(Section(name, level, start, self._length, len(records)))

    def finish(self) -> list[bytes]:
        if self._vouched:
            self._chunks.append(trailer_line(self._sections, crc_of(self._chunks)))
        return [b"".join(self._chunks)]


def _holds_verbatim(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_verbatim, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Verbatim)
