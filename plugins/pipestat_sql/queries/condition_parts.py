"""Conditions joined by `and`, `or` and `not`, as one flat element however deep they nest.

SQLAlchemy goes down nested elements by recursion and gives up at depths that a filter may
have (PS-QRY-004).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pipestat_sql.queries.dialects import Condition, Expression

__all__ = ["Part", "joined", "leaf", "negated"]

# SQLite admits no chain of more than 1,000.
_CHAIN = 100


class _Joined(FunctionElement[bool]):
    """SQL in pieces: conditions, and the text between them."""

    name = "joined"
    type = sa.Boolean()
    inherit_cache = True


@compiles(_Joined)
def _joined_sql(element: _Joined, compiler: Any, **options: Any) -> str:
    return " ".join(compiler.process(piece, **options) for piece in element.clauses)


@dataclass(frozen=True)
class Part:
    """A condition in pieces, closed in itself, and how deep it nests."""

    pieces: tuple[Expression, ...]
    depth: int = 0

    @property
    def condition(self) -> Condition:
        """The whole condition."""
        return self.pieces[0] if len(self.pieces) == 1 else _Joined(*self.pieces)


def leaf(condition: Condition) -> Part:
    """Return a condition as a part."""
    return Part((condition.self_group(),))


def negated(part: Part) -> Part:
    """Return what is true where the part is false or NULL."""
    pieces = (_text("(("), *part.pieces, _text(") IS NOT"), sa.true(), _text(")"))
    return Part(pieces, part.depth + 1)


def joined(parts: Sequence[Part], *, every: bool) -> Part:
    """Return the parts, one at least, joined by `and` or `or`."""
    # The deepest first: SQLite's parser keeps what stands before a parenthesis on its stack.
    ordered = sorted(parts, key=lambda part: part.depth, reverse=True)
    while len(ordered) > 1:
        ordered = [
            _chain(ordered[start : start + _CHAIN], "AND" if every else "OR")
            for start in range(0, len(ordered), _CHAIN)
        ]
    return ordered[0]


def _chain(parts: Iterable[Part], word: str) -> Part:
    first, *others = parts
    if not others:
        return first
    pieces = [_text("("), *first.pieces]
    for part in others:
        pieces += [_text(word), *part.pieces]
    return Part((*pieces, _text(")")), first.depth + 1)


def _text(text: str) -> Expression:
    return sa.literal_column(text)
