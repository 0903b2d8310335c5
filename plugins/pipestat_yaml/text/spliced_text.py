"""Text whose checksum vouches for it, searched and spliced as bytes (spec/trailer.md)."""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS
from pipestat_spec.text.yaml_writer import header_lines
from pipestat_yaml.text import canonical_text
from pipestat_yaml.text.layout import LEVEL_KEYS, adopt_record
from pipestat_yaml.text.record_block import Block, find_block, known_block, without_results
from pipestat_yaml.text.results_text import (
    INDENTS,
    Chunks,
    Edits,
    ParsedText,
    ResultsText,
    SectionKey,
    parse_text,
    record_chunks,
)
from pipestat_yaml.text.stored_history import histories_in
from pipestat_yaml.text.trailer import (
    Section,
    Trailer,
    crc_of,
    read_trailer,
    section_header,
    trailer_line,
)

__all__ = ["SplicedText", "forget_bytes", "holds_only", "known_bytes", "open_text"]

# What stands somewhere until now, and the lines to put there.
Cut: TypeAlias = tuple[int, int, Chunks]

# Up to this many records a search for each costs less than an index of all.
_SEARCHES = 8
# A line of a section that is not below a record: the name of one that stands without quotes and is
# too long for a word such as `no`, an explicit key, or any other name.
_HEADER = (
    rb"\n(?!%(pad)b )"
    rb"(?:%(pad)b(?![eE]-?[0-9]+:)([A-Za-z_/][A-Za-z0-9_./ -]{4,}[A-Za-z0-9_./-]):(?=\n)"
    rb"|%(pad)b\? (.+)\n%(pad)b:(?=\n)|(.*))"
)
# After so many places where a name stands, an index of all costs less.
_MENTIONS = 50_000
# Names that nobody writes with escapes or on several lines.
_ONE_FORM = re.compile(r"[ !#-&(-\[\]-~]{1,100}")
_COLON = re.compile(rb"[\"']?[ \t]*:")
# The end of a trailer that knows of one record in its last section.
_ONE_RECORD = b', 1]], "version": 1}\n'


class Span(NamedTuple):
    """Where the lines of a record begin, and what is below its name."""

    start: int
    block: Block


class _Index(NamedTuple):
    """Where the records of a section begin, in the order of the file, and the number of each."""

    starts: array[int]
    numbers: dict[str, int]

    def span(self, identifier: str, data: bytes, indent: int) -> Span | None:
        number = self.numbers.get(identifier)
        if number is None:
            return None
        start, end = self.starts[number], self.starts[number + 1]
        # The line of an explicit key has no colon at its end.
        begin = data.index(b":\n", start) + 2
        return Span(start, known_block(data, begin, end, indent))


# One command opens the same bytes several times, and checking or parsing them is the cost.
_last: tuple[bytes, str, ResultsText] | None = None


def known_bytes(name: str) -> bytes | None:
    """Return the bytes of the file `name` if they were opened last; it may have changed since."""
    last = _last
    return last[0] if last is not None and last[1] == name else None


def forget_bytes() -> None:
    """Let go of the bytes that were opened last, since they were replaced."""
    global _last
    _last = None


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


def _is_key(data: bytes, begin: int, end: int) -> bool:
    """Tell whether a name there may open an entry, in whatever form."""
    if data[begin - 1] not in b" \t\n\"'{[,":
        return False
    return _COLON.match(data, end) is not None or data.find(b"?", begin - 3, begin) >= 0


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
        return self._parsed_as_told(namespace).identifiers(namespace, section)

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
        if not self._deceived:
            return None
        return self._parsed_as_told(namespace).record(namespace, section, identifier)

    def _read(
        self, namespace: str, section: SectionKey, identifier: str, span: Span, results: bool
    ) -> dict[str, Any]:
        """Return what stands at a span; the history stays as it is until it is asked for."""

        def parsed() -> dict[str, Any]:
            record = self._parsed_as_told(namespace).record(namespace, section, identifier) or {}
            return meta if isinstance(meta := record.get("meta"), dict) else {}

        indent = len(INDENTS[section]) + 2
        block = span.block
        lines = self._data[block.begin : block.history].decode()
        mapping = canonical_text.read_block(
            lines if results else without_results(lines, indent), indent
        )
        if history := histories_in(self._data, block, indent, parsed):
            meta = mapping["meta"]
            if not isinstance(meta, dict) or not history.keys().isdisjoint(meta):
                raise canonical_text.NotCanonical("'history' stands twice")
            meta |= history
        layout: Layout = "levels" if section else "records"
        adopted = adopt_record(mapping, layout)
        if history and adopted is not mapping:
            lines = self._data[block.begin : block.end].decode()
            return adopt_record(canonical_text.read_block(lines, indent), layout)
        return adopted

    def _find(self, section: Section, identifier: str) -> Span | None:
        """Return where a record stands; looked for once."""
        place = section, identifier
        if place not in self._spans:
            if not section.records:
                return None
            if section in self._indexes or len(self._spans) >= _SEARCHES:
                indent = len(INDENTS[section.level]) + 2
                return self._index(section).span(identifier, self._data, indent)
            self._spans[place] = self._searched(section, identifier)
        return self._spans[place]

    def _searched(self, section: Section, identifier: str) -> Span | None:
        """Return where a record stands, found by its name; the index tells in case of doubt."""
        indent = INDENTS[section.level]
        header = f"\n{header_lines(identifier, indent)}\n".encode()
        name = identifier.encode(errors="replace")
        before = header.find(name)
        found: Span | None = None
        at = section.start
        for _ in range(_MENTIONS if _ONE_FORM.fullmatch(identifier) else 0):
            at = self._data.find(name, at, section.end)
            if at < 0:
                return found
            if self._data.startswith(header, at - before):
                if found:
                    raise canonical_text.NotCanonical("a record stands twice")
                begin = at - before + len(header)
                block = find_block(self._data, begin, section.end, len(indent) + 2)
                found = Span(at - before + 1, block)
                at = block.end
            elif _is_key(self._data, at, at + len(name)):
                break
            else:
                at += 1
        return self._index(section).span(identifier, self._data, len(indent) + 2)

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

    def _parsed_as_told(self, namespace: str) -> ParsedText:
        """Return the text read as a whole; raises PipestatDataError if its layout was told wrong.

        The reader has gone by that layout already.
        """
        told, found = self.layout(namespace), self._parsed.layout(namespace)
        if told and found and told != found:
            raise PipestatDataError(
                f"{self._name}: namespace {namespace!r} has the layout {found!r}, but the last "
                f"line of the file vouches for {told!r}",
                hint="remove that line",
                file=self._name,
            )
        return self._parsed

    def edited(self, namespace: str, layout: Layout, edits: Edits) -> Chunks | None:
        section = (namespace, "sample" if layout == "levels" else None)
        if section in self._sections and not self._deceived:
            try:
                return self._spliced(namespace, edits)
            except canonical_text.NotCanonical:
                self._deceived = True
        return self._parsed_as_told(namespace).edited(namespace, layout, edits)

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
            for begin, end, lines in some:
                shift += sum(map(len, lines)) - (end - begin)
            sections.append(section._replace(start=start, end=section.end + shift, records=count))
            cuts += some
        if not cuts:
            return None
        data, body_end = memoryview(self._data), self._trailer.body_end
        chunks: list[bytes | memoryview] = []
        at = 0
        for begin, end, lines in cuts:
            chunks += [data[at:begin], *lines]
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
        added: list[bytes | memoryview] = []
        count = section.records
        indent = INDENTS[section.level]
        for identifier, mapping in changes.items():
            span = self._find(section, identifier)
            lines = [] if mapping is None else record_chunks(identifier, mapping, indent)
            if span is None:
                added += lines
                count += bool(lines)
            elif self._differ(span.start, span.block.end, lines):
                cuts.append((span.start, span.block.end, lines))
                count -= not lines
        cuts.sort(key=itemgetter(0))
        if added:
            cuts.append((section.end, section.end, [b"".join(added)]))
        if cuts and not section.records:
            cuts = [(section.start - len(b" {}\n"), section.start, [b"\n"]), *cuts]
        elif cuts and count <= 0:
            # Whoever wrote the trailer may have miscounted: then there are others left.
            self._index(section)
            cuts = [(section.start - len(b"\n"), section.end, [b" {}\n"])]
        return cuts, count

    def _differ(self, begin: int, end: int, lines: Chunks) -> bool:
        """Tell whether something else stands there than the lines."""
        return sum(map(len, lines)) != end - begin or self._data[begin:end] != b"".join(lines)
