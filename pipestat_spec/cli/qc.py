"""`qc`: judge records by the QC rules of the output schema, with an exit code for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.messages import counted, counts_text, error, note
from pipestat_spec.cli.options import add_list, add_quiet, add_store
from pipestat_spec.models.verdict import Judgement, Verdict

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Level, Record, RecordKey
    from pipestat_spec.opening import OpenedStore

__all__ = ["NOT_GOOD", "configure"]

# The exit code where a record is not good.
NOT_GOOD = 3

_EXPLANATION = f"""
The rules stand in the output schema: qc: {{fail: "value < 0.5", warn: "value < 0.8"}} at a
result, or qc: [...] at a level. Each record is printed with its verdict and the reasons. A record
is good when it has the status completed and some rule applies to it, but its verdict is milder
than --fail-on. If any is not good, the exit code is {NOT_GOOD}; so it is for a named record that is
not there, and for a level without records. Without -p and without RECORD all levels that have
rules are looked at.
"""
_COMPLETED = "completed"


def configure(parser: CommandParser) -> None:
    """Fill the parser of `qc`."""
    parser.add_argument(
        "records", nargs="*", metavar="RECORD", help="these records only, which have to be there"
    )
    parser.add_argument(
        "--fail-on",
        choices=[Verdict.FAIL.value, Verdict.WARN.value],
        default=Verdict.FAIL.value,
        help="the mildest verdict that is not good; default fail",
    )
    parser.add_argument(
        "--accept",
        action="append",
        metavar="STATUS",
        help="this status is as good as completed; may be repeated",
    )
    parser.add_argument(
        "--any-status", action="store_true", help="do not look at statuses: none is needed either"
    )
    parser.add_argument(
        "--allow-not-judged",
        action="store_true",
        help="a record to which no rule applies is good too",
    )
    parser.add_argument(
        "--only-bad", action="store_true", help="print only the records that are not good"
    )
    add_list(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec qc -f results.yaml -s schema.yaml",
        "pipestat-spec qc --fail-on warn sample1 sample2",
        "pipestat-spec qc --accept partial --only-bad --format json",
        text=_EXPLANATION,
    )


class _Row(NamedTuple):
    """One record: `problems` say why it is not good."""

    key: RecordKey
    status: str | None
    judgement: Judgement
    problems: list[str]


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened

    with opened(args) as found:
        for name in args.accept or ():
            found.store.statuses.check(name)
        levels = _levels(found, args)
        rows = [row for level in levels for row in _rows(found, level, args)]
    bad = [row for row in rows if row.problems]
    _print(bad if args.only_bad else rows, levels, args)
    told = [
        f"there are no records at {level} level"
        for level in levels
        if not any(row.key.level == level for row in rows)
    ]
    if bad:
        some = ", ".join(row.key.identifier for row in bad[:5]) + (", ..." if bad[5:] else "")
        are = "is" if len(bad) == 1 else "are"
        told.append(f"{len(bad)} of {counted(len(rows), 'record')} {are} not good: {some}")
    if told:
        error("; ".join(told))
        return NOT_GOOD
    if not args.quiet:
        verdicts = [row.judgement.verdict for row in rows]
        note(counts_text((v, verdicts.count(v)) for v in Verdict if v in verdicts))
    return 0


def _levels(found: OpenedStore, args: argparse.Namespace) -> list[Level]:
    """Return the levels to look at; raises SchemaNotFoundError for one without rules."""
    from pipestat_spec.cli.choosing import verdict_field

    level = found.resolve_level(args.pipeline_type)
    named = args.pipeline_type or found.config.get("pipeline_type")
    if not args.records and named is None:
        judged = [level for level in found.store.levels if found.store.judge(level)]
        if judged:
            return judged
    verdict_field(found, level)
    return [level]


def _rows(found: OpenedStore, level: Level, args: argparse.Namespace) -> Iterator[_Row]:
    from pipestat_spec.models.record import RecordKey

    store = found.store
    if args.records:
        for name in dict.fromkeys(args.records):
            key = RecordKey(level, name)
            yield _row(key, store.read(key), args)
    else:
        for record in store.scan(level):
            yield _row(record.key, record, args)


def _row(key: RecordKey, record: Record | None, args: argparse.Namespace) -> _Row:
    if record is None:
        return _Row(key, None, Judgement(), ["there is no such record"])
    judgement = record.judgement or Judgement()
    problems = []
    fine = {_COMPLETED, *(args.accept or ())}
    if not args.any_status and record.status not in fine:
        problems.append(f"status {record.status}" if record.status else "no status")
        problems[0] += ", not " + " or ".join(sorted(fine))
    if judgement.verdict is Verdict.NOT_JUDGED:
        if not args.allow_not_judged:
            problems.append("no rule applies")
    elif judgement.verdict.rank <= Verdict(args.fail_on).rank:
        problems.append(f"verdict {judgement.verdict}")
    return _Row(key, record.status, judgement, problems)


def _print(rows: Sequence[_Row], levels: Sequence[Level], args: argparse.Namespace) -> None:
    from pipestat_spec.cli.listing import Listing, print_list

    several = len(levels) > 1
    columns = ["record_identifier", *(["level"] if several else []), "status", "verdict", "reasons"]
    cells = [line for row in rows for line in _cells(row, several, args.format == "table")]
    print_list(Listing(columns, cells, "record", [_entry(row) for row in rows]), args)


def _cells(row: _Row, several: bool, lines: bool) -> Iterator[list[object]]:
    """Yield the cells of a record; with `lines` each reason after the first has its own."""
    from pipestat_spec.cli.output import MISSING

    told = [problem for problem in row.problems if not problem.startswith("verdict ")]
    told += [f"{reason.severity}: {reason.text}" for reason in row.judgement.reasons]
    level = [row.key.level] if several else []
    status = MISSING if row.status is None else row.status
    first = told[0] if lines and told else "; ".join(told)
    yield [row.key.identifier, *level, status, str(row.judgement.verdict), first or MISSING]
    for reason in told[1:] if lines else ():
        yield [MISSING] * (3 + len(level)) + [reason]


def _entry(row: _Row) -> dict[str, JSONValue]:
    return {
        "record_identifier": row.key.identifier,
        "level": row.key.level,
        "status": row.status,
        "verdict": str(row.judgement.verdict),
        "good": not row.problems,
        "problems": [*row.problems],
        "reasons": [reason.as_dict() for reason in row.judgement.reasons],
    }
