"""A comparison as one HTML file: it fetches nothing and runs no script."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from pipestat_spec._version import __version__
from pipestat_spec.differences.sections import (
    Section,
    headline,
    left_out_text,
    sections,
    summary,
)
from pipestat_spec.text.strings import printable

if TYPE_CHECKING:
    from pipestat_spec.differences.comparison import Comparison

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d9dfe7;
  --paper: #fff; --band: #f5f7fa; --worse: #b3261e; --better: #1b6e3c }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa6b5; --line: #333c48;
  --paper: #14181e; --band: #1b2129; --worse: #ff8a80; --better: #7bd59b } }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.3rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
p.sum { margin: .15rem 0; color: var(--soft) }
div.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .9rem .3rem .4rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere }
th { color: var(--soft); font-weight: 600; background: var(--band); white-space: nowrap }
.n { text-align: right; white-space: nowrap }
tr.worse td { color: var(--worse) }
tr.better td { color: var(--better) }
p.note, footer { color: var(--soft); font-size: .87rem }
footer { margin-top: 3rem }
"""


def page(comparison: Comparison, limit: int) -> str:
    """Return the page, with at most `limit` rows of a kind; 0: all."""
    title = _text(headline(comparison))
    lines = summary(comparison)
    if not comparison.is_changed:
        lines = ["No differences", *lines]
    body = "".join(f'<p class="sum">{_text(line)}</p>\n' for line in lines)
    body += "".join(map(_table, sections(comparison, limit)))
    body += "".join(f'<p class="note">{_text(note)}</p>\n' for note in comparison.notes)
    policy = f"default-src 'none'; style-src '{_hash(_STYLE)}'; base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
{body}<footer>pipestat-spec {escape(__version__)}</footer>
</body>
</html>
"""


def _table(section: Section) -> str:
    def cells(kind: str, row: tuple[str, ...]) -> str:
        return "".join(
            _element(kind, "n" if number in section.numbers else "", _text(cell))
            for number, cell in enumerate(row)
        )

    rows = "".join(
        _element("tr", tone, cells("td", row)) + "\n"
        for row, tone in zip(section.rows, section.tones, strict=True)
    )
    more = f'<p class="note">{left_out_text(section)}</p>\n' if section.left_out else ""
    return (
        f"<h2>{_text(section.title)}</h2>\n"
        f'<div class="wide"><table>\n<thead><tr>{cells("th", section.columns)}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n{more}"
    )


def _element(kind: str, name: str, inside: str) -> str:
    named = f' class="{name}"' if name else ""
    return f"<{kind}{named}>{inside}</{kind}>"


def _text(text: str) -> str:
    return escape(printable(text))


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
