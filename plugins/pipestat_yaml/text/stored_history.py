"""The history of a record as lines of its file, read only when somebody asks for it.

It stands last in its record and may be much longer than the rest of it. A new entry is spliced in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cache, partial
from typing import Any

from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.yaml_writer import Lines, entry_lines, header_lines
from pipestat_yaml.text.canonical_text import NotCanonical, read_block

__all__ = [
    "HISTORY",
    "StoredHistory",
    "TakenTimes",
    "of_result",
    "split_history",
    "with_entries",
    "with_result",
    "without_results",
]

# Keys of `meta`; both are mappings `{result: {time: value}}`.
HISTORY = ("history", "history_times")


class StoredHistory(Lines):
    """The lines of such a mapping, in which the results stand at `indent`.

    `parsed` gives the mapping where the lines turn out not to be canonical.
    """

    def __init__(self, text: str, indent: int, parsed: Callable[[], Any]) -> None:
        super().__init__(text)
        self._indent = indent
        self._parsed = parsed
        self._places: dict[str, tuple[int, int] | None] = {}

    def read(self) -> Any:
        """Return the mapping, or whatever else stands there."""
        try:
            return read_block(self.text, self._indent)
        except NotCanonical:
            return self._parsed()

    def holds(self, result: str, time: str) -> bool | None:
        """Tell whether there is an entry of this time; None where only reading tells."""
        place = self._place(result)
        entry = f"\n{header_lines(time, ' ' * (self._indent + 2))}"
        # The line before the first one is that of the result.
        return place and self.text.find(entry, place[0] - 1, place[1]) >= 0

    def last(self, result: str) -> str | None:
        """Return the time of the last entry of a result; None where it is not seen."""
        begin, end = self._place(result) or (0, 0)
        pad = f"\n{' ' * (self._indent + 2)}"
        while begin < end and (end := self.text.rfind(pad, begin - 1, end)) >= 0:
            first = self.text[end + len(pad)]
            if first == '"':
                return self.text[end + len(pad) + 1 : self.text.index('":', end)]
            if first != " ":
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
        text = "".join((self.text[:end], "\n".join(lines), "\n", self.text[end:]))
        return StoredHistory(text, self._indent, self._parsed)

    def of(self, result: str) -> Any:
        """Return the entries of a result, {} without any; None where they are not seen."""
        place = self._place(result)
        try:
            return place and read_block(self.text[slice(*place)], self._indent + 2)
        except NotCanonical:
            return None

    def with_result(self, result: str, entries: Mapping[str, Any]) -> StoredHistory | None:
        """Return the lines with these entries of a result; None where they cannot be spliced."""
        place = self._place(result)
        if place is None or place[0] == place[1]:
            return None
        pad = " " * self._indent
        begin = place[0] - len(header_lines(result, pad)) - 1
        lines = "\n".join(entry_lines(result, entries, pad)) + "\n" if entries else ""
        text = "".join((self.text[:begin], lines, self.text[place[1] :]))
        return StoredHistory(text, self._indent, self._parsed)

    def _place(self, result: str) -> tuple[int, int] | None:
        """Return where the lines below a result begin and end: both at the end without any.

        None where it stands there in another form.
        """
        if result not in self._places:
            self._places[result] = self._searched(result)
        return self._places[result]

    def _searched(self, result: str) -> tuple[int, int] | None:
        text = f"\n{self.text}"
        header = f"\n{header_lines(result, ' ' * self._indent)}"
        at = text.find(header)
        if at < 0:
            return len(self.text), len(self.text)
        begin = at + len(header)
        following = re.compile(f"\n {{{self._indent}}}[^ ]").search(text, begin)
        end = following.start() if following else len(self.text)
        # All lines before the end are deeper, so it stands twice after it if at all.
        stands_twice = text.find(header, end) >= 0
        return None if stands_twice or begin == end or text[begin] != "\n" else (begin, end)


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
) -> Lines | Mapping[str, Any]:
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
) -> Lines | Mapping[str, Any] | None:
    """Return a history with these entries of a result that it has; None when nothing is left."""
    if isinstance(history, StoredHistory):
        spliced = history.with_result(result, entries)
        if spliced is not None:
            return spliced if spliced.text else None
    known = _mapping(_read(history))
    if entries:
        return {**known, result: entries}
    return {name: times for name, times in known.items() if name != result} or None


def _read(history: Any) -> Any:
    return history.read() if isinstance(history, StoredHistory) else history


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def split_history(
    block: str, indent: int, parsed: Callable[[], Mapping[str, Any]]
) -> tuple[str, dict[str, StoredHistory]]:
    """Return a record's lines without those of its history, and these by their key in `meta`.

    The entries of the record stand at `indent`; `parsed` gives its `meta`.
    """
    found = None
    if f"\n{' ' * indent}  {HISTORY[0]}:\n" in block:
        found = _last_lines(indent).search(block)
    if found is None:
        return block, {}
    _, *texts = found.groups()
    return block[: found.end(1)], {
        name: StoredHistory(text, indent + 4, partial(_part, parsed, name))
        for name, text in zip(HISTORY, texts, strict=True)
        if text
    }


def _part(parsed: Callable[[], Mapping[str, Any]], name: str) -> Any:
    return parsed().get(name)


def without_results(lines: str, indent: int) -> str:
    """Return the lines of a record's `meta`, all of them where something of it may be elsewhere."""
    pad = " " * indent
    at = f"\n{lines}".find(f"\n{pad}meta:\n")
    if at < 0 or f"\n{pad}pipestat_" in f"\n{lines}" or f"\n{pad}history:" in f"\n{lines}":
        return lines
    return lines[at:]


@cache
def _last_lines(indent: int) -> re.Pattern[str]:
    entry, below = " " * (indent + 2), " " * (indent + 4)
    first, second = (rf"{entry}{name}:\n((?:{below}.*+\n)++)" for name in HISTORY)
    meta = rf"^{' ' * indent}meta:\n((?:{entry}(?!{HISTORY[0]}:$).*+\n)++)"
    return re.compile(rf"{meta}{first}(?:{second})?\Z", re.MULTILINE)
