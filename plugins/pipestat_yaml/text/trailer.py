"""The last line of a canonical file: a checksum and where the records stand (spec/trailer.md).

    # pipestat-spec: {"checksum": "crc32:1a2b3c4d", "sections": [...], "version": 1}

The checksum covers every byte before that line. A section is `[namespace, level, start,
end, count]`: the byte span of its records, level null in the `records` layout.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipestat_spec.models.record import Level
from pipestat_spec.text.yaml_writer import header_lines
from pipestat_yaml.text.layout import LEVEL_KEYS

__all__ = ["Section", "Trailer", "crc_of", "read_trailer", "trailer_line"]

_MARK = b"# pipestat-spec: "
_VERSION = 1


class Section(NamedTuple):
    """The span of the records of one namespace, and level in the `levels` layout."""

    namespace: str
    level: Level | None
    start: int
    end: int
    records: int


class Trailer(NamedTuple):
    """What the last line vouches for: `body_end` bytes with this checksum."""

    sections: Sequence[Section]
    crc: int
    body_end: int


def crc_of(chunks: Iterable[bytes | memoryview], start: int = 0) -> int:
    """Return the CRC-32 of the chunks one after the other."""
    for chunk in chunks:
        start = zlib.crc32(chunk, start)
    return start


def trailer_line(sections: Sequence[Section], crc: int) -> bytes:
    """Return the trailer with its line break."""
    body = {
        "checksum": f"crc32:{crc:08x}",
        "sections": sections,
        "version": _VERSION,
    }
    return _MARK + json.dumps(body).encode() + b"\n"


def read_trailer(data: bytes) -> Trailer | None:
    """Return the trailer when its checksum fits the bytes before it, else None."""
    if not data.endswith(b"\n"):
        return None
    body_end = data.rfind(b"\n", 0, -1) + 1
    if not data.startswith(_MARK, body_end):
        return None
    try:
        body = json.loads(data[body_end + len(_MARK) :])
        if body["version"] != _VERSION:
            return None
        crc = int(body["checksum"].removeprefix("crc32:"), 16)
        sections = [Section(str(entry[0]), *entry[1:]) for entry in body["sections"]]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    if not _cover(sections, data, body_end):
        return None
    if zlib.crc32(memoryview(data)[:body_end]) != crc:
        return None
    try:
        # The checksum says that it is what somebody wrote, not that it is text.
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError:
        return None
    return Trailer(sections, crc, body_end)


def _cover(sections: Sequence[Section], data: bytes, body_end: int) -> bool:
    """Tell whether the sections with their headers are all that the text holds."""
    at = 0
    expected: tuple[str, Level] | None = None
    for section in sections:
        if not _fits(section, data, at, body_end):
            return False
        if expected not in (None, section[:2]) or (
            expected is None and section.level == LEVEL_KEYS[1]
        ):
            return False
        expected = (section.namespace, LEVEL_KEYS[1]) if section.level == LEVEL_KEYS[0] else None
        at = section.end
    return at == body_end and expected is None


def _fits(section: Section, data: bytes, previous: int, body_end: int) -> bool:
    """Tell whether the section's header, and nothing else, stands between it and the last one."""
    _, level, start, end, count = section
    return (
        type(start) is type(end) is type(count) is int
        and previous < start <= end <= body_end
        and (count > 0) == (start < end)
        and data[previous:start] == section_header(section)
        # Else a parser could take it for the levels of a `levels` namespace.
        and not (
            level is None
            and count <= len(LEVEL_KEYS)
            and data.startswith((b"  sample:", b"  project:"), start)
        )
    )


def section_header(section: Section) -> bytes:
    """Return the lines before the records of a section; the first one names the namespace."""
    lines = [] if section.level == LEVEL_KEYS[1] else [header_lines(section.namespace, "")]
    if section.level is not None:
        lines.append(f"  {section.level}:")
    return ("\n".join(lines) + ("\n" if section.records else " {}\n")).encode()
