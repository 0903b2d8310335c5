"""Which tables belong to a namespace, and how they are called (PS-SQL-001, PS-SQL-010)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import LayoutError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS, Level
from pipestat_sql.tables.naming import cut_name, find_name

__all__ = ["Names", "NamespaceTables", "listed_namespaces"]

_HISTORY_COLUMNS = {"record_identifier", "result", "value", "time"}


def _is_history(columns: Mapping[str, str]) -> bool:
    """Tell whether a table is the history of one of the layout `records`."""
    return columns.keys() >= _HISTORY_COLUMNS and "status" not in columns


def _is_records(columns: Mapping[str, str]) -> bool:
    """Tell whether a table holds the records of a namespace in the layout `records`."""
    return (
        "record_identifier" in columns
        and "project_name" not in columns
        and not _is_history(columns)
    )


def _is_levels(columns: Mapping[str, str]) -> bool:
    """Tell whether a table holds the records of one level; very old ones lack the project."""
    return "record_identifier" in columns and ("project_name" in columns or "meta" not in columns)


class Names(NamedTuple):
    """The full names of the tables that a level's records and their history have."""

    table: str
    history: str


@dataclass(frozen=True)
class NamespaceTables:
    """The tables of one namespace: those that a database holds, and those to be made.

    `where` names the database in errors.
    """

    settings: StoreSettings
    where: str

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    @cached_property
    def full_names(self) -> Mapping[tuple[Layout, Level], Names]:
        name = self.namespace
        names: dict[tuple[Layout, Level], Names] = {
            ("levels", level): Names(f"{name}__{level}", f"{name}__{level}_history")
            for level in LEVELS
        }
        names["records", "sample"] = Names(name, f"{name}__history")
        return names

    def candidates(self) -> list[str]:
        """Return every name that one of the tables may have."""
        full = [n for names in self.full_names.values() for n in (names.table, names.history)]
        return [*full, *map(cut_name, full)]

    def find(
        self, tables: Mapping[str, Mapping[str, str]]
    ) -> tuple[Layout | None, dict[Level, str]]:
        """Return the layout that the namespace has and its tables; raises LayoutError."""
        wanted = self.settings.layout
        levels: dict[Level, str] = {}
        for level in LEVELS:
            name = find_name(self.full_names["levels", level].table, tables)
            if name is not None and _is_levels(tables[name]):
                levels[level] = name
        name = find_name(self.namespace, tables)
        records: dict[Level, str] = {}
        if name is not None and _is_records(tables[name]):
            records["sample"] = name
        if levels and records:
            if wanted is None:
                raise LayoutError(
                    f"{self.where} holds namespace {self.namespace!r} in both layouts",
                    hint="say which one is meant: layout: records or layout: levels",
                )
            return wanted, levels if wanted == "levels" else records
        if not levels and not records:
            return None, {}
        layout: Layout = "levels" if levels else "records"
        if wanted not in (None, layout):
            raise LayoutError(
                f"{self.where}: namespace {self.namespace!r} is in the {layout!r} layout, "
                f"and the settings say {wanted!r}",
                hint="remove the setting, or copy the records into a new database with "
                f"'pipestat-spec convert' and --layout {wanted}",
                layout=layout,
            )
        return layout, levels or records

    def check_level(self, layout: Layout, level: Level) -> None:
        """Raise LayoutError when the layout cannot hold records of a level."""
        if layout == "records" and level == "project":
            raise LayoutError(
                f"{self.where}: namespace {self.namespace!r} is in the 'records' layout, which "
                "holds no project-level results",
                hint="copy the records into a new database with 'pipestat-spec convert' and "
                "--layout levels; a new database gets it with 'layout: levels'",
                layout=layout,
            )

    def history_of(
        self, layout: Layout, level: Level, tables: Mapping[str, Mapping[str, str]]
    ) -> str | None:
        """Return the name of the existing history table."""
        name = find_name(self.full_names[layout, level].history, tables)
        if name is None:
            return None
        marks = _HISTORY_COLUMNS if layout == "records" else {"source_record_id"}
        return name if tables[name].keys() >= marks else None


def listed_namespaces(tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the namespaces of all tables whose names tell them, in code-point order."""
    found = set()
    for name, columns in tables.items():
        if "source_record_id" in columns and "project_name" in columns:
            continue
        if "project_name" in columns:
            for level in LEVELS:
                if name.endswith(f"__{level}") and _is_levels(columns):
                    found.add(name.removesuffix(f"__{level}"))
        elif _is_records(columns) and "pipestat_modified_time" in columns:
            found.add(name)
    return sorted(found)
