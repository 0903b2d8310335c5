"""History tables of both layouts (PS-SQL-012, PS-SQL-013)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipestat_spec.domain.times import as_utc, format_utc
from pipestat_spec.domain.values import same_value
from pipestat_spec.models.record import HistoryEntry, Record
from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.rows.codec import Row
from pipestat_sql.rows.column_values import is_too_wide, reader_of, stored_time
from pipestat_sql.rows.json_text import dump, load
from pipestat_sql.rows.statements import insert_into
from pipestat_sql.tables.shape import Kind
from pipestat_sql.tables.tables import StoredTable

__all__ = ["Histories", "LevelHistories", "RecordHistories", "histories_for"]


class Histories(ABC):
    """What both layouts have in common; `rows` gives statements and parameters to run."""

    def __init__(
        self, database: Database, table: StoredTable, qualified: Callable[[str], str]
    ) -> None:
        assert table.history is not None
        self._database = database
        self._table = table
        self._types = table.history_types
        self._name = qualified(table.history)
        self._records = qualified(str(table.shape.table.name))
        self._place = database.placeholder

    def read(self, session: Session, row: Row) -> list[HistoryEntry]:
        """Return the history of one record, oldest first."""
        return self.read_many(session, [row])[0]

    @abstractmethod
    def read_many(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        """Return the histories of records, in the order of their rows."""

    def _fetch(
        self, session: Session, columns: str, key: str, values: Sequence[Any], order: str
    ) -> Any:
        """Run the query for the entries of some records; return its cursor."""
        if self._database.is_postgresql:
            wanted, parameters = f"{key} = ANY(%s)", (list(values),)
        else:
            wanted, parameters = f"{key} IN ({', '.join('?' * len(values))})", tuple(values)
        statement = f"SELECT {columns} FROM {self._name} WHERE {wanted} ORDER BY {order}"
        return session.execute(statement, parameters)

    @abstractmethod
    def add(
        self, session: Session, row: Row, record: Record, entries: Sequence[HistoryEntry]
    ) -> None:
        """Store entries of one change."""

    @abstractmethod
    def remove(self, session: Session, row: Row) -> None:
        """Remove the history of a record."""

    def adopt(self, session: Session, row: Row) -> None:  # noqa: B027
        """Settle what another program left, before the record changes."""

    def _decoded_time(self, value: Any) -> datetime:
        return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)

    def _time(self, column: str, time: datetime) -> Any:
        return stored_time(
            time, self._types.get(column, ""), is_postgresql=self._database.is_postgresql
        )


class RecordHistories(Histories):
    """The table `{namespace}__history`: one row per entry."""

    def read_many(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        found: dict[str, list[HistoryEntry]] = {row.record.key.identifier: [] for row in rows}
        columns = "record_identifier, result, value, time"
        order = "time, id" if "id" in self._types else "time"
        cursor = self._fetch(session, columns, "record_identifier", list(found), order)
        for identifier, result, value, time in cursor.fetchall():
            entry = HistoryEntry(result, load(value), self._decoded_time(time))
            found[identifier].append(entry)
        return list(found.values())

    def add(
        self,
        session: Session,
        row: Row,  # noqa: ARG002
        record: Record,
        entries: Sequence[HistoryEntry],
    ) -> None:
        columns = ("record_identifier", "result", "value", "time")
        one = f"({', '.join([self._place] * 4)})"
        text = f"INSERT INTO {self._name} ({', '.join(columns)}) VALUES "
        # SQLite takes some 32,000 parameters, PostgreSQL 65,535.
        for first in range(0, len(entries), 1000):
            part = entries[first : first + 1000]
            parameters = [
                value
                for entry in part
                for value in (
                    record.key.identifier,
                    entry.result,
                    dump(entry.value),
                    self._time("time", entry.time),
                )
            ]
            session.execute(text + ", ".join([one] * len(part)), parameters)

    def remove(self, session: Session, row: Row) -> None:
        statement = f"DELETE FROM {self._name} WHERE record_identifier = {self._place}"
        session.execute(statement, (row.record.key.identifier,))


class LevelHistories(Histories):
    """The tables `{table}_history` of pipestat's: one row per change, with our `meta`."""

    def read_many(self, session: Session, rows: Sequence[Row]) -> list[list[HistoryEntry]]:
        found = self._rows(session, rows)
        return [self._entries(found[row.id], row) for row in rows]

    def _entries(self, found: list[dict[str, Any]], row: Row) -> list[HistoryEntry]:
        settled = self._settled(found, row.record)
        entries: list[HistoryEntry] = []
        for number, one in enumerate(found):
            if number in settled:
                entries += settled[number]
                continue
            meta = load(one["meta"])
            values = meta.get("values") if isinstance(meta, dict) else None
            if isinstance(values, dict):
                time = self._own_time(meta, one)
                entries += [HistoryEntry(name, value, time) for name, value in values.items()]
        return sorted(entries, key=lambda entry: entry.time)

    def _rows(self, session: Session, rows: Sequence[Row]) -> dict[Any, list[dict[str, Any]]]:
        found: dict[Any, list[dict[str, Any]]] = {row.id: [] for row in rows}
        cursor = self._fetch(session, "*", "source_record_id", list(found), "id")
        names = [column[0] for column in cursor.description]
        for values in cursor.fetchall():
            one = dict(zip(names, values, strict=True))
            found[one["source_record_id"]].append(one)
        return found

    def _own_time(self, meta: Mapping[str, Any], row: Mapping[str, Any]) -> datetime:
        text = meta.get("time")
        value = text if isinstance(text, str) else row["pipestat_modified_time"]
        return self._decoded_time(value)

    def _settled(
        self, rows: Sequence[Mapping[str, Any]], record: Record
    ) -> dict[int, list[HistoryEntry]]:
        """Return the entries that pipestat's copies of former rows stand for (PS-SQL-013)."""
        copies = [number for number, one in enumerate(rows) if one.get("meta") is None]
        settled: dict[int, list[HistoryEntry]] = {}
        for place, number in enumerate(copies):
            old = self._results(rows[number])
            if place + 1 < len(copies):
                following = rows[copies[place + 1]]
                new: Mapping[str, Any] = self._results(following)
                time = self._foreign_time(following["pipestat_modified_time"])
            else:
                new, time = record.results, record.modified
            settled[number] = [
                HistoryEntry(name, value, time or datetime.fromtimestamp(0, UTC))
                for name, value in old.items()
                if name not in new or not same_value(value, new[name])
            ]
        return settled

    def _foreign_time(self, value: Any) -> datetime | None:
        if value is None:
            return None
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        # Without a zone it is the local time of who wrote it.
        local: datetime = time.astimezone(UTC)
        return local

    def _results(self, row: Mapping[str, Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for identifier, column in self._table.shape.results.items():
            value = row.get(column.name)
            if value is not None:
                read = reader_of(column.kind, self._database.is_postgresql)
                results[identifier] = value if read is None else read(value)
        extended = load(row.get("pipestat_extended_data"))
        if isinstance(extended, dict):
            results.update(extended)
        return results

    def adopt(self, session: Session, row: Row) -> None:
        found = self._rows(session, [row])[row.id]
        update = f"UPDATE {self._name} SET meta = {self._place} WHERE id = {self._place}"
        for number, entries in self._settled(found, row.record).items():
            time = entries[0].time if entries else datetime.now(UTC)
            session.execute(update, (_meta(time, entries), found[number]["id"]))

    def add(
        self, session: Session, row: Row, record: Record, entries: Sequence[HistoryEntry]
    ) -> None:
        by_time: dict[datetime, list[HistoryEntry]] = {}
        for entry in entries:
            by_time.setdefault(entry.time, []).append(entry)
        for time, changed in by_time.items():
            values = {
                "source_record_id": row.id,
                "record_identifier": record.key.identifier,
                "project_name": self._table.shape.project_name,
                "pipestat_modified_time": self._time("pipestat_modified_time", time),
                "meta": _meta(time, changed),
                **dict(self._columns(changed)),
            }
            names = [name for name in values if name in self._types]
            statement = insert_into(self._name, names, self._database.quote, self._place)
            session.execute(statement, [values[name] for name in names])

    def _columns(self, entries: Iterable[HistoryEntry]) -> Iterator[tuple[str, Any]]:
        """Yield the old values that fit their columns; `meta` has all of them."""
        for entry in entries:
            column = self._table.shape.results.get(entry.result)
            if column is None or self._types.get(column.name) != self._table.types[column.name]:
                continue
            if column.name == "source_record_id":
                continue
            if column.kind is Kind.JSON:
                yield column.name, dump(entry.value)
            elif type(entry.value) is _PLAIN[column.kind] and not is_too_wide(
                entry.value, self._types[column.name], is_postgresql=self._database.is_postgresql
            ):
                yield column.name, entry.value

    def remove(self, session: Session, row: Row) -> None:
        statement = f"DELETE FROM {self._name} WHERE source_record_id = {self._place}"
        session.execute(statement, (row.id,))


_PLAIN: dict[Kind, type] = {
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.STRING: str,
    Kind.BOOLEAN: bool,
}


def _meta(time: datetime, entries: Iterable[HistoryEntry]) -> str:
    values = {entry.result: entry.value for entry in entries}
    return dump({"time": format_utc(time), "values": values})


def histories_for(
    database: Database, table: StoredTable, qualified: Callable[[str], str]
) -> Histories | None:
    """Return the history of a table; None while there is no history table."""
    if table.history is None:
        return None
    kind = RecordHistories if table.shape.layout == "records" else LevelHistories
    return kind(database, table, qualified)
