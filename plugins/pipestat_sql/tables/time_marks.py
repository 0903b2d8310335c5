"""Which rows may say other times than their columns do, told by an index (PS-SQL-004).

What this specification writes begins in `meta` with the times of the columns. Other programs leave
`meta` as it is, so a row that begins otherwise may be one of theirs. The index has these rows only:
whether there are any is one look, however many others there are. It is made of functions that never
fail, since it stands in the way of whoever writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["NEEDED", "unmarked"]

# The columns that the condition is about.
NEEDED = ("pipestat_created_time", "pipestat_modified_time", "meta")
_START = '{"created":"'
_BETWEEN = '","modified":"'
_TIME = "2026-01-31T12:00:00.000000Z"
_LENGTH = len(f'{_START}{_TIME}{_BETWEEN}{_TIME}"')


def unmarked(types: Mapping[str, str] | Collection[str], *, is_postgresql: bool) -> str | None:
    """Return the condition, one text for the index and for those who ask; None without columns.

    It is true of all rows whose times may differ, and of few others. `types` maps columns to what
    the database calls their types, which matters where a table is another program's.
    """
    if not all(name in types for name in NEEDED):
        return None
    of = types if isinstance(types, Mapping) else {}
    text = _postgresql if is_postgresql else _sqlite
    created, modified = (text(name, of.get(name, "")) for name in NEEDED[:2])
    meta = "CAST(meta AS TEXT)" if is_postgresql else "meta"
    # To make the text of a time is what costs; of a new record both are the same.
    modified = (
        f"CASE WHEN {NEEDED[0]} = {NEEDED[1]} THEN substr({meta}, {len(_START) + 1}, {len(_TIME)}) "
        f"ELSE {modified} END"
    )
    written = f"'{_START}' || {created} || '{_BETWEEN}' || {modified} || '\"'"
    return f"coalesce(substr({meta}, 1, {_LENGTH}) <> {written}, true)"


def _sqlite(name: str, _: str) -> str:
    return f"replace({name}, ' ', 'T') || 'Z'"


def _postgresql(name: str, type_name: str) -> str:
    """Return a time as text by parts: `to_char` depends on settings, so no index may have it."""
    time = f"timezone('UTC', {name})" if "with time zone" in type_name else name

    def part(what: str, digits: int) -> str:
        return f"lpad(CAST(extract({what} FROM {time}) AS TEXT), {digits}, '0')"

    seconds = part("microseconds", 8)
    return (
        f"{part('year', 4)} || '-' || {part('month', 2)} || '-' || {part('day', 2)} || 'T' || "
        f"{part('hour', 2)} || ':' || {part('minute', 2)} || ':' || "
        f"substr({seconds}, 1, 2) || '.' || substr({seconds}, 3) || 'Z'"
    )
