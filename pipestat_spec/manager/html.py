"""What notebooks show of records: a plain table, with all values as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from pipestat_spec.text.strings import shorten

__all__ = ["HtmlPage", "table_html"]

_LONGEST = 60


class HtmlPage(dict[str, Any]):
    """A page of records as `select_records` answers; a notebook shows it as a table."""

    def _repr_html_(self) -> str:
        from pipestat_spec.tables import MISSING

        records = self["records"]
        names = list(dict.fromkeys(name for record in records for name in record))
        names.sort(key=lambda name: name != "record_identifier")
        rows = ([record.get(name, MISSING) for name in names] for record in records)
        return table_html(names, rows, None, self["total_size"])


def table_html(
    names: Sequence[str], rows: Iterable[Sequence[Any]], caption: str | None, total: int
) -> str:
    """Return a table in HTML, and how many records there are in all."""
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    lines = [
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows
    ]
    title = f"<caption>{_escaped(caption)}</caption>" if caption else ""
    return (
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        f"<p>{len(lines)} of {total} records</p>"
    )


def _cell(value: Any) -> str:
    from pipestat_spec.tables import MISSING

    if value is MISSING:
        return ""
    if isinstance(value, str):
        return _escaped(value)
    from json import dumps

    return _escaped(dumps(value, ensure_ascii=False, sort_keys=True))


def _escaped(text: str) -> str:
    return escape(shorten(text, _LONGEST))
