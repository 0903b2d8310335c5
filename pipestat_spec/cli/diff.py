"""`diff`: what differs between two stores, two namespaces, or one store at two times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import (
    add_format,
    add_output,
    describe_key,
    integer_option,
    number_option,
)
from pipestat_spec.models.record import LEVELS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.differences import Condition, Differences

__all__ = ["configure"]

# What a gate that does not hold leaves with.
GATE = 3
# Rows of a table, unless --limit says another number.
_ROWS = {"text": 20, "markdown": 20, "html": 1000}
_EXPLANATION = """
A and B are paths or addresses of stores, or configuration files; B is the later one. With one
of them, or none for the configured store, it is compared with itself: at an earlier time (--at),
or two of its namespaces. An option that names a store or a time twice speaks of A, then of B.

Numbers are equal within the tolerance of their result: B within atol + rtol * |A|. It is what
--tolerance says, else the output schema (atol, rtol), else --atol and --rtol. Worse is a number
that went against better: higher or lower, of the schema or of --better; a record that is no
longer completed, or failed; and a worse verdict.

Without --fail-on the exit code is 0 whatever differs. With it, it is 3 when the condition holds.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `diff`."""
    parser.add_argument("stores", nargs="*", metavar="STORE", help="A and B: path, address, config")
    parser.add_argument(
        "--at",
        action="append",
        metavar="TIME",
        help="compare A as it was then (UTC); given twice, B too",
    )
    parser.add_argument(
        "--fail-on",
        action="append",
        metavar="CONDITION",
        help="changed, worse or removed: leave with 3; several with commas, may be repeated",
    )
    parser.add_argument(
        "--atol", type=number_option, metavar="N", help="absolute tolerance of numbers"
    )
    parser.add_argument(
        "--rtol",
        type=number_option,
        metavar="N",
        help="relative tolerance: 0.01 is one percent of A",
    )
    parser.add_argument(
        "--tolerance",
        action="append",
        metavar="RESULT=N",
        help="tolerance of one result: N, or N%% of A; may be repeated",
    )
    parser.add_argument(
        "--better",
        action="append",
        metavar="RESULT=WAY",
        help="higher or lower: which numbers of a result are better; may be repeated",
    )
    parser.add_argument(
        "--limit",
        type=integer_option,
        metavar="N",
        help="rows of each table, 0: all; default 20, in HTML 1000; JSON has all",
    )
    add_format(parser, ("text", "json", "html", "markdown", "md"))
    add_output(parser)
    sides = parser.add_argument_group("options that name stores", "Given twice: A, then B.")
    for strings, key, metavar in (
        (("-s", "--schema"), "schema_path", "FILE"),
        (("--status-schema",), "status_schema_path", "FILE"),
        (("-n", "--project-name"), "project_name", "NAME"),
        (("--pipeline-name",), "pipeline_name", "NAME"),
    ):
        sides.add_argument(
            *strings, dest=key, action="append", metavar=metavar, help=describe_key(key)
        )
    parser.add_argument("-p", "--pipeline-type", choices=LEVELS, help="this level only")
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec diff golden.yaml results.yaml",
        "pipestat-spec diff golden.yaml results.yaml --rtol 0.001 --fail-on changed",
        "pipestat-spec diff golden.yaml results.yaml -s schema.yaml --fail-on worse,removed",
        "pipestat-spec diff results.yaml --at 2026-01-31T12:00:00Z",
        "pipestat-spec diff results.db --pipeline-name old --pipeline-name new -o diff.html",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from contextlib import ExitStack, closing

    from pipestat_spec.cli.messages import catch_logging
    from pipestat_spec.differences import compare, given_criteria, open_side
    from pipestat_spec.domain.comparison.criteria import Criterion

    conditions = _conditions(args)
    criteria = given_criteria(_pairs(args, "tolerance"), _pairs(args, "better"))
    for name in ("atol", "rtol"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < float("inf"):
            args.parser.error(f"argument --{name}: {value} is no tolerance; it is 0 or more")
    if args.limit is not None and args.limit < 0:
        args.parser.error(f"argument --limit: {args.limit} is no number of rows; 0 is all")
    with ExitStack() as stack:
        sides = []
        for place, settings, at in _sides(args):
            side = open_side(place, settings, at)
            stack.enter_context(closing(side.store))
            sides.append(side)
        catch_logging(only_if_imported=True)
        general = Criterion(args.atol, args.rtol)
        found = compare(sides[0], sides[1], args.pipeline_type, general, criteria)
        _print(found, args)
    failing = [condition for condition in conditions if found.fulfils(condition)]
    if failing:
        note("fails: " + ", ".join(_REASONS[condition] for condition in failing))
    return GATE if failing else 0


_REASONS = {
    "changed": "something changed",
    "worse": "something is worse",
    "removed": "something was removed",
}


def _conditions(args: argparse.Namespace) -> list[Condition]:
    from pipestat_spec.differences import CONDITIONS

    words = [word.strip() for text in args.fail_on or () for word in text.split(",")]
    for word in words:
        if word not in CONDITIONS:
            args.parser.error(f"argument --fail-on: {word!r} is not one of {', '.join(CONDITIONS)}")
    return [condition for condition in CONDITIONS if condition in words]


def _pairs(args: argparse.Namespace, option: str) -> dict[str, str]:
    """Return `NAME=VALUE` of an option that may be repeated."""
    found = {}
    for text in getattr(args, option) or ():
        name, equals, value = text.rpartition("=")
        if not (name and equals and value):
            args.parser.error(f"argument --{option}: {text!r} is not RESULT=VALUE")
        found[name] = value
    return found


def _sides(args: argparse.Namespace) -> Iterable[tuple[str | None, dict[str, Any], str | None]]:
    """Return place, settings and time of A and of B."""
    keys = ("schema_path", "status_schema_path", "project_name", "pipeline_name")
    for name in ("at", *keys, "stores"):
        if len(getattr(args, name) or ()) > 2:
            what = {"at": "--at", "stores": "stores"}.get(name, name)
            args.parser.error(f"{what}: two are compared, and more than two are given")
    are_two = len(args.stores) == 2 or args.at or len(args.pipeline_name or ()) == 2
    if not are_two and len(args.project_name or ()) != 2:
        args.parser.error("a second store is needed, or --at, or two of --pipeline-name")
    places = args.stores or [None]
    times = [*(args.at or ()), None, None]
    for number in (0, 1):
        settings = {key: _of_side(getattr(args, key), number) for key in keys}
        yield places[min(number, len(places) - 1)], settings, times[number]


def _of_side(given: Sequence[str] | None, number: int) -> str | None:
    return given[min(number, len(given) - 1)] if given else None


def _print(found: Differences, args: argparse.Namespace) -> None:
    style = {"md": "markdown"}.get(args.format, args.format)
    limit = args.limit if args.limit is not None else _ROWS.get(style, 0)
    if style == "json":
        from pipestat_spec.cli.output import data_text

        print(data_text(found.as_json(), "json"))
    elif style == "html":
        print(found.html(limit), end="")
    elif style == "markdown":
        print(found.markdown(limit), end="")
    else:
        _print_text(found, limit)


def _print_text(found: Differences, limit: int) -> None:
    from pipestat_spec.cli.output import print_rows
    from pipestat_spec.differences.sections import headline, left_out_text, sections, summary
    from pipestat_spec.text.strings import printable

    print(printable(headline(found)))
    for line in summary(found):
        print(line if found.is_changed else f"no differences; {line}")
    for section in sections(found, limit):
        print(f"\n{section.title}")
        print_rows(section.columns, section.rows, "table", right=section.numbers)
        if section.left_out:
            print(f"{left_out_text(section)} (--limit 0 shows all)")
    for text in found.notes:
        note(text)
