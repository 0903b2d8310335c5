"""`diff`: what differs between two stores, two namespaces, or one store at two times."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipestat_spec.backend import Capability
from pipestat_spec.differences.comparison import CONDITIONS, Comparison, Condition, Side
from pipestat_spec.domain.comparison.criteria import (
    BETTER,
    Better,
    Criteria,
    Criterion,
    parse_tolerance,
)
from pipestat_spec.domain.comparison.records import compare_records
from pipestat_spec.domain.comparison.schemas import schema_differences
from pipestat_spec.domain.past import NOT_KNOWN, record_at
from pipestat_spec.domain.times import as_utc, format_utc, parse_time, utc_now
from pipestat_spec.errors import (
    InvalidTimeFormatError,
    MissingConfigDataError,
    StoreNotFoundError,
)
from pipestat_spec.many_objects import collection_paused
from pipestat_spec.models.record import LEVELS, Level, Record
from pipestat_spec.opening import open_store
from pipestat_spec.places import settings_at
from pipestat_spec.store import Store
from pipestat_spec.text.strings import shown_address

if TYPE_CHECKING:
    from pipestat_spec.json_values import JSONValue

__all__ = [
    "CONDITIONS",
    "Comparison",
    "Condition",
    "Differences",
    "Side",
    "compare",
    "diff",
    "given_criteria",
    "open_side",
]


class Differences(Comparison):
    """What differs between two stores, in each format."""

    def as_json(self) -> dict[str, JSONValue]:
        """Return everything as `--format json` prints it (`diff.schema.json`)."""
        from pipestat_spec.differences.document import document

        return document(self)

    def markdown(self, limit: int = 20) -> str:
        """Return Markdown that fits into a comment on GitHub; at most `limit` rows of a kind."""
        from pipestat_spec.differences.markdown import markdown

        return markdown(self, limit)

    def html(self, limit: int = 1000) -> str:
        """Return a page that fetches nothing; at most `limit` rows of a kind, 0 for all."""
        from pipestat_spec.differences.page import page

        return page(self, limit)


def diff(
    before: object,
    after: object = None,
    *,
    at: str | datetime | None = None,
    after_at: str | datetime | None = None,
    level: Level | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    tolerances: Mapping[str, object] | None = None,
    better: Mapping[str, Better] | None = None,
    **settings: Any,
) -> Differences:
    """Compare two stores; each is a path, an address, a configuration file, or a manager.

    Without `after` it is the same store. `at` is the time at which `before` is looked at, and
    `after_at` that of `after`; both now without one. `atol` and `rtol` hold for results of which
    neither the output schema nor `tolerances`, `{result: 0.01}` or `{result: "1%"}`, says one.
    `settings` are keys of the configuration, such as `schema_path`, for the stores that are opened
    here. Raises StoreNotFoundError, also for a time before the first record, and
    MissingConfigDataError.
    """
    criteria = given_criteria(tolerances or {}, better or {})
    with ExitStack() as stack:

        def side(given: object, at: str | datetime | None) -> Side:
            store = getattr(given, "store", given)
            if isinstance(store, Store):
                return Side(store, shown_address(store.place or store.namespace), _moment(at))
            if not isinstance(given, str | os.PathLike):
                raise MissingConfigDataError(
                    f"{given!r} is no store", hint="give a path, an address or a PipestatManager"
                )
            found = open_side(os.fspath(given), settings, at)
            stack.enter_context(closing(found.store))
            return found

        first = side(before, at)
        second = side(before if after is None else after, after_at)
        return compare(first, second, level, Criterion(atol, rtol), criteria)


def open_side(
    place: str | None, settings: Mapping[str, Any], at: str | datetime | None = None
) -> Side:
    """Open one side: a path, an address, a configuration file, or None: the configured store.

    Raises StoreNotFoundError when it is not there, and what `open_store` does.
    """
    moment = _moment(at)
    found = open_store(*settings_at(place, settings))
    try:
        found.check_exists()
    except BaseException:
        found.store.close()
        raise
    shown = place or found.store.place or found.backend
    return Side(found.store, shown_address(shown), moment)


def _moment(at: str | datetime | None) -> datetime | None:
    if at is None:
        return None
    moment = as_utc(at) if isinstance(at, datetime) else parse_time(at)
    if moment > utc_now():
        raise InvalidTimeFormatError(
            f"{format_utc(moment)} is in the future", hint="leave the time out for now"
        )
    return moment


def given_criteria(
    tolerances: Mapping[str, object], better: Mapping[str, str]
) -> dict[str, Criterion]:
    """Return what callers say of results; raises MissingConfigDataError."""
    found = {name: parse_tolerance(given, name) for name, given in tolerances.items()}
    for name, word in better.items():
        if word not in BETTER:
            raise MissingConfigDataError(
                f"{name}: {word!r} is no direction", hint="higher or lower is better"
            )
        known: Better = "higher" if word == "higher" else "lower"
        found[name] = found.get(name, Criterion())._replace(better=known)
    return found


def compare(
    before: Side,
    after: Side,
    level: Level | None = None,
    general: Criterion = Criterion(),  # noqa: B008 (immutable)
    given: Mapping[str, Criterion] | None = None,
) -> Differences:
    """Compare two sides, without `level` on both levels; neither is loaded as a whole.

    Raises StoreNotFoundError for a time before the first record, UnsupportedOperation for a time
    of a store that keeps no history, SchemaError for a tolerance in a schema that is none.
    """
    found = Differences(before, after, schema_differences(before.store.schema, after.store.schema))
    criteria = Criteria((after.store.schema, before.store.schema), general, given)
    for side in (before, after):
        if level is not None:
            side.store.rules.check_level(level)
    readers = [_Reader(side) for side in (before, after)]
    with collection_paused():
        for one in LEVELS:
            if level in (None, one):
                streams = [reader.records(one) for reader in readers]
                found.levels[one] = compare_records(one, streams[0], streams[1], criteria)
    for reader in readers:
        reader.check()
        found.notes += reader.notes()
    if level is None and not (found.levels["project"].before or found.levels["project"].after):
        del found.levels["project"]
    if found.before.store.schema is None or found.after.store.schema is None:
        known = {found.before.store.schema, found.after.store.schema} - {None}
        if known:
            found.notes.append("only one side has an output schema: schemas are not compared")
    return found


class _Reader:
    """Reads the records of a side, as they were at its time."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._first: datetime | None = None
        self._were_there = False
        self._changed_since = 0
        if side.at is not None:
            side.store.rules.require(Capability.TIMES, "a comparison with an earlier time")
            side.store.rules.require(Capability.HISTORY, "a comparison with an earlier time")

    def records(self, level: Level) -> Iterator[Record]:
        store, at = self._side.store, self._side.at
        if level not in store.levels:
            return
        if at is None:
            yield from store.scan(level)
            return
        histories = store.histories(level)
        key, entries = next(histories, (None, []))
        for record in store.scan(level):
            while key is not None and key.identifier < record.key.identifier:
                key, entries = next(histories, (None, []))
            own = entries if key == record.key else []
            then = record_at(record, own, at)
            if then is None:
                assert record.created is not None
                self._first = min(self._first or record.created, record.created)
                continue
            self._were_there = True
            if then.results is not record.results or then.status == NOT_KNOWN:
                self._changed_since += 1
                if (judge := store.judge(level)) is not None:
                    # For a rule, a status that is not known is none.
                    status = None if then.status == NOT_KNOWN else then.status
                    judged = judge.judgement(replace(then, status=status))
                    then = replace(then, judgement=judged)
            yield then

    def check(self) -> None:
        """Raise StoreNotFoundError when all records are younger than the time."""
        if self._first is not None and not self._were_there and self._side.at is not None:
            raise StoreNotFoundError(
                f"{self._side.place} held no record yet at {format_utc(self._side.at)}",
                hint=f"the first of those that it holds is of {format_utc(self._first)}",
            )

    def notes(self) -> Iterator[str]:
        if self._changed_since and self._side.at is not None:
            yield (
                f"{self._side.place} at {format_utc(self._side.at)} is told by its history: "
                "records that were removed since are not in it, and a result that was reported "
                "first since then counts as there, with its first value"
            )
