"""Changes of records, in one transaction (PS-SQL-014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipestat_spec.backend import Change, Transition
from pipestat_spec.domain.values import same_record
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_sql.database.connecting import Session
from pipestat_sql.database.transactions import Again, Mark, Work
from pipestat_sql.rows.access import Access, TableAccess
from pipestat_sql.rows.codec import Row
from pipestat_sql.rows.column_values import NeedsWidening

__all__ = ["Writing"]

# How many rows one statement asks for; SQLite takes some 32,000 parameters.
_AT_ONCE = 500


@dataclass(slots=True)
class _Pending:
    """What became of one record so far: `history` is to be added, `cleared` removed first."""

    row: Row | None
    record: Record | None
    history: list[HistoryEntry] = field(default_factory=list)
    cleared: bool = False


class Writing:
    """Applies changes; everything happens in the caller's transaction."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def update(self, session: Session, key: RecordKey, change: Change) -> Work[Transition]:
        """Apply one change; raises what it raises, and Again."""
        table = self._access.current_table(session, key.level)
        if table is None:
            outcome = change(None)
            if outcome.record is None:
                return Work(Transition(None, None))
            raise self._to_make(key.level)
        row = self._access.locked(session, table, key.identifier)
        current = row.record if row else None
        record, history = change(current)
        if record is current:
            return Work(Transition(current, record))
        if table.stored.lacking:
            raise self._to_make(key.level)
        pending = _Pending(row, record, list(history), cleared=record is None)
        mark = self._store(session, table, pending)
        evidence = self._evidence([(key, current, record)])
        return Work(Transition(current, record), stored=True, mark=mark, evidence=evidence)

    def update_many(
        self, session: Session, changes: Sequence[tuple[RecordKey, Change]]
    ) -> Work[list[Transition]]:
        """Apply changes in turn, all or none."""
        pending = self._rows(session, {key for key, _ in changes})
        before = {key: one.record for key, one in pending.items()}
        transitions: list[Transition] = []
        for key, change in changes:
            one = pending[key]
            outcome = change(one.record)
            if outcome.record is None and one.record is not None:
                one.cleared = True
                one.history.clear()
            else:
                one.history += outcome.history
            transitions.append(Transition(one.record, outcome.record))
            one.record = outcome.record
        changed = {
            key: one
            for key, one in sorted(pending.items())
            if one.record is not before[key] or (one.cleared and one.record is not None)
        }
        changed = {key: one for key, one in changed.items() if one.row or one.record is not None}
        if not changed:
            return Work(transitions)
        self._check_tables(changed)
        for level in sorted({key.level for key in changed}):
            table = self._access.table(level)
            assert table is not None
            self._store_many(session, table, [p for k, p in changed.items() if k.level == level])
        mark = self._access.mark(session)
        evidence = self._evidence([(k, before[k], p.record) for k, p in changed.items()][:1])
        return Work(transitions, stored=True, mark=mark, evidence=evidence)

    def _check_tables(self, changed: dict[RecordKey, _Pending]) -> None:
        for level in sorted({key.level for key in changed}):
            table = self._access.table(level)
            if table is None or table.stored.lacking:
                raise self._to_make(level)

    def _rows(self, session: Session, keys: set[RecordKey]) -> dict[RecordKey, _Pending]:
        pending: dict[RecordKey, _Pending] = {key: _Pending(None, None) for key in keys}
        for level in sorted({key.level for key in keys}):
            table = self._access.current_table(session, level)
            wanted = sorted(key.identifier for key in keys if key.level == level)
            for first in range(0, len(wanted) if table else 0, _AT_ONCE):
                assert table is not None
                part = wanted[first : first + _AT_ONCE]
                for row in self._access.locked_many(session, table, part):
                    pending[row.record.key] = _Pending(row, row.record)
        return pending

    # One record

    def _store(self, session: Session, table: TableAccess, pending: _Pending) -> Mark | None:
        row, record = pending.row, pending.record
        if row is not None and pending.cleared:
            if table.histories is not None:
                table.histories.remove(session, row)
            mark = self._marked(session.execute(table.statements.delete, (row.id,)))
            if record is None:
                return mark
            row = None
        assert record is not None
        if row is None:
            return self._insert(session, table, record, pending.history)
        if table.is_foreign(row) and table.histories is not None:
            table.histories.adopt(session, row)
        values = self._encoded(table, record, row)
        if pending.history and table.histories is not None:
            table.histories.add(session, row, record, pending.history)
        if not values:
            return self._access.mark(session)
        statement = table.statements.update(tuple(values))
        return self._marked(session.execute(statement, (*values.values(), row.id)))

    def _insert(
        self, session: Session, table: TableAccess, record: Record, history: list[HistoryEntry]
    ) -> Mark | None:
        values = self._encoded(table, record, None)
        cursor = session.execute(table.statements.insert(tuple(values)), tuple(values.values()))
        if self._access.is_postgresql:
            found = cursor.fetchone()
            if found is None:
                # Another writer's first report came in between.
                raise Again(
                    f"record {record.key.identifier!r} cannot be stored beside one of the same "
                    "name in another project"
                )
            number, mark = found[0], Mark(*found[1:])
        else:
            number, mark = cursor.lastrowid, None
        if history and table.histories is not None:
            table.histories.add(session, Row(number, record), record, history)
        return mark

    def _marked(self, cursor: Any) -> Mark | None:
        return Mark(*cursor.fetchone()) if self._access.is_postgresql else None

    def _encoded(self, table: TableAccess, record: Record, row: Row | None) -> dict[str, Any]:
        try:
            return table.codec.encode(record, row)
        except NeedsWidening as narrow:
            level, names = record.key.level, narrow.names
            raise Again(
                "a column is too narrow", lambda: self._access.widen(level, names)
            ) from None

    # Many records

    def _store_many(self, session: Session, table: TableAccess, changed: list[_Pending]) -> None:
        inserts: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        updates: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for one in changed:
            if one.cleared or one.history or (one.row and table.is_foreign(one.row)):
                self._store(session, table, one)
                continue
            assert one.record is not None
            values = self._encoded(table, one.record, one.row)
            if one.row is None:
                inserts.setdefault(tuple(values), []).append(tuple(values.values()))
            elif values:
                rows = updates.setdefault(tuple(values), [])
                rows.append((*values.values(), one.row.id))
        for columns, rows in inserts.items():
            statement = table.statements.insert(columns, False)
            if self._access.run_many(session, statement, rows) != len(rows):
                raise Again("records of these names come from elsewhere at the same time")
        for columns, rows in updates.items():
            self._access.run_many(session, table.statements.update(columns, False), rows)

    def _to_make(self, level: Level) -> Again:
        return Again("the tables cannot be made", lambda: self._access.ensure(level))

    def _evidence(self, changes: Sequence[tuple[RecordKey, Record | None, Record | None]]) -> Any:
        def look(session: Session) -> bool | None:
            for key, before, after in changes:
                table = self._access.table(key.level)
                row = self._access.found(session, table, key.identifier) if table else None
                current = row.record if row else None
                if same_record(current, after):
                    return True
                if same_record(current, before):
                    return False
            return None

        return look
