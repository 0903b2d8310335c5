"""Tables written row by row, past the plugin's own writer, to run queries on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pipestat_sql.database.connections import Session
from pipestat_sql.queries import TableReader, distinct_values, recent_page, select_page
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable
from pipestat_sql.tables.result_columns import ResultColumn

from pipestat_spec.domain import query as meaning
from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import Record, RecordKey
from tests.sql.databases import Database

TYPES = {
    Kind.INTEGER: ("BIGINT", "BIGINT"),
    Kind.NUMBER: ("DOUBLE PRECISION", "DOUBLE PRECISION"),
    Kind.STRING: ("TEXT", "TEXT"),
    Kind.BOOLEAN: ("BOOLEAN", "BOOLEAN"),
    Kind.JSON: ("JSON TEXT", "JSON"),
}
ToRecord = Callable[[Mapping[str, Any]], Record]
_COLUMN_TYPES: dict[Kind, Callable[[], Any]] = {
    Kind.INTEGER: sa.BigInteger,
    Kind.NUMBER: sa.Double,
    Kind.STRING: sa.Text,
    Kind.BOOLEAN: sa.Boolean,
    Kind.JSON: sa.types.NullType,
}
_SYSTEM = {
    "record_identifier": sa.Text,
    "project_name": sa.Text,
    "status": sa.Text,
    "pipestat_created_time": sa.types.NullType,
    "pipestat_modified_time": sa.types.NullType,
    "pipestat_extended_data": sa.types.NullType,
    "meta": sa.types.NullType,
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def json_text(value: JSONValue) -> str:
    """Return JSON as the plugin writes it: whole doubles below 2^64 digit by digit."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2.0**64:
        return ("-" if str(value).startswith("-") else "") + f"{abs(int(value))}.0"
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}: {json_text(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@dataclass
class Rows:
    """A table of one kind of rows, and the same records in memory.

    `extended` names results whose values go to `pipestat_extended_data` in spite of a column.
    """

    database: Database
    kinds: Mapping[str, Kind]
    layout: Layout = "records"
    binary: bool = False
    name: str = "rows"
    records: dict[str, Record] = field(default_factory=dict)
    searches: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        postgresql = self.database.dialect == "postgresql"
        stamp = "TIMESTAMP" if postgresql else "TEXT"
        json_type = ("JSONB" if self.binary else "JSON") if postgresql else "JSON TEXT"
        number = "BIGSERIAL" if postgresql else "INTEGER"
        parts = [
            f"id {number} PRIMARY KEY",
            "record_identifier TEXT NOT NULL UNIQUE",
            "project_name TEXT",
            "status TEXT",
            f"pipestat_created_time {stamp}",
            f"pipestat_modified_time {stamp}",
            f"pipestat_extended_data {json_type}",
            f"meta {json_type}",
        ]
        for name, kind in self.kinds.items():
            type_ = json_type if kind is Kind.JSON else TYPES[kind][postgresql]
            parts.append(f"{quoted(name)} {type_}")
        self.database.execute(f"drop table if exists {quoted(self.name)}")
        self.database.execute(f"create table {quoted(self.name)} ({', '.join(parts)})")
        columns: list[sa.Column[Any]] = [sa.Column("id", sa.BigInteger)]
        columns += [sa.Column(name, type_()) for name, type_ in _SYSTEM.items()]
        columns += [sa.Column(name, _COLUMN_TYPES[kind]()) for name, kind in self.kinds.items()]
        schema = self.database.options.get("schema")
        table = sa.Table(self.name, sa.MetaData(), *columns, schema=schema)
        results = {name: ResultColumn(name, name, kind) for name, kind in self.kinds.items()}
        project = "project" if self.layout == "levels" else None
        self.table = RecordTable(table, "sample", self.layout, results, project)

    def add(self, *records: Record, extended: Sequence[str] = ()) -> None:
        rows = [self._row(record, extended) for record in records]
        names = ", ".join(map(quoted, [*_SYSTEM, *self.kinds]))
        mark = "?"
        if self.database.dialect == "postgresql":
            mark, names = "%s", names.replace("%", "%%")
        marks = ", ".join([mark] * (len(_SYSTEM) + len(self.kinds)))
        statement = f"insert into {quoted(self.name)} ({names}) values ({marks})"
        with self.database.connection() as connection:
            connection.execute("begin")
            connection.cursor().executemany(statement, rows)
            connection.execute("commit")
        for record in records:
            self.records[record.key.identifier] = record

    def _row(self, record: Record, extended: Sequence[str]) -> list[Any]:
        inside = {
            name: value
            for name, value in record.results.items()
            if name not in self.kinds or name in extended or self._loses_sign(name, value)
        }
        times = {"created": record.created, "modified": record.modified}
        meta = {name: format_utc(time) for name, time in times.items() if time is not None}
        row: list[Any] = [record.key.identifier, "project", record.status]
        row += [time and time.strftime("%Y-%m-%d %H:%M:%S.%f") for time in times.values()]
        row += [json_text(inside) if inside else None, json_text(meta)]
        for name, kind in self.kinds.items():
            if name not in record.results or name in inside:
                row.append(None)
            else:
                value = record.results[name]
                row.append(json_text(value) if kind is Kind.JSON else value)
        return row

    def _loses_sign(self, name: str, value: JSONValue) -> bool:
        # SQLite makes 0.0 of -0.0 in a column of numbers.
        return (
            self.kinds[name] is Kind.NUMBER
            and repr(value) == "-0.0"
            and (self.database.dialect == "sqlite")
        )

    def to_record(self, row: Mapping[str, Any]) -> Record:
        results: dict[str, JSONValue] = {}
        for name, kind in self.kinds.items():
            value = row.get(name)
            if value is not None:
                if kind is Kind.JSON and isinstance(value, str):
                    value = json.loads(value)
                results[name] = bool(value) if kind is Kind.BOOLEAN else value
        extended = row["pipestat_extended_data"]
        results |= json.loads(extended) if isinstance(extended, str) else extended or {}
        created, modified = (
            None if time is None else datetime.fromisoformat(str(time)).replace(tzinfo=UTC)
            for time in (row["pipestat_created_time"], row["pipestat_modified_time"])
        )
        key = RecordKey("sample", row["record_identifier"])
        return Record(key, results, row["status"], created=created, modified=modified)

    @contextmanager
    def connected(self) -> Iterator[Session]:
        with Session(self.database.engine, set()) as session:
            yield session

    # The same question to the database and to memory

    def sorted_records(self) -> list[Record]:
        return [self.records[name] for name in sorted(self.records)]

    def reader(self, connection: Session, to_record: ToRecord | None = None) -> TableReader:
        make = to_record or self.to_record
        return TableReader(connection, self.table, make, searches=self.searches)

    def select(self, connection: Session, query: Query) -> Page:
        return select_page(self.reader(connection), query)

    def check_select(self, connection: Session, query: Query) -> Page:
        page = self.select(connection, query)
        assert comparable(page) == comparable(meaning.select(self.sorted_records(), query)), query
        return page

    def check_distinct(self, connection: Session, columns: Sequence[str]) -> None:
        found = distinct_values(self.reader(connection), columns)
        expected = meaning.distinct(self.sorted_records(), columns)
        assert list(map(exact, found)) == list(map(exact, expected)), columns

    def check_recent(self, connection: Session, *arguments: Any) -> Page:
        page = recent_page(self.reader(connection), *arguments)
        expected = meaning.recent(self.sorted_records(), *arguments)
        assert comparable(page) == comparable(expected), arguments
        return page


def exact(value: Any) -> Any:
    """Return something that is equal only for values of the same types, -0.0 apart from 0.0."""
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(exact, value)]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return type(value).__name__, repr(value)


def comparable(page: Page) -> Any:
    records = [
        (record.key, exact(record.results), replace(record, results={})) for record in page.records
    ]
    return records, page.total_size, page.next_cursor


def in_batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
