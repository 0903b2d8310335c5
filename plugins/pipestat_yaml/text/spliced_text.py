"""Text whose checksum vouches for it, searched and spliced as bytes (spec/trailer.md)."""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeAlias

from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS
from pipestat_spec.text.yaml_writer import header_lines
from pipestat_yaml.text import canonical_text
from pipestat_yaml.text.layout import LEVEL_KEYS, adopt_record
from pipestat_yaml.text.results_text import (
    INDENTS,
    Chunks,
    Edits,
    ParsedText,
    ResultsText,
    SectionKey,
    parse_text,
    record_text,
)
from pipestat_yaml.text.stored_history import split_history, without_results
from pipestat_yaml.text.trailer import (
    Section,
    Trailer,
    crc_of,
    read_trailer,
    section_header,
    trailer_line,
)

__all__ = ["SplicedText", "holds_only", "open_text"]

# Where the lines of a record begin, those below its name begin, and all end.
Span: TypeAlias = tuple[int, int, int]
# What stands at a span until now, and the lines to put there.
Cut: TypeAlias = tuple[int, int, bytes]

# Up to this many records a search for each costs less than an index of all.
_SEARCHES = 8
# A line of a section that is not below a record: the name of one that stands without quotes and is
# too long for a word such as `no`, an explicit key, or any other name.
_HEADER = (
    rb"\n(?!%(pad)b )"
    rb"(?:%(pad)b(?![eE]-?[0-9]+:)([A-Za-z_/][A-Za-z0-9_./ -]{4,}[A-Za-z0-9_./-]):(?=\n)"
    rb"|%(pad)b\? (.+)\n%(pad)b:(?=\n)|(.*))"
)


# The end of a trailer that knows of one record in its last section.
_ONE_RECORD = b', 1]], "version": 1}\n'


class _Index(NamedTuple):
    """Where the records of a section begin, in the order of the file, and the number of each."""

    starts: array[int]
    numbers: dict[str, int]

    def span(self, identifier: str, data: bytes) -> Span | None:
        number = self.numbers.get(identifier)
        if number is None:
            return None
        start, end = self.starts[number], self.starts[number + 1]
        # The line of an explicit key has no colon at its end.
        body = data.index(b":\n", start) + 2
        return start, body, end


# One command opens the same bytes several times, and checking or parsing them is the cost.
_last: tuple[bytes, str, ResultsText] | None = None


def holds_only(data: bytes, namespace: str, identifier: str) -> bool:
    """Tell at a glance whether a file holds this record, of the level `sample`, and no other.

    Where it does not look like that there may be anything.
    """
    if not data.endswith(_ONE_RECORD) or identifier in LEVELS:
        return False
    layouts: tuple[tuple[SectionKey, ...], ...] = ((None,), LEVEL_KEYS)
    return any(data.startswith(_beginning(namespace, sections, identifier)) for sections in layouts)


def _beginning(namespace: str, sections: Sequence[SectionKey], identifier: str) -> bytes:
    *empty, last = (Section(namespace, level, 0, 0, 0) for level in sections)
    headers = b"".join(map(section_header, [*empty, last._replace(records=1)]))
    return headers + f"{header_lines(identifier, INDENTS[last.level])}\n".encode()


def open_text(data: bytes, name: str) -> ResultsText:
    """Return the text in the bytes of the file `name`; raises PipestatDataError."""
    global _last
    last = _last
    if last is not None and last[1] == name and last[0] == data:
        return last[2]
    trailer = read_trailer(data)
    text = SplicedText(data, name, trailer) if trailer else parse_text(data, name)
    _last = (data, name, text)
    return text


@cache
def _header(indent: int) -> re.Pattern[bytes]:
    return re.compile(_HEADER % {b"pad": b" " * indent})


def _implicit(line: bytes, indent: int) -> bytes:
    """Return the name in the line of a record; raises NotCanonical for another line."""
    if not line.startswith(b" " * indent) or not line.endswith(b":"):
        raise canonical_text.NotCanonical("a line that belongs to no record")
    return line[indent:-1]


class SplicedText(ResultsText):
    """Canonical text whose trailer says where the records stand."""

    def __init__(self, data: bytes, name: str, trailer: Trailer) -> None:
        self._data = data
        self._name = name
        self._trailer = trailer
        self._sections = {section[:2]: section for section in trailer.sections}
        self.keys = tuple(dict.fromkeys(section.namespace for section in trailer.sections))
        self._spans: dict[tuple[Section, str], Span | None] = {}
        self._indexes: dict[Section, _Index] = {}
        # Another program vouched for text that is not canonical: it is parsed after all.
        self._deceived = False

    def layout(self, namespace: str) -> Layout | None:
        if (namespace, "sample") in self._sections:
            return "levels"
        section = self._sections.get((namespace, None))
        return "records" if section is not None and section.records else None

    def identifiers(self, namespace: str, section: SectionKey) -> Collection[str]:
        found = self._sections.get((namespace, section))
        try:
            if not self._deceived:
                return self._index(found).numbers if found else ()
        except canonical_text.NotCanonical:
            self._deceived = True
        return self._parsed.identifiers(namespace, section)

    def record(
        self, namespace: str, section: SectionKey, identifier: str, *, results: bool = True
    ) -> dict[str, Any] | None:
        found = self._sections.get((namespace, section))
        try:
            span = self._find(found, identifier) if found and not self._deceived else None
            if span is not None:
                return self._read(namespace, section, identifier, span, results)
        except canonical_text.NotCanonical:
            self._deceived = True
        return self._parsed.record(namespace, section, identifier) if self._deceived else None

    def _read(
        self, namespace: str, section: SectionKey, identifier: str, span: Span, results: bool
    ) -> dict[str, Any]:
        """Return what stands at a span; the history stays as it is until it is asked for."""

        def parsed() -> dict[str, Any]:
            record = self._parsed.record(namespace, section, identifier) or {}
            return meta if isinstance(meta := record.get("meta"), dict) else {}

        indent = len(INDENTS[section]) + 2
        block = self._data[span[1] : span[2]].decode()
        lines, history = split_history(block, indent, parsed)
        mapping = canonical_text.read_block(
            lines if results else without_results(lines, indent), indent
        )
        if history:
            meta = mapping["meta"]
            if not isinstance(meta, dict) or not history.keys().isdisjoint(meta):
                raise canonical_text.NotCanonical("'history' stands twice")
            meta |= history
        layout: Layout = "levels" if section else "records"
        adopted = adopt_record(mapping, layout)
        if history and adopted is not mapping:
            return adopt_record(canonical_text.read_block(block, indent), layout)
        return adopted

    def _find(self, section: Section, identifier: str) -> Span | None:
        """Return where a record stands; looked for once."""
        place = section, identifier
        if place not in self._spans:
            if not section.records:
                return None
            if section in self._indexes or len(self._spans) >= _SEARCHES:
                return self._index(section).span(identifier, self._data)
            self._spans[place] = self._searched(section, identifier)
        return self._spans[place]

    def _searched(self, section: Section, identifier: str) -> Span | None:
        indent = INDENTS[section.level]
        header = b"\n" + header_lines(identifier, indent).encode() + b"\n"
        at = self._data.find(header, section.start - 1, section.end)
        if at < 0:
            return None
        body = at + len(header)
        next_entry = re.compile(rb"\n {%d}[^ ]" % len(indent))
        following = next_entry.search(self._data, body - 1, section.end)
        end = following.start() + 1 if following else section.end
        # All lines of a record are deeper, so it stands twice after them if at all.
        if self._data.find(header, end - 1, section.end) >= 0:
            raise canonical_text.NotCanonical("a record stands twice")
        return at + 1, body, end

    def _index(self, section: Section) -> _Index:
        """Return where each record stands; computed once, for what touches many records."""
        if section not in self._indexes:
            indent = len(INDENTS[section.level])
            starts, numbers = array("Q"), {}
            lines = _header(indent).finditer(self._data, section.start - 1, section.end - 1)
            for number, match in enumerate(lines):
                plain, explicit, other = match.groups()
                if plain:
                    name = plain.decode()
                else:
                    name = canonical_text.read_key((explicit or _implicit(other, indent)).decode())
                starts.append(match.start() + 1)
                numbers[name] = number
            if len(starts) != section.records or len(numbers) != section.records:
                raise canonical_text.NotCanonical(
                    f"{len(numbers)} records instead of {section.records}"
                )
            starts.append(section.end)
            self._indexes[section] = _Index(starts, numbers)
        return self._indexes[section]

    @cached_property
    def _parsed(self) -> ParsedText:
        body = self._data[: self._trailer.body_end].decode()
        try:
            return ParsedText(canonical_text.read_block(body, 0), self._name)
        except canonical_text.NotCanonical:
            return parse_text(self._data, self._name)

    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        section = (namespace, "sample" if layout == "levels" else None)
        if section in self._sections and not self._deceived:
            try:
                return self._spliced(namespace, edits)
            except canonical_text.NotCanonical:
                self._deceived = True
        return self._parsed.edited(namespace, layout, edits)

    def _spliced(self, namespace: str, edits: Edits) -> Chunks | None:
        changes: dict[SectionKey, dict[str, dict[str, Any] | None]] = {}
        for (level, identifier), mapping in edits.items():
            changes.setdefault(level, {})[identifier] = mapping
        cuts: list[Cut] = []
        sections: list[Section] = []
        shift = 0
        for section in self._trailer.sections:
            own = changes.get(section.level, {}) if section.namespace == namespace else {}
            some, count = self._cuts(section, own)
            header = len(b" {}") * (bool(section.records) - bool(count))
            start = section.start + shift + header
            for begin, end, text in some:
                shift += len(text) - (end - begin)
            sections.append(section._replace(start=start, end=section.end + shift, records=count))
            cuts += some
        if not cuts:
            return None
        data, body_end = memoryview(self._data), self._trailer.body_end
        chunks: list[bytes | memoryview] = []
        at = 0
        for begin, end, text in cuts:
            chunks += [data[at:begin], text]
            at = end
        chunks.append(data[at:body_end])
        # What stands before the first cut is vouched for already when nothing follows it.
        known = cuts[0][0] == body_end
        crc = crc_of(chunks[1:], self._trailer.crc) if known else crc_of(chunks)
        return [*chunks, trailer_line(sections, crc)]

    def _cuts(
        self, section: Section, changes: Mapping[str, dict[str, Any] | None]
    ) -> tuple[list[Cut], int]:
        """Return the pieces of a section to replace, in file order, and the new count.

        The header of an empty section says `{}`.
        """
        cuts: list[Cut] = []
        added: list[bytes] = []
        count = section.records
        indent = INDENTS[section.level]
        for identifier, mapping in changes.items():
            span = self._find(section, identifier)
            text = b"" if mapping is None else record_text(identifier, mapping, indent)
            if span is None:
                added += [text] if text else []
                count += bool(text)
            elif self._data[span[0] : span[2]] != text:
                cuts.append((span[0], span[2], text))
                count -= not text
        cuts.sort()
        if added:
            cuts.append((section.end, section.end, b"".join(added)))
        if cuts and not section.records:
            cuts = [(section.start - len(b" {}\n"), section.start, b"\n"), *cuts]
        elif cuts and count <= 0:
            # Whoever wrote the trailer may have miscounted: then there are others left.
            self._index(section)
            cuts = [(section.start - len(b"\n"), section.end, b" {}\n")]
        return cuts, count
