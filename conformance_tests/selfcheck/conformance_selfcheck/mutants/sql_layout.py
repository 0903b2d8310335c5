"""Mutants of spec/sql.md: tables, the columns of the system, whose rows, and their times."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from conformance_selfcheck.mutants.sql_store import SqliteTables
from conformance_selfcheck.mutants.sql_tables import Row
from conformance_selfcheck.mutants.sql_target import tables
from pipestat_spec.domain.times import format_utc
from pipestat_spec.models.record import Level, Record, RecordKey


@tables("PS-SQL-001")
class NewTablesAreAlwaysLevels(SqliteTables):
    """A new namespace gets the tables of the levels, as the reference makes them."""

    def new_layout(self, level: Level) -> str:  # noqa: ARG002
        return "levels"


@tables("PS-SQL-001")
class ProjectResultsMakeNoLevels(SqliteTables):
    """Project-level results in the schema do not decide the layout."""

    def new_layout(self, level: Level) -> str:
        return self.settings.layout or ("levels" if level == "project" else "records")


@tables("PS-SQL-001")
class ContradictingLayoutIgnored(SqliteTables):
    """A configured layout that the tables have not is no error."""

    def checked_layout(self, writing: Level | None = None) -> str | None:  # noqa: ARG002
        return self.existing_layout()


@tables("PS-SQL-018")
class AProjectMakesNoLevels(SqliteTables):
    """A configured project does not decide the layout."""

    def new_layout(self, level: Level) -> str:
        return self.settings.layout_of_new(level)


@tables("PS-SQL-018")
class ProjectsOverwriteEachOther(SqliteTables):
    """A row of another project is changed like one of the own project."""

    def check_project(self, key: RecordKey) -> None:
        """Accept it."""


@tables("PS-SQL-018")
class RowsNameNoProject(SqliteTables):
    """In the layout `records` rows do not tell whose they are."""

    def cells(self, record: Record, table: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        cells = super().cells(record, table, meta)
        told = json.loads(cells["meta"])
        return {**cells, "meta": json.dumps({**told, "project": meta.get("project")})}


@tables("PS-SQL-002")
class RecordsAreNotUnique(SqliteTables):
    """Two rows of a table may have the same record identifier."""

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        return super().run(re.sub(r", UNIQUE \(.*\)\)$", ")", statement), values)


@tables("PS-SQL-002")
class StatusShownAsResult(SqliteTables):
    """The status of a record is one of its results."""

    def results(self, row: Row, table: str, level: Level) -> dict[str, Any]:
        status = {"status": row["status"]} if row.get("status") else {}
        return {**super().results(row, table, level), **status}


@tables("PS-SQL-002")
class TimeColumnsInLocalTime(SqliteTables):
    """The time columns are written in local time, as the reference does."""

    def cells(self, record: Record, table: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        times = {"created": record.created, "modified": record.modified}
        local = {
            f"pipestat_{name}_time": time.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")
            for name, time in times.items()
            if time is not None
        }
        return {**super().cells(record, table, meta), **local}


@tables("PS-SQL-003")
class RowsOfAllProjectsSeen(SqliteTables):
    """The rows of other projects are records of the store."""

    def own(self, row: Row) -> bool:  # noqa: ARG002
        return True


@tables("PS-SQL-003")
class RowsWithoutProjectUnseen(SqliteTables):
    """A row without a project name belongs to nobody."""

    def own(self, row: Row) -> bool:
        return (
            self.existing_layout() == "records" or row["project_name"] == self.settings.project_name
        )


class _Times(SqliteTables):
    def column(self, row: Row, name: str) -> datetime | None:
        cell = row[f"pipestat_{name}_time"]
        return None if cell is None else datetime.fromisoformat(cell)


@tables("PS-SQL-004")
class TimesAreAlwaysUtc(_Times):
    """A time column is UTC, whoever has written it."""

    def time(self, row: Row, name: str) -> datetime | None:
        column = self.column(row, name)
        return column and column.replace(tzinfo=UTC)


@tables("PS-SQL-004")
class TimesAreAlwaysLocal(_Times):
    """A time column of the layout `levels` is local, whoever has written it."""

    def time(self, row: Row, name: str) -> datetime | None:
        if self.existing_layout() == "records":
            return super().time(row, name)
        column = self.column(row, name)
        return column and column.astimezone(UTC)


@tables("PS-SQL-004")
class MetaOutweighsTheColumns(SqliteTables):
    """The times of `meta` count, also when the reference has changed the columns since."""

    def time(self, row: Row, name: str) -> datetime | None:
        told = self.meta(row).get(name)
        return super().time(row, name) if told is None else datetime.fromisoformat(told)


@tables("PS-SQL-017")
class StatusTimeOfAnyStatus(SqliteTables):
    """The status time counts, whichever status it belongs to."""

    def status_time(self, row: Row) -> datetime | None:
        meta = json.dumps({**self.meta(row), "status": row["status"]})
        return super().status_time({**row, "meta": meta})


@tables("PS-SQL-017")
class StatusTimeThoughTheReferenceWrote(SqliteTables):
    """The status time counts, though the reference has set the same status since."""

    def status_time(self, row: Row) -> datetime | None:
        modified = self.time(row, "modified")
        told = {**self.meta(row), "modified": modified and format_utc(modified)}
        return super().status_time({**row, "meta": json.dumps(told)})
