"""Integers that stand in a store for results declared `number` (spec/core.md).

Other programs write such integers; they are read as the doubles that they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.change import NOTHING, Change, Outcome, Transition
from pipestat_spec.models.record import HistoryEntry, Level, Record

if TYPE_CHECKING:
    from pipestat_spec.models.query import Page
    from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema

__all__ = ["StoredNumbers"]


class StoredNumbers:
    """Reads what a backend holds; without a schema, as it stands.

    `additional_properties`, when it is not None, takes the place of the schema's own. What
    holds no such integer comes back as the same object.
    """

    def __init__(
        self, schema: OutputSchema | None, additional_properties: bool | None = None
    ) -> None:
        self._is_number: dict[Level, Callable[[str], bool]] = {}
        # The declared ones of a level where no others are numbers.
        self._numbers: dict[Level, tuple[str, ...]] = {}
        for name, level in schema.levels.items() if schema else ():
            is_number = _numbers_of(level, additional_properties)
            if is_number is None:
                continue
            self._is_number[name] = is_number
            if not is_number(""):
                self._numbers[name] = tuple(filter(is_number, level.results))

    def record(self, record: Record) -> Record:
        """Return a record with the doubles."""
        is_number = self._is_number.get(record.key.level)
        if is_number is None:
            return record
        numbers, get = self._numbers.get(record.key.level), record.results.get
        # This is asked of every record that is read, and mostly they are doubles.
        if numbers is not None and int not in [type(get(name)) for name in numbers]:
            return record
        doubles = _doubles(record.results, is_number)
        return replace(record, results={**record.results, **doubles}) if doubles else record

    def records(self, level: Level, records: Iterator[Record]) -> Iterator[Record]:
        """Return the records with the doubles."""
        return map(self.record, records) if level in self._is_number else records

    def transition(self, transition: Transition) -> Transition:
        """Return a transition with the doubles in both records."""
        if not self._is_number:
            return transition
        before, after = transition
        seen = before and self.record(before)
        now = seen if after is before else after and self.record(after)
        same = seen is before and now is after
        return transition if same else Transition(seen, now)

    def page(self, level: Level, page: Page) -> Page:
        """Return a page of records with the doubles."""
        if level not in self._is_number:
            return page
        numbers, found = self._numbers.get(level), [record.results for record in page.records]
        # A look at each number of all records is cheaper than one at each record.
        if numbers is not None and not any(
            int in [type(results.get(name)) for results in found] for name in numbers
        ):
            return page
        return replace(page, records=tuple(map(self.record, page.records)))

    def rows(
        self, level: Level, columns: Sequence[str], rows: list[tuple[JSONValue, ...]]
    ) -> list[tuple[JSONValue, ...]]:
        """Return rows of the columns' values with the doubles."""
        is_number = self._is_number.get(level)
        if is_number is None or not any(map(is_number, columns)):
            return rows
        return [
            tuple(
                _double(value) if is_number(name) else value
                for name, value in zip(columns, row, strict=True)
            )
            for row in rows
        ]

    def history(self, level: Level, entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
        """Return the entries with the doubles."""
        is_number = self._is_number.get(level)
        if is_number is None:
            return list(entries)
        return [
            entry._replace(value=_double(entry.value)) if is_number(entry.result) else entry
            for entry in entries
        ]

    def change(self, level: Level, change: Change) -> Change:
        """Return the change for the record as it stands; `change` sees the doubles.

        What `change` leaves alone is handed back as it stands, the same object.
        """
        if level not in self._is_number:
            return change
        return _AsItStands(self, change)


class _AsItStands(NamedTuple):
    """A change of the record as it stands, made of one that sees the doubles."""

    numbers: StoredNumbers
    change: Change

    def __call__(
        self, current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /
    ) -> Outcome:
        if current is None:
            return self.change(None, foreign)
        seen = self.numbers.record(current)
        outcome = self.change(seen, foreign)
        record = outcome.record
        if record is seen:
            record = current
        elif record is not None and record.results is seen.results:
            record = replace(record, results=current.results)
        return outcome._replace(record=record)


def _numbers_of(
    level: LevelSchema, additional_properties: bool | None
) -> Callable[[str], bool] | None:
    """Return what tells whether a result is declared `number`; None where none is."""
    declared = {name: result.exact_type == "number" for name, result in level.results.items()}
    additional = level.additional if additional_properties is None else None
    others = additional is not None and additional.exact_type == "number"
    if not others and not any(declared.values()):
        return None
    return lambda name: declared.get(name, others)


def _doubles(
    results: Mapping[str, JSONValue], is_number: Callable[[str], bool]
) -> dict[str, float]:
    found = {}
    for name, value in results.items():
        # Beyond 2^53 there are integers that no double equals: they stay as they are.
        if type(value) is int and is_number(name) and float(value) == value:
            found[name] = float(value)
    return found


def _double(value: JSONValue) -> JSONValue:
    """Return the double that equals an integer; anything else as it stands."""
    return float(value) if type(value) is int and float(value) == value else value
