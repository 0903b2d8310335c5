"""Mutants that keep values in what holds nearly all of them: columns, documents, other formats."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.mutation import backend


class Converted(SnapshotBackend):
    """Converts what is inside of arrays and objects, and the values themselves, when it saves."""

    def part(self, value: Any) -> Any:
        """Return what becomes of a value, or of a part of one whose own parts are converted."""
        return value

    def whole(self, value: Any) -> Any:
        """Return what becomes of the value of a result."""
        return _each_part(value, self.part)

    def save(self) -> None:
        self._records = {
            key: replace(r, results={name: self.whole(v) for name, v in r.results.items()})
            for key, r in self._records.items()
        }
        self._history = {
            key: tuple(e._replace(value=self.whole(e.value)) for e in entries)
            for key, entries in self._history.items()
        }
        super().save()


def _each_part(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return change([_each_part(item, change) for item in value])
    if isinstance(value, dict):
        return change({key: _each_part(item, change) for key, item in value.items()})
    return change(value)


class _Inside(Converted):
    """Converts what is inside of values only."""

    def whole(self, value: Any) -> Any:
        if isinstance(value, list):
            return [_each_part(item, self.part) for item in value]
        if isinstance(value, dict):
            return {key: _each_part(item, self.part) for key, item in value.items()}
        return value


@backend("PS-VAL-013", "PS-VAL-011")
class KeysFolded(Converted):
    """The keys of objects are compared as some file systems do: `A` replaces `a`."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        last = {key.casefold(): key for key in value}
        return {key: value[key] for key in last.values()}


@backend("PS-VAL-013")
class KeysComposed(Converted):
    """The keys of objects are normalised."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {unicodedata.normalize("NFKC", key): item for key, item in value.items()}


@backend("PS-VAL-013")
class KeysFlattened(Converted):
    """Objects are kept as keys with dots, so that a dot in a key makes another object."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {}
        for key, item in value.items():
            first, _, rest = key.partition(".")
            if first and rest and not isinstance(found.get(first, {}), dict):
                continue
            if first and rest:
                found.setdefault(first, {})[rest] = item
            else:
                found[key] = item
        return found


@backend("PS-VAL-013")
class HundredKeys(Converted):
    """The first hundred keys of an object are kept."""

    def part(self, value: Any) -> Any:
        return dict(list(value.items())[:100]) if isinstance(value, dict) else value


@backend("PS-VAL-013")
class ThousandItems(Converted):
    """The first thousand items of an array are kept."""

    def part(self, value: Any) -> Any:
        return value[:1000] if isinstance(value, list) else value


@backend("PS-RES-011", "PS-VAL-013")
class HundredResults(SnapshotBackend):
    """Of the results of a record, the last hundred are kept."""

    def save(self) -> None:
        self._records = {
            key: replace(record, results=dict(list(record.results.items())[-100:]))
            for key, record in self._records.items()
        }
        super().save()


@backend("PS-VAL-013")
class LongTextsCut(Converted):
    """A text ends after 65,535 bytes, as in a column of a fixed size."""

    def part(self, value: Any) -> Any:
        return value.encode()[:65535].decode(errors="ignore") if isinstance(value, str) else value


@backend("PS-VAL-013")
class FifteenDigitsInside(_Inside):
    """Numbers inside of values are written with fifteen digits."""

    def part(self, value: Any) -> Any:
        return float(f"{value:.15g}") if isinstance(value, float) else value


@backend("PS-VAL-013")
class SingleNumbersInside(_Inside):
    """Numbers inside of values are kept in 32 bits."""

    def part(self, value: Any) -> Any:
        if isinstance(value, float) and abs(value) < 1e38:
            return struct.unpack("f", struct.pack("f", value))[0]
        return value


@backend("PS-VAL-013")
class BooleansInsideAsIntegers(_Inside):
    """Booleans inside of values come back as 0 and 1."""

    def part(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@backend("PS-VAL-013")
class NullTextsInside(_Inside):
    """The text `null` inside of a value comes back as null."""

    def part(self, value: Any) -> Any:
        return None if value == "null" else value


@backend("PS-VAL-013")
class NullsInsideDropped(Converted):
    """Keys whose value is null are left out of objects."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if item is not None}


@backend("PS-VAL-013")
class EmptyInsideDropped(Converted):
    """Keys whose value is an empty array or object are left out of objects."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if item != [] and item != {}}


@backend("PS-VAL-013")
class ArraysOfOneKind(Converted):
    """An array of several kinds becomes one of texts, as a typed column has it."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, list) or len({type(item) for item in value}) < 2:
            return value
        return [str(item) for item in value]


@backend("PS-VAL-013", "PS-VAL-004")
class FinalLineFeedLost(Converted):
    """A line feed at the end of a text is lost."""

    def part(self, value: Any) -> Any:
        return value.removesuffix("\n") if isinstance(value, str) else value
