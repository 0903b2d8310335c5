"""Documents whose checksum vouches for their text, searched and spliced as bytes (SPEC.md
section 7.5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from pipestat_spec.text.yaml_writer import header_lines
from pipestat_yaml.text import canonical
from pipestat_yaml.text.document import Chunks, Document, Edits, SectionKey, indent_of, record_text
from pipestat_yaml.text.layout import LEVEL_KEYS, Layout, adopt_record
from pipestat_yaml.text.parsed import ParsedDocument, parse_document
from pipestat_yaml.text.trailer import Section, Trailer, crc_of, trailer_line

__all__ = ["VouchedDocument"]

# Up to this many records a search for each costs less than an index of all.
_SEARCHES = 8


class VouchedDocument(Document):
    """Canonical text whose trailer says where the records stand."""

    def __init__(self, data: bytes, name: str, trailer: Trailer) -> None:
        self._data = data
        self._name = name
        self._trailer = trailer
        self._by_key = {(s.namespace, s.level): s for s in trailer.sections}
        self._indexes: dict[tuple[str, SectionKey], dict[str, tuple[int, int]]] = {}
        self._searches = 0
        # Another program vouched for text that is not canonical: it is parsed after all.
        self._deceived = False

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.namespace for s in self._trailer.sections))

    def layout(self, namespace: str) -> Layout | None:
        if (namespace, "sample") in self._by_key:
            return "levels"
        section = self._by_key.get((namespace, None))
        return "records" if section is not None and section.records else None

    def count(self, namespace: str, section: SectionKey) -> int:
        # Not the number that the trailer says: whoever wrote it may have miscounted.
        return len(self._identifiers(namespace, section))

    def identifiers(self, namespace: str, section: SectionKey) -> list[str]:
        return sorted(self._identifiers(namespace, section))

    def _identifiers(self, namespace: str, section: SectionKey) -> Collection[str]:
        found = self._by_key.get((namespace, section))
        if found is None:
            return ()
        try:
            return self._index(found)
        except canonical.NotCanonical:
            self._deceived = True
            return self._parsed.identifiers(namespace, section)

    def record(self, namespace: str, section: SectionKey, identifier: str) -> dict[str, Any] | None:
        found = self._by_key.get((namespace, section))
        try:
            span = self._find(found, identifier) if found and not self._deceived else None
            if span is not None:
                block = self._block(span, identifier, indent_of(section))
                return adopt_record(block, "levels" if section else "records")
        except canonical.NotCanonical:
            self._deceived = True
        return self._parsed.record(namespace, section, identifier) if self._deceived else None

    def _block(self, span: tuple[int, int], identifier: str, indent: str) -> dict[str, Any]:
        skipped = len(header_lines(identifier, indent).encode()) + 1
        text = self._data[span[0] + skipped : span[1]].decode()
        return canonical.read_block(text, len(indent) + 2)

    def _find(self, section: Section, identifier: str) -> tuple[int, int] | None:
        if not section.records:
            return None
        index = self._indexes.get((section.namespace, section.level))
        self._searches += 1
        if index is None and self._searches > _SEARCHES:
            index = self._index(section)
        if index is not None:
            return index.get(identifier)
        indent = indent_of(section.level)
        header = header_lines(identifier, indent).encode()
        at = self._data.find(b"\n" + header + b"\n", section.start - 1, section.end)
        if at < 0:
            return None
        following = _next_entry(len(indent)).search(self._data, at + len(header) + 1, section.end)
        return at + 1, following.start() + 1 if following else section.end

    def _index(self, section: Section) -> dict[str, tuple[int, int]]:
        """Return the span of each record; computed once, for what touches many records."""
        key = (section.namespace, section.level)
        if key not in self._indexes:
            indent = indent_of(section.level)
            pattern = _entry_header(len(indent))
            found = list(pattern.finditer(self._data, section.start, section.end))
            if len(found) != section.records:
                raise canonical.NotCanonical(f"{len(found)} records instead of {section.records}")
            ends = [*(match.start() for match in found[1:]), section.end]
            index = {
                canonical.read_key((match[1] or match[2]).decode()): (match.start(), end)
                for match, end in zip(found, ends, strict=False)
            }
            if len(index) != len(found):
                raise canonical.NotCanonical("a record stands twice")
            self._indexes[key] = index
        return self._indexes[key]

    @cached_property
    def _parsed(self) -> ParsedDocument:
        body = self._data[: self._trailer.body_end].decode()
        try:
            return ParsedDocument(canonical.read_block(body, 0), self._name)
        except canonical.NotCanonical:
            return parse_document(self._data, self._name)

    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        levels: tuple[SectionKey, ...] = LEVEL_KEYS if layout == "levels" else (None,)
        if self._deceived or not all((namespace, level) in self._by_key for level in levels):
            return self._parsed.edited(namespace, layout, edits)
        by_section: dict[SectionKey, dict[str, dict[str, Any] | None]] = {}
        for (section, identifier), mapping in edits.items():
            by_section.setdefault(section, {})[identifier] = mapping
        spliced = _Splice(self._data, self._trailer)
        for span in self._trailer.sections:
            changes = by_section.get(span.level) if span.namespace == namespace else None
            spliced.add(span, *self._cuts(span, changes or {}))
        return spliced.finish()

    def _cuts(
        self, section: Section, changes: Mapping[str, dict[str, Any] | None]
    ) -> tuple[list[tuple[int, int, bytes]], int]:
        """Return the pieces of a section to replace, in file order, and the new count."""
        indent = indent_of(section.level)
        cuts: list[tuple[int, int, bytes]] = []
        added: list[bytes] = []
        count = section.records
        for identifier, mapping in changes.items():
            span = self._find(section, identifier)
            text = b"" if mapping is None else record_text(identifier, mapping, indent)
            if span is None:
                added += [text] if text else []
                count += bool(text)
            elif self._data[span[0] : span[1]] != text:
                cuts.append((*span, text))
                count -= not text
        cuts.sort()
        if added:
            cuts.append((section.end, section.end, b"".join(added)))
        return cuts, count


class _Splice:
    """Replaces pieces of a vouched file and moves its sections along."""

    def __init__(self, data: bytes, trailer: Trailer) -> None:
        self._data = memoryview(data)
        self._trailer = trailer
        self._cuts: list[tuple[int, int, bytes]] = []
        self._sections: list[Section] = []
        self._shift = 0

    def add(self, section: Section, cuts: list[tuple[int, int, bytes]], count: int) -> None:
        """Take over a section with its cuts; its header says `{}` while it is empty."""
        growth = sum(len(text) - (end - start) for start, end, text in cuts)
        length = section.end - section.start + growth
        header = 0
        if cuts and not section.records:
            header = -len(b" {}")
            cuts = [(section.start - 4, section.start, b"\n"), *cuts]
        elif cuts and not count:
            header = len(b" {}")
            cuts = [(section.start - 1, section.end, b" {}\n")]
        start = section.start + self._shift + header
        self._sections.append(
            Section(section.namespace, section.level, start, start + length, count)
        )
        self._shift += growth + header
        self._cuts += cuts

    def finish(self) -> Chunks | None:
        if not self._cuts:
            return None
        chunks: list[bytes | memoryview] = []
        at = 0
        for start, end, text in self._cuts:
            chunks += [self._data[at:start], text]
            at = end
        # What stands before the first cut is vouched for already when nothing follows it.
        known = self._cuts[0][0] == self._trailer.body_end
        chunks.append(self._data[at : self._trailer.body_end])
        crc = crc_of(chunks[1:], self._trailer.crc) if known else crc_of(chunks)
        chunks.append(trailer_line(self._sections, crc))
        return chunks


def _next_entry(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n {%d}[^ ]" % indent)


def _entry_header(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?m)^ {%d}(?:([^ ?:].*):|\? (.+)\n {%d}:)$" % (indent, indent))
