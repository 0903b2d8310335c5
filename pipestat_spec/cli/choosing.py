"""Which records a command means, in which order, and which of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.query import Filter
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore

__all__ = [
    "add_choice",
    "add_verdict",
    "cell",
    "column_names",
    "condition",
    "needed_results",
    "sorted_records",
    "verdict_condition",
    "verdict_field",
]


def add_choice(parser: CommandParser) -> None:
    """Add the options that choose records and columns."""
    parser.add_argument("-w", "--where", metavar="FILTER", help="only records that match")
    parser.add_argument(
        "--status", action="append", metavar="STATUS", help="only with this status; may be repeated"
    )
    add_verdict(parser)
    parser.add_argument(
        "--columns",
        action="append",
        metavar="NAME,NAME",
        help="these results only, fields such as status, or align.rate; may be repeated",
    )
    parser.add_argument(
        "--sort", action="append", metavar="NAME[:desc]", help="order by this; may be repeated"
    )


def add_verdict(parser: CommandParser) -> None:
    """Add the option that chooses records by their verdict."""
    parser.add_argument(
        "--verdict",
        action="append",
        metavar="VERDICT",
        help="only with this verdict of the QC rules: fail, warn, pass, 'not judged'; "
        "may be repeated",
    )


def column_names(texts: Iterable[str]) -> list[str]:
    """Split lists of names at commas; a name with a comma stands in double quotes."""
    from csv import reader

    names = [name for row in reader(texts, skipinitialspace=True) for name in row if name]
    return list(dict.fromkeys(names))


def verdict_field(found: OpenedStore, level: Level) -> str:
    """Return the name of the verdict; raises SchemaNotFoundError where nothing is judged."""
    from pipestat_spec.errors import SchemaNotFoundError

    judge = found.store.judge(level)
    if judge is None:
        where = "the output schema has" if found.store.schema else "there is no output schema, so"
        raise SchemaNotFoundError(
            f"{where} no QC rules at {level} level",
            hint='give a schema with -s, or a result in it qc: {fail: "value < 0.5"}',
        )
    return judge.field


def verdict_condition(found: OpenedStore, level: Level, verdicts: Sequence[str]) -> Filter:
    """Return the filter of `--verdict`; raises FilterSyntaxError for a word that is none."""
    from pipestat_spec.errors import FilterSyntaxError
    from pipestat_spec.models.query import In
    from pipestat_spec.models.verdict import Verdict

    known = list(map(str, Verdict))
    for verdict in verdicts:
        if verdict not in known:
            from pipestat_spec.text.strings import nearest

            near = nearest(verdict, known)
            raise FilterSyntaxError(
                f"{verdict!r} is no verdict",
                hint=f"did you mean {near!r}?" if near else "verdicts are " + ", ".join(known),
            )
    return In((verdict_field(found, level),), tuple(verdicts))


def condition(found: OpenedStore, level: Level, args: argparse.Namespace) -> Filter | None:
    """Return the filter of `--where`, `--status` and `--verdict`."""
    from pipestat_spec.domain.filter_text import parse_filter
    from pipestat_spec.models.query import And, In

    parts: list[Filter] = []
    if args.where is not None:
        parts.append(parse_filter(args.where))
    if args.status:
        statuses = found.store.statuses
        parts.append(In(("status",), tuple(statuses.check(name) for name in args.status)))
    if args.verdict:
        parts.append(verdict_condition(found, level, args.verdict))
    return And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def needed_results(args: argparse.Namespace) -> tuple[str, ...] | None:
    """Return the results that the chosen columns need; None: all."""
    from pipestat_spec.domain.filter_text import read_field
    from pipestat_spec.domain.filters import SPECIAL_FIELDS

    if not args.columns:
        return None
    names: dict[str, None] = {}
    for name in column_names(args.columns):
        path = read_field(name) or (name,)
        names.update(dict.fromkeys((name, path[0]) if len(path) > 1 else (name,)))
    return tuple(name for name in names if name not in SPECIAL_FIELDS)


def cell(record: Record, name: str, missing: object) -> JSONValue:
    """Return what a column shows of a record: a result, a field, or a key inside an object."""
    from pipestat_spec.domain.filter_text import read_field
    from pipestat_spec.domain.filters import field_value
    from pipestat_spec.tables import FIELDS, record_field

    if record.judgement is not None and record.judgement.field == name:
        return str(record.judgement.verdict)
    if name in record.results:
        return record.results[name]
    if name in FIELDS:
        found = record_field(record, name)
        return missing if found is None else found
    return field_value(record, read_field(name) or (name,), missing)


def sorted_records(
    records: Iterable[Record], keys: Sequence[str], limit: int | None = None
) -> Iterator[Record]:
    """Yield the records in the order of `NAME` or `NAME:desc`, the first key first.

    What is missing or null comes last. Verdicts are ordered by severity, `fail` first.
    """
    from pipestat_spec.cli.many_records import in_order
    from pipestat_spec.domain.filters import order_key

    ways = list(map(_sort_key, keys))

    def place(record: Record) -> tuple[object, ...]:
        found: list[object] = []
        for name, way in ways:
            value = _sorted_by(record, name)
            if value is None:
                found.append((True,))
            else:
                key = order_key(value)
                found.append((False, key if way == "asc" else Descending(key)))
        return (*found,)

    return in_order(records, place, limit)


class Descending:
    """A key of an order, the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and bool(self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: Descending) -> bool:
        return bool(other.key < self.key)


def _sorted_by(record: Record, name: str) -> JSONValue:
    judgement = record.judgement
    if judgement is not None and judgement.field == name:
        return judgement.verdict.rank
    return cell(record, name, None)


def _sort_key(text: str) -> tuple[str, str]:
    """Return the name and `asc` or `desc`."""
    name, _, way = text.rpartition(":")
    return (name, way) if name and way in ("asc", "desc") else (text, "asc")
