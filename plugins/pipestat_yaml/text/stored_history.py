"""The history of a record as lines of its file, read only when somebody asks for it.

It stands last in its record and may be much longer than the rest of it. So it is not read to add an
entry: that is spliced in.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.yaml_writer import entry_lines, header_lines
from pipestat_yaml.text.canonical_text import NotCanonical, read_block, read_key
from pipestat_yaml.text.record_block import HISTORY, Block, Head, find_heads

__all__ = [
    "StoredHistory",
    "TakenTimes",
    "histories_in",
    "of_result",
    "split_histories",
    "with_entries",
    "with_result",
]


class StoredHistory:
    """The lines of a mapping `{result: {time: value}}`, in which the results stand at `indent`.

    `parsed` gives the mapping where the lines turn out not to be canonical. `heads` are the lines
    of the results, when they are known.
    """

    def __init__(
        self,
        chunks: Sequence[bytes | memoryview],
        indent: int,
        parsed: Callable[[], Any],
        heads: list[Head] | None = None,
    ) -> None:
        self.chunks = chunks
        self._indent = indent
        self._parsed = parsed
        self._heads = heads

    @cached_property
    def _text(self) -> bytes:
        return b"".join(self.chunks)

    def read(self) -> Any:
        """Return the mapping, or whatever else stands there."""
        try:
            return read_block(self._text.decode(), self._indent)
        except NotCanonical:
            return self._parsed()

    def holds(self, result: str, time: str) -> bool | None:
        """Tell whether there is an entry of this time; None where only reading tells."""
        place = self._place(result)
        entry = f"\n{header_lines(time, ' ' * (self._indent + 2))}".encode()
        # The line before the first one is that of the result. From the end most is skipped.
        return place and self._text.rfind(entry, max(place[0] - 1, 0), place[1]) >= 0

    def last(self, result: str) -> str | None:
        """Return the time of the last entry of a result; None where it is not seen."""
        begin, end = self._place(result) or (0, 0)
        text = self._text
        pad = b"\n" + b" " * (self._indent + 2)
        while begin < end and (end := text.rfind(pad, begin - 1, end)) >= 0:
            at = end + len(pad)
            if text.startswith(b'"', at):
                return text[at + 1 : text.index(b'":', at)].decode()
            if not text.startswith(b" ", at):
                break
        return None

    def with_entries(self, result: str, values: Mapping[str, JSONValue]) -> StoredHistory | None:
        """Return the lines with more entries of a result; None where they cannot be spliced."""
        place = self._place(result)
        if place is None:
            return None
        begin, end = place
        pad = " " * self._indent
        lines = [] if begin < end else header_lines(result, pad).split("\n")
        for time, value in values.items():
            lines += entry_lines(time, value, f"{pad}  ")
        return self._spliced((end, end), lines, partial(with_entries, result=result, values=values))

    def of(self, result: str) -> Any:
        """Return the entries of a result, {} without any; None where they are not seen."""
        place = self._place(result)
        try:
            return place and read_block(self._text[slice(*place)].decode(), self._indent + 2)
        except NotCanonical:
            return None

    def with_result(self, result: str, entries: Mapping[str, Any]) -> StoredHistory | None:
        """Return the lines with these entries of a result; None where they cannot be spliced."""
        place = self._place(result)
        if place is None or place[0] == place[1]:
            return None
        pad = " " * self._indent
        begin = place[0] - len(header_lines(result, pad).encode()) - 1
        lines = entry_lines(result, entries, pad) if entries else []
        change = partial(with_result, result=result, entries=entries)
        return self._spliced((begin, place[1]), lines, change)

    def _spliced(
        self, place: tuple[int, int], lines: Sequence[str], change: Callable[[Any], Any]
    ) -> StoredHistory:
        """Return the text with other lines there, which `change` makes of the mapping."""
        text, (begin, end) = memoryview(self._text), place
        new = "".join(f"{line}\n" for line in lines).encode()
        chunks: list[bytes | memoryview] = [text[:begin], new, text[end:]]
        parsed = self._parsed
        return StoredHistory(list(filter(len, chunks)), self._indent, lambda: change(parsed()))

    def _place(self, result: str) -> tuple[int, int] | None:
        """Return where the lines below a result begin and end: both at the end without any.

        None where a result stands there in another form.
        """
        end = len(self._text)
        return None if self._places is None else self._places.get(result, (end, end))

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]] | None:
        text, heads = self._text, self._heads
        if heads is None:
            heads = _moved(find_heads(b"\n" + text, 1, len(text) + 1, self._indent)[0], 1)
        places: dict[str, tuple[int, int]] = {}
        for (_, below, key), (end, *_) in pairwise([*heads, Head(len(text), 0, None)]):
            try:
                name = None if key is None else read_key(key.decode())
            except NotCanonical:
                return None
            if name is None or name in places or below == end:
                return None
            places[name] = below, end
        return places


class TakenTimes(Container[str]):
    """The times that entries of a result have in a history, lines or a mapping."""

    def __init__(self, history: Any, result: str) -> None:
        self._history = history
        self._result = result

    def __contains__(self, time: object) -> bool:
        if isinstance(self._history, StoredHistory):
            found = self._history.holds(self._result, str(time))
            if found is not None:
                return found
        return time in self._read()

    def last(self) -> str | None:
        """Return the time of the last entry, as far as it is seen."""
        if isinstance(self._history, StoredHistory):
            return self._history.last(self._result)
        return next(reversed(self._read()), None)

    def _read(self) -> dict[str, Any]:
        return of_result(self._history, self._result)


def with_entries(
    history: Any, result: str, values: Mapping[str, JSONValue]
) -> StoredHistory | Mapping[str, Any]:
    """Return a history with more entries, the last ones of their result."""
    if isinstance(history, StoredHistory):
        spliced = history.with_entries(result, values)
        if spliced is not None:
            return spliced
    known = _mapping(_read(history))
    return {**known, result: {**_mapping(known.get(result)), **values}}


def of_result(history: Any, result: str) -> dict[str, Any]:
    """Return the entries of a result, {} without any."""
    if isinstance(history, StoredHistory) and (found := history.of(result)) is not None:
        return _mapping(found)
    return _mapping(_mapping(_read(history)).get(result))


def with_result(
    history: Any, result: str, entries: Mapping[str, Any]
) -> StoredHistory | Mapping[str, Any] | None:
    """Return a history with these entries of a result that it has; None when nothing is left."""
    if isinstance(history, StoredHistory):
        spliced = history.with_result(result, entries)
        if spliced is not None:
            return spliced if spliced.chunks else None
    known = _mapping(_read(history))
    if entries:
        return {**known, result: entries}
    return {name: times for name, times in known.items() if name != result} or None


def _read(history: Any) -> Any:
    return history.read() if isinstance(history, StoredHistory) else history


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def split_histories(
    mapping: Mapping[str, Any],
) -> tuple[Mapping[str, Any], Mapping[str, StoredHistory]]:
    """Return a record without those histories of its `meta` that stay lines, and these.

    They are the last of the record.
    """
    meta = mapping.get("meta")
    if not isinstance(meta, dict) or not any(
        isinstance(meta.get(name), StoredHistory) for name in HISTORY
    ):
        return mapping, {}
    kept = {name: meta[name] for name in HISTORY if name in meta}
    before = {name: value for name, value in meta.items() if name not in kept}
    if before and all(isinstance(value, StoredHistory) for value in kept.values()):
        return {**mapping, "meta": before}, kept
    read = {name: _read(value) for name, value in kept.items()}
    return {**mapping, "meta": {**before, **read}}, {}


def histories_in(
    data: bytes, block: Block, indent: int, parsed: Callable[[], Mapping[str, Any]]
) -> dict[str, StoredHistory]:
    """Return the histories of a record by their key in its `meta`, which `parsed` gives.

    The entries of the record stand at `indent`.
    """
    lines = memoryview(data)

    def part(name: str) -> Any:
        return parsed().get(name)

    return {
        name: StoredHistory(
            [lines[begin:end]], indent + 4, partial(part, name), _moved(heads, begin)
        )
        for name, begin, end, heads in block.parts
    }


def _moved(heads: list[Head], by: int) -> list[Head]:
    return [Head(start - by, below - by, key) for start, below, key in heads]
