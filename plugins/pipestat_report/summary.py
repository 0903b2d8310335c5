"""The report without scripts: totals, results of the project, and a plain table."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipestat_report.document import LevelTable
from pipestat_spec.text.strings import printable, shorten

__all__ = ["static_summary"]

# A page of more rows and columns is of no use without scripts.
_MOST_ROWS = 500
_MOST_COLUMNS = 8


def static_summary(
    title: str,
    samples: LevelTable,
    project: LevelTable | None,
    statuses: Sequence[str],
    not_reported: Sequence[str],
) -> str:
    """Return the markup of what a browser shows that runs no scripts."""
    parts = [f"<h1>{_escape(title)}</h1>", _totals(samples, statuses, not_reported)]
    if project is not None:
        for row, identifier in enumerate(project.identifiers):
            parts += [f"<h2>Project {_escape(identifier)}</h2>", _values(project, row)]
    parts += ["<h2>Records</h2>", _table(samples)]
    if not_reported:
        parts += [
            "<h2>Not reported</h2>",
            f"<p>{_escape(', '.join(not_reported[:_MOST_ROWS]))}</p>",
        ]
    return "\n".join(parts)


def _totals(samples: LevelTable, statuses: Sequence[str], not_reported: Sequence[str]) -> str:
    counts = Counter(samples.statuses)
    rows = [(name, counts[name]) for name in statuses if counts[name]]
    rows += [("no status", counts[None])] if counts[None] else []
    rows += [("not reported", len(not_reported))] if not_reported else []
    cells = "".join(
        f'<tr><th scope="row">{_escape(name)}</th><td class="r">{count}</td></tr>'
        for name, count in rows
    )
    return (
        f"<p>{len(samples.identifiers)} records. With scripts this page filters, sorts, compares "
        f'and plots them.</p><table class="plain"><tbody>{cells}</tbody></table>'
    )


def _values(table: LevelTable, row: int) -> str:
    cells = "".join(
        f'<tr><th scope="row">{_escape(name)}</th><td>{_escape(_text(rows[row]))}</td></tr>'
        for name in _names(table)
        if row in (rows := table.values.get(name, {}))
    )
    return f'<table class="plain"><tbody>{cells}</tbody></table>'


def _table(table: LevelTable) -> str:
    highlighted = [field["name"] for field in table.fields if field.get("highlight")]
    names = (highlighted or _names(table))[:_MOST_COLUMNS]
    fields = ("record", "status", *([table.verdict_field] if table.verdict_field else []), *names)
    head = "".join(f'<th scope="col">{_escape(name)}</th>' for name in fields)
    rows = "".join(_row(table, row, names) for row in range(len(table.identifiers))[:_MOST_ROWS])
    rest = len(table.identifiers) - _MOST_ROWS
    more = f"<p>{rest} more are not shown here.</p>" if rest > 0 else ""
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}'


def _row(table: LevelTable, row: int, names: Sequence[str]) -> str:
    texts = [table.statuses[row] or "", *table.verdicts[row : row + 1]]
    texts += [_text(values[row]) if row in (values := _column(table, n)) else "" for n in names]
    cells = "".join(f"<td>{_escape(text)}</td>" for text in texts)
    return f'<tr><th scope="row">{_escape(table.identifiers[row])}</th>{cells}</tr>'


def _column(table: LevelTable, name: str) -> Mapping[int, Any]:
    return table.values.get(name, {})


def _names(table: LevelTable) -> list[str]:
    return [field["name"] for field in table.fields]


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("path"), str):
        return shorten(value["path"], 120)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "null" if value is None else shorten(value, 120)


def _escape(text: str) -> str:
    """Return text as markup that shows it; what would disturb the line is written out."""
    return html.escape(printable(text))
