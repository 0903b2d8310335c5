"""A comparison as Markdown for a comment on a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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

__all__ = ["LONGEST", "markdown"]

# Characters of a comment on GitHub; some are left for what a workflow adds.
LONGEST = 65_536 - 1_536
# No row of a table is shorter than 20 characters.
_MOST_ROWS = LONGEST // 20
_MARKS = {"worse": "\N{HEAVY EXCLAMATION MARK SYMBOL} worse", "better": "better"}


def markdown(comparison: Comparison, limit: int) -> str:
    """Return the comparison as Markdown of at most LONGEST characters.

    At most `limit` rows of a kind are shown, 0 for all; where this is too long it is as many as
    fit. What is left out is counted.
    """
    limit = min(limit or _MOST_ROWS, _MOST_ROWS)
    text = _text(comparison, limit)
    if len(text) <= LONGEST:
        return text
    fits, too_many, longest = 0, limit, ""
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        text = _text(comparison, middle)
        if len(text) <= LONGEST:
            fits, longest = middle, text
        else:
            too_many = middle
    # Names may be as long as 255 characters, and a schema may change in a thousand places.
    return longest or _head(comparison, "the tables are too long")


def _text(comparison: Comparison, limit: int) -> str:
    parts = [_head(comparison)]
    parts += [_table(section) for section in sections(comparison, limit)]
    parts += [f"_{_plain(note)}_\n" for note in comparison.notes]
    return "\n".join(parts)


def _head(comparison: Comparison, problem: str = "") -> str:
    if comparison.is_changed:
        lines = "\n".join(f"- {line}" for line in summary(comparison))
    else:
        lines = "No differences. " + " ".join(f"{line}." for line in summary(comparison))
    title = f"### {_code(headline(comparison))}\n\n{lines}\n"
    return f"{title}\n_{problem}: see `--format json`_\n" if problem else title


def _table(section: Section) -> str:
    lines = [f"#### {section.title}\n"]
    lines.append(_row(section.columns))
    lines.append(
        _row(["---:" if n in section.numbers else "---" for n in range(len(section.columns))])
    )
    for row in section.rows:
        lines.append(_row([_MARKS.get(cell) or _code(cell) for cell in row]))
    if section.left_out:
        lines.append(f"\n_{left_out_text(section)}_")
    return "\n".join(lines) + "\n"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    """Return data as code: nothing in it is markup, a mention or the number of an issue."""
    if not text:
        return ""
    text = printable(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    blank = " " if text[0] in "` " or text[-1] in "` " else ""
    # The bar ends a cell even inside code.
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", "\\|")


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>@#|~])", r"\\\1", printable(text))
