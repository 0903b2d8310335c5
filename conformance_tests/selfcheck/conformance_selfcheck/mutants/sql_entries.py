"""Mutants of spec/sql.md: the tables of the history, and the copies that the reference left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conformance_selfcheck.mutants import sql_names as names
from conformance_selfcheck.mutants.sql_history import Histories
from conformance_selfcheck.mutants.sql_names import SYSTEM
from conformance_selfcheck.mutants.sql_store import SqliteTables
from conformance_selfcheck.mutants.sql_tables import NamespaceTables, Row
from conformance_selfcheck.mutants.sql_target import tables
from pipestat_spec.models.record import HistoryEntry, RecordKey


class _RowsStay(Histories):
    @classmethod
    def delete(cls, store: NamespaceTables, key: RecordKey, row: Row) -> None:
        """Leave the rows."""


@tables("PS-SQL-012")
class HistoryOutlivesTheRecord(SqliteTables):
    """The rows of the history stay when their record is removed."""

    past = _RowsStay


class _MetaOnly(Histories):
    @classmethod
    def cells(
        cls, store: NamespaceTables, key: RecordKey, time: datetime, values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        rows = super().cells(store, key, time, values)
        kept = ("value", "time", "result", "source_record_id")
        return [{c: v for c, v in row.items() if c in SYSTEM or c in kept} for row in rows]


@tables("PS-SQL-012")
class OldValuesInMetaOnly(SqliteTables):
    """The columns of a history row hold no old values, so that the reference sees none."""

    past = _MetaOnly


class _ColumnsCount(Histories):
    @classmethod
    def read(cls, store: NamespaceTables, key: RecordKey, row: Row) -> list[HistoryEntry]:
        if store.existing_layout() == "records":
            return super().read(store, key, row)
        columns = store.result_columns(store.table(key.level), key.level)
        return [
            HistoryEntry(name, names.read_cell(kind, found[column]), time)
            for found in cls.rows(store, key, row)
            if (time := store.time(found, "modified")) is not None
            for name, (column, kind) in columns.items()
            if found[column] is not None
        ]


@tables("PS-SQL-012")
class ColumnsOutweighMeta(SqliteTables):
    """What the columns of a history row hold counts, and not its `meta`."""

    past = _ColumnsCount


class _NoCopies(Histories):
    @classmethod
    def copied(cls, *_: object) -> list[tuple[Row, list[HistoryEntry]]]:
        return []


@tables("PS-SQL-013")
class CopiesIgnored(SqliteTables):
    """The rows that the reference left tell nothing."""

    past = _NoCopies


class _WholeCopies(Histories):
    @classmethod
    def copied(
        cls, store: NamespaceTables, key: RecordKey, row: Row
    ) -> list[tuple[Row, list[HistoryEntry]]]:
        table = store.table(key.level)
        return [
            (
                copy,
                [
                    HistoryEntry(name, value, found[0].time)
                    for name, value in store.results(copy, table, key.level).items()
                ],
            )
            for copy, found in super().copied(store, key, row)
            if found
        ]


@tables("PS-SQL-013")
class CopiesTellOfEveryResult(SqliteTables):
    """A copy tells of all results that it holds, changed or not."""

    past = _WholeCopies


class _OwnTimes(Histories):
    @classmethod
    def copied(
        cls, store: NamespaceTables, key: RecordKey, row: Row
    ) -> list[tuple[Row, list[HistoryEntry]]]:
        return [
            (copy, [entry._replace(time=store.time(copy, "modified") or entry.time) for entry in e])
            for copy, e in super().copied(store, key, row)
        ]


@tables("PS-SQL-013")
class CopiesAtTheirOwnTime(SqliteTables):
    """What a copy tells bears the copy's own time, and not that of the change."""

    past = _OwnTimes


class _NotSettled(Histories):
    @classmethod
    def settle(cls, store: NamespaceTables, key: RecordKey) -> None:
        """Leave the copies as they are."""


@tables("PS-SQL-013")
class CopiesComparedForEver(SqliteTables):
    """A copy is compared with the record even after the record was updated here."""

    past = _NotSettled
