"""The rows of a namespace, by level, and changes of them in one transaction (PS-SQL-014)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipestat_spec.backend import Change, Transition
from pipestat_spec.domain.values import same_record
from pipestat_spec.models.record import HistoryLimit, Level, Record, RecordKey
from pipestat_sql.database.connections import Database, Session
from pipestat_sql.database.transactions import Retry, Written
from pipestat_sql.rows.codec import Row
from pipestat_sql.rows.column_values import NeedsWidening
from pipestat_sql.rows.record_rows import PendingRow, RecordRows, rows_of
from pipestat_sql.tables.record_table import RecordTable
from pipestat_sql.tables.stored_tables import StoredTables

__all__ = ["NamespaceRows"]

# How many rows one statement asks for, or makes.
_AT_ONCE = 500


class NamespaceRows:
    """The rows of all tables of a namespace, as the tables were last seen."""

    def __init__(self, database: Database, tables: StoredTables) -> None:
        self._dialect = database.dialect
        self._tables = tables
        self._known: dict[Level, tuple[RecordTable, RecordRows]] = {}

    def at(self, session: Session, level: Level) -> RecordRows | None:
        """Return the rows of a level; a table that was not there is looked for once more."""
        if level not in self._tables.found:
            self._tables.refresh(session)
        table = self._tables.found.get(level)
        if table is None:
            return None
        known = self._known.get(level)
        if known is None or known[0] is not table:
            known = self._known[level] = (table, rows_of(table, self._dialect))
        return known[1]

    def read(self, key: RecordKey, session: Session) -> Record | None:
        """Return a record."""
        rows = self.at(session, key.level)
        return None if rows is None else rows.read(session, key.identifier)

    def find(self, key: RecordKey, session: Session) -> Row | None:
        """Return the row of a record."""
        rows = self.at(session, key.level)
        return None if rows is None else rows.find(session, key.identifier)

    def update(self, session: Session, key: RecordKey, change: Change) -> Written[Transition]:
        """Apply one change; raises what it raises, and Retry."""
        rows = self.at(session, key.level)
        row = rows.lock(session, key.identifier) if rows else None
        current = row.record if row else None
        outcome = change(current)
        record = outcome.record
        if record is current:
            return Written(Transition(current, record))
        if rows is None or rows.table.lacking:
            raise self._to_make(key.level)
        cleared = record is None
        pending = PendingRow(row, record, outcome.history, cleared, outcome.keep)
        try:
            mark = rows.store(session, pending)
        except NeedsWidening as narrow:
            raise self._to_widen(key.level, narrow) from None
        evidence = partial(self._evidence, key, current, record)
        return Written(Transition(current, record), True, mark, evidence)

    def update_many(
        self, session: Session, changes: Sequence[tuple[RecordKey, Change]]
    ) -> Written[list[Transition]]:
        """Apply changes in turn, all or none."""
        pending = self._lock_many(session, {key for key, _ in changes})
        before = {key: one.record for key, one in pending.items() if one.record is not None}
        transitions: list[Transition] = []
        for key, change in changes:
            one = pending[key]
            outcome = change(one.record)
            if outcome.record is None and one.record is not None:
                one.cleared = True
                one.history = ()
            else:
                one.history += outcome.history
                one.keep = outcome.keep
            transitions.append(Transition(one.record, outcome.record))
            one.record = outcome.record
        changed = sorted(
            key
            for key, one in pending.items()
            if (one.row or one.record is not None)
            and (one.record is not before.get(key) or (one.cleared and one.record is not None))
        )
        if not changed:
            return Written(transitions)
        levels = sorted({key.level for key in changed})
        for level in levels:
            table = self._tables.found.get(level)
            if table is None or table.lacking:
                raise self._to_make(level)
        key, after = changed[0], pending[changed[0]].record
        for level in levels:
            of_level = [key for key in changed if key.level == level]
            # What rows are made of is in memory for so many records only.
            for first in range(0, len(of_level), _AT_ONCE):
                some = of_level[first : first + _AT_ONCE]
                self._store_many(session, level, list(map(pending.pop, some)))
        rows = self.at(session, levels[-1])
        assert rows is not None
        evidence = partial(self._evidence, key, before.get(key), after)
        return Written(transitions, True, rows.mark(session), evidence)

    def _lock_many(self, session: Session, keys: set[RecordKey]) -> dict[RecordKey, PendingRow]:
        pending = {key: PendingRow(None, None) for key in keys}
        for level in sorted({key.level for key in keys}):
            rows = self.at(session, level)
            wanted = sorted(key.identifier for key in keys if key.level == level)
            for first in range(0, len(wanted) if rows else 0, _AT_ONCE):
                assert rows is not None
                for row in rows.lock_many(session, wanted[first : first + _AT_ONCE]):
                    pending[row.record.key] = PendingRow(row, row.record)
        return pending

    def _store_many(self, session: Session, level: Level, changed: Sequence[PendingRow]) -> None:
        rows = self.at(session, level)
        assert rows is not None
        try:
            rows.store_many(session, changed)
        except NeedsWidening as narrow:
            raise self._to_widen(level, narrow) from None

    def prune(self, session: Session, level: Level, limit: HistoryLimit) -> Written[int]:
        """Remove the entries of the level's histories that are beyond a limit."""
        # Another program may have made the history table since.
        self._tables.refresh(session)
        rows = self.at(session, level)
        if rows is None or rows.table.history is None:
            return Written(0)
        if rows.table.lacking:
            raise self._to_make(level)
        removed = rows.prune(session, limit)
        return Written(removed, stored=removed > 0, mark=rows.mark(session))

    def _to_make(self, level: Level) -> Retry:
        return Retry("the tables cannot be made", partial(self._tables.ensure, level))

    def _to_widen(self, level: Level, narrow: NeedsWidening) -> Retry:
        widen = partial(self._tables.widen, level, narrow.column)
        return Retry("a column is too narrow", widen)

    def _evidence(
        self, key: RecordKey, before: Record | None, after: Record | None, session: Session
    ) -> bool | None:
        """Tell by the record whether a change of it is stored, None when it is another by now."""
        row = self.find(key, session)
        current = row.record if row else None
        if same_record(current, after):
            return True
        return False if same_record(current, before) else None
