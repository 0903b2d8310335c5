"""Which column holds which result, by what is declared and what is there (PS-SQL-005, -008)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema
from pipestat_sql.tables.column_types import Kind, kind_of
from pipestat_sql.tables.naming import TAKEN_COLUMNS, find_name, is_cut, new_names

__all__ = ["ResultColumn", "ResultColumns", "match_columns"]

_NAMES = {
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE PRECISION",
    Kind.STRING: "TEXT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.JSON: "JSON",
}


# What a row has room for (PS-SQL-021): a page of PostgreSQL's holds 8,160 bytes of a row, and
# a table 1,600 columns. A text or document takes 21 bytes at most, since longer ones are moved
# out of the row; a number takes 8, and as many to be aligned.
_MOST_COLUMNS = 1500
_MOST_BYTES = 7680
_BYTES = {
    Kind.INTEGER: 16,
    Kind.NUMBER: 16,
    Kind.STRING: 24,
    Kind.BOOLEAN: 1,
    Kind.JSON: 24,
}


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """The column of one result.

    `is_narrow` where it holds 32 bits only, `rewrites` where it is JSON whose numbers do not
    stay as they are written: columns of another program's, both.
    """

    identifier: str
    name: str
    kind: Kind
    is_narrow: bool = False
    rewrites: bool = False


@dataclass(frozen=True)
class ResultColumns:
    """The columns of results: those that exist, and those still to be made, by identifier.

    A declared result that the row has no room for is in neither.
    """

    existing: Mapping[str, ResultColumn]
    missing: Mapping[str, ResultColumn]


def _declared_kind(result: ResultSchema) -> Kind:
    """Return how a declared result is held (PS-SQL-005)."""
    try:
        return Kind(result.exact_type or "json")
    except ValueError:
        return Kind.JSON


def match_columns(
    table: str,
    columns: Mapping[str, str],
    level: LevelSchema | None,
    *,
    is_postgresql: bool,
    identifier_of: Callable[[str], str],
) -> ResultColumns:
    """Return the columns of all results of a table, raises SchemaError for a changed type.

    `columns` maps the existing ones to their types; `identifier_of` tells what a column is
    called whose name is cut and which no declared result explains.
    """
    own = {name: type_ for name, type_ in columns.items() if name not in TAKEN_COLUMNS}
    existing: dict[str, ResultColumn] = {}
    absent: dict[str, Kind] = {}
    for identifier, result in (level.results if level else {}).items():
        name = find_name(identifier, own)
        if name is None:
            absent[identifier] = _declared_kind(result)
            continue
        kind = _checked(table, name, own[name], result, is_postgresql=is_postgresql)
        existing[identifier] = _column(identifier, name, kind, own[name], is_postgresql)
    explained = {column.name for column in existing.values()}
    for name, type_name in own.items():
        kind_or_none = kind_of(type_name, is_postgresql=is_postgresql)
        if name in explained or kind_or_none is None:
            continue
        identifier = identifier_of(name) if is_cut(name) else name
        if identifier not in existing:
            existing[identifier] = _column(identifier, name, kind_or_none, type_name, is_postgresql)
    kinds = (kind_of(type_name, is_postgresql=is_postgresql) for type_name in own.values())
    absent = _with_room(absent, [kind or Kind.JSON for kind in kinds])
    names = new_names(absent, (*columns, *TAKEN_COLUMNS))
    missing = {i: ResultColumn(i, names[i], kind) for i, kind in absent.items()}
    return ResultColumns(existing, missing)


def _with_room(absent: Mapping[str, Kind], taken: Sequence[Kind]) -> dict[str, Kind]:
    """Return the results that get a column beside those taken: the first ones, in schema order."""
    count, size = len(taken), sum(map(_BYTES.__getitem__, taken))
    found: dict[str, Kind] = {}
    for identifier, kind in absent.items():
        count, size = count + 1, size + _BYTES[kind]
        if count > _MOST_COLUMNS or size > _MOST_BYTES:
            break
        found[identifier] = kind
    return found


def _column(
    identifier: str, name: str, kind: Kind, type_name: str, is_postgresql: bool
) -> ResultColumn:
    # JSONB rewrites numbers, and so does a column of SQLite's that is called JSON alone.
    rewrites = type_name == "jsonb" if is_postgresql else type_name in ("json", "jsonb")
    is_narrow = is_postgresql and type_name in ("integer", "smallint")
    return ResultColumn(identifier, name, kind, is_narrow, rewrites)


def _checked(
    table: str, name: str, type_name: str, result: ResultSchema, *, is_postgresql: bool
) -> Kind:
    wanted = _declared_kind(result)
    found = kind_of(type_name, is_postgresql=is_postgresql)
    if found == wanted:
        return wanted
    if found is Kind.STRING and result.object_type is not None:
        # pipestat makes such columns for files and images and never fills them.
        return found
    declared = result.exact_type or "several types"
    raise SchemaError(
        f"result {result.identifier!r} is declared {declared} (a column of type "
        f"{_NAMES[wanted]}), and column {name!r} of table {table!r} is {type_name.upper()}",
        hint="give the result another name, go back to the former type, or convert the store "
        "into a new database",
        result=result.identifier,
        column=name,
    )
