"""Mutants as adapters to other stores make them: columns, documents, hashes, buckets, services.

They were written before a look at the vectors; twelve of them were conformant then.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, unquote_plus

from pipestat_conformance.targets.memory import SnapshotBackend
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.mutants.careless import Renamed
from conformance_selfcheck.mutants.careless_values import Converted
from conformance_selfcheck.mutants.mutation import (
    Call,
    MutantTarget,
    backend,
    inner_target,
    operation,
    register,
)
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey

# Names of results


class _ResultsOneOf(SnapshotBackend):
    """Results whose names have something in common are one: the first name, the last value."""

    def common(self, name: str) -> str:
        raise NotImplementedError

    def save(self) -> None:
        for key, record in self._records.items():
            first: dict[str, str] = {}
            found: dict[str, Any] = {}
            for name, value in record.results.items():
                found[first.setdefault(self.common(name), name)] = value
            self._records = {**self._records, key: replace(record, results=found)}
        super().save()


@backend("PS-ID-002")
class ResultNamesFolded(_ResultsOneOf):
    """Results are columns, whose names differ by more than case."""

    def common(self, name: str) -> str:
        return name.casefold()


@backend("PS-ID-002")
class ResultNamesAsVariables(_ResultsOneOf):
    """The names of results become those of variables: what is no letter is an underscore."""

    def common(self, name: str) -> str:
        return re.sub(r"\W", "_", name)


# Namespaces


def _names_in_common(maker: Any, *breaks: str) -> None:
    def changed(opening: Opening, _: Any) -> Opening:
        name = opening.settings.get("namespace")
        if name is None:
            return opening
        return replace(opening, settings={**opening.settings, "namespace": maker(name)})

    register(maker, breaks, lambda n: MutantTarget(n, inner_target("memory"), opening=changed))


def namespaces_folded(name: str) -> str:
    """Namespaces that differ in case are one."""
    return name.casefold()


def namespaces_as_variables(name: str) -> str:
    """The names of namespaces become those of tables: what is no letter is an underscore."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


_names_in_common(namespaces_folded, "PS-ID-002")
_names_in_common(namespaces_as_variables, "PS-ID-002")


# Addresses


@backend("PS-ID-002")
class IdentifiersDecoded(Renamed):
    """Identifiers stand in addresses as they are, and the service decodes them."""

    def common(self, identifier: str) -> str:
        return unquote(identifier)


@backend("PS-ID-002")
class PlusIsABlank(Renamed):
    """Identifiers stand in queries, where `+` is a blank."""

    def common(self, identifier: str) -> str:
        return unquote_plus(identifier.replace("%", "%25"))


@backend("PS-RES-013")
class ListedByFolder(SnapshotBackend):
    """A list of objects ends at the delimiter: records with a slash are not listed."""

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        found = super().scan(level, after=after, limit=limit)
        return (r for r in found if "/" not in r.key.identifier)


# Caches


_WRITES = "report report_many set_status clear_status remove ingest"


def _remembered(call: Call, *ops: str) -> Any:
    """Answer these operations as the last time, until this process writes."""
    if call.op not in ops:
        call.memory.clear()
        return call.go()
    asked = repr((call.op, sorted(call.args.items())))
    if asked not in call.memory:
        call.memory[asked] = call.go()
    return call.memory[asked]


@operation("PS-GUA-006", on=f"records {_WRITES}")
def list_remembered(call: Call) -> Any:
    """The list of records is remembered until this process writes."""
    return _remembered(call, "records")


@operation("PS-GUA-006", on=f"count {_WRITES}")
def count_remembered(call: Call) -> Any:
    """The number of records is remembered until this process writes."""
    return _remembered(call, "count")


@operation("PS-GUA-006", on=f"get_status {_WRITES}")
def status_remembered(call: Call) -> Any:
    """A status is remembered until this process writes."""
    return _remembered(call, "get_status")


@operation("PS-GUA-006", on=f"history {_WRITES}")
def history_remembered(call: Call) -> Any:
    """A history is remembered until this process writes."""
    return _remembered(call, "history")


@operation("PS-GUA-006", on=f"describe {_WRITES}")
def description_remembered(call: Call) -> Any:
    """What a record is described by is remembered until this process writes."""
    return _remembered(call, "describe")


@operation("PS-GUA-006", on=f"select distinct recent {_WRITES}")
def searches_remembered(call: Call) -> Any:
    """What a search found is remembered until this process writes."""
    return _remembered(call, "select", "distinct", "recent")


# Documents and patches


@operation("PS-RES-007", on="report")
def objects_merged(call: Call) -> Any:
    """A patch merges objects: a key that is not reported stays."""
    record = call.current
    stored = record.results if record is not None and call.args.get("overwrite") else {}

    def merged(value: Any, old: Any) -> Any:
        return {**old, **value} if isinstance(value, dict) and isinstance(old, dict) else value

    return call.go(values={n: merged(v, stored.get(n)) for n, v in call.values.items()})


@operation("PS-RES-007", on="report")
def null_patches_remove(call: Call) -> Any:
    """A patch with null removes the result."""
    done = call.go()
    for name, value in call.values.items() if call.args.get("overwrite") else ():
        if value is None:
            call.ask("remove", record=call.key.identifier, level=call.level, result=name)
    return done


@backend("PS-VAL-013")
class DollarKeysLost(Converted):
    """Keys that begin with a dollar sign are the server's own, and lost."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if not key.startswith("$")}


@backend("PS-VAL-013")
class NumberedKeysAreArrays(Converted):
    """An object with the keys 0, 1, 2 is an array, as in a language with tables alone."""

    def part(self, value: Any) -> Any:
        if isinstance(value, dict) and value and list(value) == [str(i) for i in range(len(value))]:
            return list(value.values())
        return value


@backend("PS-VAL-013")
class ArraysOfOneLength(Converted):
    """Arrays in an array are made equally long by nulls, as in a matrix."""

    def part(self, value: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(item, list) for item in value):
            return value
        length = max(map(len, value), default=0)
        return [item + [None] * (length - len(item)) for item in value]


# Texts and numbers


@backend("PS-VAL-004")
class LineEndsUnified(Converted):
    """A carriage return before a line feed is lost, as in text mode."""

    def part(self, value: Any) -> Any:
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


@backend("PS-VAL-004")
class HtmlEscaped(Converted):
    """Texts are escaped for pages once too often."""

    def part(self, value: Any) -> Any:
        return html.escape(value, quote=False) if isinstance(value, str) else value


@backend("PS-VAL-013")
class TimesInTextsRewritten(Converted):
    """A text that is a time with `Z` comes back with an offset."""

    def part(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z$", r"\1+00:00", value)
        return value


@backend("PS-VAL-013")
class IdsInLowerCase(Converted):
    """A text that is a UUID comes back in lower case, as from a column of this type."""

    def part(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(
            r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", value
        ):
            return value.lower()
        return value


# What is false is nothing


@backend("PS-HIS-001")
class FormerNullsNotKept(SnapshotBackend):
    """A null that is replaced leaves no entry."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return (entry for entry in super().history(key) if entry.value is not None)


@operation("PS-RES-011", on="retrieve")
def nulls_not_among_several(call: Call) -> Any:
    """Of several results that are asked for, those that are null are left out."""
    found = call.go()
    if "results" not in call.args:
        return found
    return {name: value for name, value in found.items() if value is not None}


class _Messages(SnapshotBackend):
    """Keeps status messages in what does not hold them all."""

    def kept(self, message: str) -> str | None:
        raise NotImplementedError

    def save(self) -> None:
        self._records = {
            key: r
            if r.status_message is None
            else replace(r, status_message=self.kept(r.status_message))
            for key, r in self._records.items()
        }
        super().save()


@backend("PS-STA-006")
class EmptyMessagesLost(_Messages):
    """An empty status message is none."""

    def kept(self, message: str) -> str | None:
        return message or None


@backend("PS-STA-006")
class MessagesCut(_Messages):
    """A status message ends after 255 characters."""

    def kept(self, message: str) -> str | None:
        return message[:255]


# Changes


@operation("PS-STA-004", on="set_status report")
def statuses_without_case(call: Call) -> Any:
    """A status is found whatever its case."""
    status = call.args.get("status")
    known = {name.lower(): name for name in call.store.settings.statuses}
    if not isinstance(status, str) or status.lower() not in known:
        return call.go()
    return call.go(status=known[status.lower()])


@backend("PS-HIS-003")
class HundredEntries(SnapshotBackend):
    """Of a history the last hundred entries are kept."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(list(super().history(key))[-100:])


@backend("PS-QRY-010")
class ThousandMatches(SnapshotBackend):
    """A search gives a thousand records at most, and no token for the rest."""

    def select(self, query: Query) -> Page:
        limit = min(query.limit or 1000, 1000)
        page = super().select(replace(query, limit=limit))
        return page if query.limit == limit else replace(page, next_cursor=None)
