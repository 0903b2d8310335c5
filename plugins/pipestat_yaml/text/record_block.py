"""Where the lines of a record and of its history stand in a text: found in one pass, not read."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pipestat_yaml.text.canonical_text import NotCanonical

__all__ = ["HISTORY", "Block", "Head", "find_block", "find_heads", "known_block", "without_results"]

# How much of a history is looked at in one go: what a cache nearby holds, which halves the time.
_PIECE = 1 << 13
# Keys of `meta`; both are mappings `{result: {time: value}}`.
HISTORY = ("history", "history_times")


class Head(NamedTuple):
    """The line of a result in a history: where it and what is below begin, and its key.

    No key in a line that does not open an entry.
    """

    start: int
    below: int
    key: bytes | None


class Part(NamedTuple):
    """Where the lines of one of the mappings begin and end, and those of its results."""

    name: str
    begin: int
    end: int
    heads: list[Head]


class Block(NamedTuple):
    """Where the lines below a record's name begin, those of its history, and all end."""

    begin: int
    history: int
    end: int
    parts: tuple[Part, ...] = ()


def known_block(data: bytes, begin: int, end: int, indent: int) -> Block:
    """Return the block of a record whose lines end at `end`; its entries stand at `indent`.

    Raises NotCanonical where no line is below the record's name.
    """
    if begin == end:
        raise NotCanonical("a record without lines")
    if data.find(b"\n%b  history:\n" % (b" " * indent), begin - 1, end) < 0:
        return Block(begin, end, end)
    return find_block(data, begin, end, indent)


def find_block(data: bytes, begin: int, limit: int, indent: int) -> Block:
    """Return the block of a record in a section that ends at `limit`, as `known_block` does.

    Raises NotCanonical where no line is below its name, or the one after it opens no record.
    """
    at = begin - 1
    while match := _stop(indent).search(data, at, limit):
        start, at = match.start() + 1, match.end() - 1
        if match[1] is None:
            if begin < start and _ends(data, start, limit, indent):
                return Block(begin, start, start)
            break
        if _in_meta(indent).search(data, begin, start):
            parts, end = _parts(data, match.end(), limit, indent)
            if parts and _ends(data, end, limit, indent):
                return Block(begin, start, end, parts)
    raise NotCanonical("a record that ends in something else than another one")


def _ends(data: bytes, at: int, limit: int, indent: int) -> bool:
    """Tell whether the section ends here, or a line that opens a record begins."""
    return at == limit or _record(indent).match(data, at - 1) is not None


def _parts(data: bytes, at: int, limit: int, indent: int) -> tuple[tuple[Part, ...], int]:
    """Return the mappings of a history, the first of which begins here, and where they end."""
    parts: list[Part] = []
    for name in HISTORY:
        begin = at
        if parts:
            header = f"{' ' * (indent + 2)}{name}:\n".encode()
            if not data.startswith(header, at):
                break
            begin += len(header)
        heads, at = find_heads(data, begin, limit, indent + 4)
        if not heads or heads[0].start != begin:
            return (), begin
        parts.append(Part(name, begin, at, heads))
    return tuple(parts), at


def find_heads(data: bytes, begin: int, limit: int, indent: int) -> tuple[list[Head], int]:
    """Return the lines of a mapping's results, which stand at `indent`, and where it ends."""
    heads: list[Head] = []
    below = b"\n" + b" " * (indent + 2)
    at = begin - 1
    while 0 <= at < limit:
        # Pieces end with a line. That all lines of one are deeper is told faster by counting.
        end = data.find(b"\n", at + _PIECE, limit) if limit - at > _PIECE else limit
        end = limit if end < 0 else end
        if data.count(b"\n", at, end) != data.count(below, at, end + len(below) - 1):
            for match in _result(indent).finditer(data, at, end + 1):
                long, plain, other = match.groups()
                start = match.start() + 1
                if start > end:
                    break
                if long is plain is other is None:
                    return heads, start
                heads.append(Head(start, match.end() + 1, long or plain))
        at = end
    return heads, limit


def without_results(lines: str, indent: int) -> str:
    """Return the lines of a record's `meta`, all of them where something of it may be elsewhere."""
    pad = " " * indent
    at = f"\n{lines}".find(f"\n{pad}meta:\n")
    if at < 0 or f"\n{pad}pipestat_" in f"\n{lines}" or f"\n{pad}history:" in f"\n{lines}":
        return lines
    return lines[at:]


@cache
def _stop(indent: int) -> re.Pattern[bytes]:
    """Return what finds a line that is not of the record, or may be that of its history."""
    return re.compile(rb"\n(?:(?! {%d})|( {%d}history:\n))" % (indent, indent + 2))


@cache
def _record(indent: int) -> re.Pattern[bytes]:
    """Return what matches a line that opens a record, well or not: that is seen when it is read.

    A comment, an empty line or an item of a list belongs to what stands before it.
    """
    return re.compile(rb"\n {%d}(?:\? |[^\s#,\]}|>%%-].*:[ \n])" % (indent - 2))


@cache
def _in_meta(indent: int) -> re.Pattern[bytes]:
    """Return what tells whether lines of a record end in its `meta`, with an entry of it."""
    pattern = rb"^ {%d}meta:\n(?: {%d}.*+\n)++\Z" % (indent, indent + 2)
    return re.compile(pattern, re.MULTILINE)


@cache
def _result(indent: int) -> re.Pattern[bytes]:
    """Return what finds the lines of results, and a line that is not below them."""
    line = rb"\? (.+)\n {%d}:|([^?\n ].*):|(.*)" % indent
    return re.compile(rb"\n(?! {%d})(?: {%d}(?:%b)(?=\n))?" % (indent + 2, indent, line))
