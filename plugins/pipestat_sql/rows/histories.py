"""History tables of both layouts (PS-SQL-012, PS-SQL-013)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.history import expired
from pipestat_spec.domain.times import as_utc, format_utc
from pipestat_spec.json_values import MAX_INTEGER, same_value
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Record
from pipestat_sql.database.connections import Session
from pipestat_sql.rows.codec import Row
from pipestat_sql.rows.column_values import is_too_wide, reader_of, stored_time
from pipestat_sql.rows.json_text import dump, load
from pipestat_sql.rows.statements import (
    INSERT,
    UPDATE,
    Statement,
    Writes,
    compiled,
    is_one_of,
    listed,
)
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable, existing_table

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = ["Histories", "histories_of"]


class Histories(ABC):
    """The history of the records of one table, in a table of its own."""

    # The column that tells whose history a row is, the one of the records that it names, those to
    # read, and those to order by.
    owner: str
    owned_by: str
    columns: tuple[str, ...]
    order: tuple[str, ...]

    def __init__(self, records: RecordTable, dialect: Dialect) -> None:
        self._records = records
        self._types = records.history_types
        self._dialect = dialect
        self._is_postgresql = dialect.name == "postgresql"

    @cached_property
    def _history(self) -> sa.Table:
        records = self._records
        return existing_table(
            str(records.history),
            self._types,
            records.table.schema,
            is_postgresql=self._is_postgresql,
        )

    def _select(self, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        columns: Any = map(sa.literal_column, self.columns)
        rows: sa.Select[Any] = sa.select(*columns).select_from(self._history).where(condition)
        return rows.order_by(*(sa.column(name) for name in self.order if name in self._types))

    def _select_one(self) -> sa.Select[Any]:
        return self._select(self._history.c[self.owner] == sa.bindparam("owner"))

    @cached_property
    def _of_one(self) -> Statement:
        return compiled(self._select_one(), self._dialect)

    @cached_property
    def _of_many(self) -> Statement:
        owned = is_one_of(self._history.c[self.owner], "owners", self._dialect)
        return compiled(self._select(owned), self._dialect)

    @cached_property
    def _removal(self) -> Statement:
        removal = sa.delete(self._history).where(
            self._history.c[self.owner] == sa.bindparam("owner")
        )
        return compiled(removal, self._dialect)

    @cached_property
    def _inserts(self) -> Writes:
        return Writes(INSERT, self._history, self._dialect)

    def _fetch(self, session: Session, owners: Sequence[Any]) -> Any:
        """Ask for the rows of some records, oldest first; return the cursor."""
        if len(owners) == 1:
            return session.execute(self._of_one.text, {"owner": owners[0]})
        return session.execute(self._of_many.text, {"owners": listed(owners, self._dialect)})

    @abstractmethod
    def read(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        """Return the histories of records, in the order of their rows, oldest first."""

    @abstractmethod
    def add(
        self, session: Session, row: Row, record: Record, entries: Sequence[HistoryEntry]
    ) -> None:
        """Store entries of one change."""

    @abstractmethod
    def remove(self, session: Session, row: Row) -> None:
        """Remove the history of a record."""

    @abstractmethod
    def prune(self, session: Session, rows: Sequence[Row], limit: HistoryLimit) -> int:
        """Remove what `domain.history.expired` tells of the histories of records; return how many.

        Entries are removed, the records stay as they are.
        """

    @property
    def some(self) -> sa.ColumnElement[bool]:
        """The condition that a row of the records has a history."""
        owner = self._records.table.c[self.owned_by]
        return sa.exists().where(self._history.c[self.owner] == owner)

    def adopt(self, session: Session, row: Row) -> None:  # noqa: B027
        """Make entries of what another program left, before the record changes."""


class _RecordHistories(Histories):
    """The table `{namespace}__history`: one row per entry."""

    owner, owned_by = "record_identifier", "record_identifier"
    columns = ("record_identifier", "result", "value", "time")
    order = ("time", "id")

    def read(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        found: dict[str, list[HistoryEntry]] = {row.record.key.identifier: [] for row in rows}
        for owner, result, value, time in self._fetch(session, list(found)).fetchall():
            found[owner].append(HistoryEntry(result, load(value), _as_utc(time)))
        return list(found.values())

    def add(
        self,
        session: Session,
        row: Row,  # noqa: ARG002
        record: Record,
        entries: Sequence[HistoryEntry],
    ) -> None:
        statement, rows, type_name = "", [], self._types["time"]
        for entry in entries:
            values = {
                "record_identifier": record.key.identifier,
                "result": entry.result,
                "value": dump(entry.value),
                "time": stored_time(entry.time, type_name, is_postgresql=self._is_postgresql),
            }
            statement, parameters = self._inserts.of(values)
            rows.append(parameters)
        session.run_many(statement, rows)

    def remove(self, session: Session, row: Row) -> None:
        session.execute(self._removal.text, {"owner": row.record.key.identifier})

    @cached_property
    def _pruning(self) -> Statement:
        """What removes the rows of some records beyond the last `keep`, or before a time."""
        entry = self._history.c
        newest = (entry.time.desc(), entry.id.desc())
        place = sa.func.row_number().over(
            partition_by=(entry.record_identifier, entry.result), order_by=newest
        )
        owned = is_one_of(entry.record_identifier, "owners", self._dialect)
        placed = sa.select(entry.id, entry.time, place.label("place")).where(owned).subquery()
        gone = sa.or_(
            placed.c.place > sa.bindparam("keep", type_=sa.BigInteger),
            placed.c.time < sa.bindparam("since", type_=entry.time.type),
        )
        numbers = sa.select(placed.c.id).where(gone)
        return compiled(sa.delete(self._history).where(entry.id.in_(numbers)), self._dialect)

    def prune(self, session: Session, rows: Sequence[Row], limit: HistoryLimit) -> int:
        keep, since = limit
        values = {
            "owners": listed([row.record.key.identifier for row in rows], self._dialect),
            "keep": None if keep is None else min(keep, MAX_INTEGER),
            "since": since
            and stored_time(since, self._types["time"], is_postgresql=self._is_postgresql),
        }
        return int(session.execute(self._pruning.text, values).rowcount)


class _LevelHistories(Histories):
    """The tables `{table}_history` of pipestat's: one row per change, with our `meta`."""

    owner, owned_by, columns, order = "source_record_id", "id", ("*",), ("id",)

    @cached_property
    def _updates(self) -> Writes:
        return Writes(UPDATE, self._history, self._dialect)

    def read(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        found = self._rows(session, [row.id for row in rows])
        return [self._entries(found[row.id], row) for row in rows]

    def _entries(self, found: list[dict[str, Any]], row: Row) -> list[HistoryEntry]:
        return [entry for _, entry in self._placed(found, row)]

    def _placed(self, found: list[dict[str, Any]], row: Row) -> list[tuple[int, HistoryEntry]]:
        """Return the entries of a record, oldest first, with the places of their rows."""
        copied = self._copied(found, row.record)
        placed: list[tuple[int, HistoryEntry]] = []
        for number, one in enumerate(found):
            entries = copied[number] if number in copied else _written(one)
            placed += [(number, entry) for entry in entries]
        return sorted(placed, key=lambda entry: entry[1].time)

    def _rows(self, session: Session, owners: Sequence[Any]) -> dict[Any, list[dict[str, Any]]]:
        """Return the rows of the table by owner, oldest first, each by column name."""
        found: dict[Any, list[dict[str, Any]]] = {owner: [] for owner in owners}
        for one in _by_name(self._fetch(session, owners)):
            found[one[self.owner]].append(one)
        return found

    def _copied(
        self, rows: Sequence[Mapping[str, Any]], record: Record
    ) -> dict[int, list[HistoryEntry]]:
        """Return the entries that pipestat's copies of former rows stand for (PS-SQL-013)."""
        copies = [number for number, one in enumerate(rows) if one.get("meta") is None]
        entries: dict[int, list[HistoryEntry]] = {}
        for place, number in enumerate(copies):
            old = self._results(rows[number])
            if place + 1 < len(copies):
                following = rows[copies[place + 1]]
                new: Mapping[str, Any] = self._results(following)
                time = _from_local(following["pipestat_modified_time"])
            else:
                new, time = record.results, record.modified
            entries[number] = [
                HistoryEntry(name, value, time or datetime.fromtimestamp(0, UTC))
                for name, value in old.items()
                if name not in new or not same_value(value, new[name])
            ]
        return entries

    def _results(self, row: Mapping[str, Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for identifier, column in self._records.results.items():
            value = row.get(column.name)
            if value is not None:
                read = reader_of(column.kind, is_postgresql=self._is_postgresql)
                results[identifier] = value if read is None else read(value)
        extended = load(row.get("pipestat_extended_data"))
        if isinstance(extended, dict):
            results.update(extended)
        return results

    def adopt(self, session: Session, row: Row) -> None:
        found = self._rows(session, [row.id])[row.id]
        for number, entries in self._copied(found, row.record).items():
            time = entries[0].time if entries else datetime.now(UTC)
            values = {"meta": _meta(time, entries)}
            session.execute(*self._updates.of(values, found[number]["id"]))

    def add(
        self, session: Session, row: Row, record: Record, entries: Sequence[HistoryEntry]
    ) -> None:
        by_time: dict[datetime, list[HistoryEntry]] = {}
        for entry in entries:
            by_time.setdefault(entry.time, []).append(entry)
        for time, changed in by_time.items():
            type_name = self._types.get("pipestat_modified_time", "")
            modified = stored_time(time, type_name, is_postgresql=self._is_postgresql)
            values = {
                "source_record_id": row.id,
                "record_identifier": record.key.identifier,
                "project_name": self._records.project_name,
                "pipestat_modified_time": modified,
                "meta": _meta(time, changed),
                **dict(self._columns(changed)),
            }
            known = {name: value for name, value in values.items() if name in self._types}
            session.execute(*self._inserts.of(known))

    def _columns(self, entries: Iterable[HistoryEntry]) -> Iterator[tuple[str, Any]]:
        """Yield the old values that fit their columns; `meta` has all of them."""
        for entry in entries:
            column, value = self._records.results.get(entry.result), entry.value
            if column is None or column.name == self.owner:
                continue
            if self._types.get(column.name) != self._records.types[column.name]:
                continue
            if column.kind is Kind.JSON:
                yield column.name, dump(value)
            elif type(value) is _PLAIN[column.kind] and not is_too_wide(column, value):
                yield column.name, value

    def remove(self, session: Session, row: Row) -> None:
        session.execute(self._removal.text, {"owner": row.id})

    @cached_property
    def _lock(self) -> Statement:
        return compiled(self._select_one().with_for_update(), self._dialect)

    @cached_property
    def _removal_of_rows(self) -> Statement:
        numbers = is_one_of(self._history.c.id, "ids", self._dialect)
        return compiled(sa.delete(self._history).where(numbers), self._dialect)

    def prune(self, session: Session, rows: Sequence[Row], limit: HistoryLimit) -> int:
        return sum(self._prune(session, row, limit) for row in rows)

    def _prune(self, session: Session, row: Row, limit: HistoryLimit) -> int:
        # Locked: of two who write what is left, the second writes what is left of that.
        lock = partial(session.execute, self._lock.text, {"owner": row.id})
        found = _by_name(lock())
        placed = self._placed(found, row)
        gone = expired([entry for _, entry in placed], limit)
        if not gone:
            return 0
        if any(one.get("meta") is None for one in found):
            # What a copy stands for, the next one tells.
            self.adopt(session, row)
            found = _by_name(lock())
        names: dict[int, set[str]] = {}
        for place in gone:
            number, entry = placed[place]
            names.setdefault(number, set()).add(entry.result)
        emptied = []
        for number, results in names.items():
            one = found[number]
            values = self._without(one, results)
            if values is None:
                emptied.append(one["id"])
            else:
                session.execute(*self._updates.of(values, one["id"]))
        if emptied:
            ids = {"ids": listed(emptied, self._dialect)}
            session.execute(self._removal_of_rows.text, ids)
        return len(gone)

    def _without(self, one: Mapping[str, Any], results: set[str]) -> dict[str, Any] | None:
        """Return what a row without some of its entries has to say, None for nothing."""
        meta: Any = load(one["meta"])
        kept = {name: value for name, value in meta["values"].items() if name not in results}
        if not kept:
            return None
        known = self._records.results
        columns = {known[name].name for name in results if name in known}
        cleared = dict.fromkeys((columns - {self.owner}) & one.keys())
        return {**cleared, "meta": dump({**meta, "values": kept})}


_PLAIN: dict[Kind, type] = {
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.STRING: str,
    Kind.BOOLEAN: bool,
}


def _by_name(cursor: Any) -> list[dict[str, Any]]:
    """Return the rows of a cursor, each by column name."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def _written(row: Mapping[str, Any]) -> list[HistoryEntry]:
    """Return the entries of a row that a program of this specification wrote."""
    meta = load(row["meta"])
    values = meta.get("values") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(values, dict):
        return []
    text = meta.get("time")
    time = _as_utc(text if isinstance(text, str) else row["pipestat_modified_time"])
    return [HistoryEntry(name, value, time) for name, value in values.items()]


def _meta(time: datetime, entries: Iterable[HistoryEntry]) -> str:
    values = {entry.result: entry.value for entry in entries}
    return dump({"time": format_utc(time), "values": values})


def _as_utc(value: Any) -> datetime:
    return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _from_local(value: Any) -> datetime | None:
    """Return a time of pipestat's: without a zone it is the local time of who wrote it."""
    if value is None:
        return None
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    utc: datetime = time.astimezone(UTC)
    return utc


def histories_of(table: RecordTable, dialect: Dialect) -> Histories | None:
    """Return the history of a table; None while there is no history table."""
    if table.history is None:
        return None
    kind = _RecordHistories if table.layout == "records" else _LevelHistories
    return kind(table, dialect)
