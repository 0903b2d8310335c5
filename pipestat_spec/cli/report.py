"""`report`: store results of one record, and its status with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_quiet, add_record, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.change import Transition
    from pipestat_spec.models.record import Level, Record, RecordKey
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.store import Store

__all__ = ["configure"]

_EXPLANATION = """
A value given as text takes the type that the output schema declares: with
`reads: {type: integer}`, reads=1200 stores the integer 1200. Without a schema it is a
string. NAME:=JSON gives the value as JSON, NAME:=@FILE the JSON in a file.

All results of a call are stored or none. A value equal to the stored one changes nothing,
so that a job may be repeated; a different one needs -o, and else nothing is stored.
"""


class Given(NamedTuple):
    """One value as it was given: text that takes the declared type, or a JSON value."""

    value: JSONValue
    is_text: bool


def configure(parser: CommandParser) -> None:
    """Fill the parser of `report`."""
    add_record(parser)
    _add_results(parser)
    parser.add_argument(
        "-o", "--overwrite", action="store_true", help="replace different values, keep the old ones"
    )
    parser.add_argument(
        "-t",
        "--skip-convert",
        action="store_true",
        help="text stays a string, whatever type is due",
    )
    parser.add_argument("--status", help="set this status too")
    parser.add_argument("-m", "--message", help="what the status is about")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="where the results come from, for example rule=align; KEY:=JSON as for results",
    )
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec report -f results.yaml -s schema.yaml -r sample1 -i reads -v 1200",
        "pipestat-spec report -c pipestat.yaml -r sample1 reads=1200 name=x",
        """pipestat-spec report -f r.yaml -r sample1 'plot:={"path": "p.png", "title": "t"}'""",
        "pipestat-spec report -c pipestat.yaml -r sample1 --json @results.json --status completed",
        text=_EXPLANATION,
    )


def _add_results(parser: CommandParser) -> None:
    """Add the three ways to give results."""
    parser.add_argument(
        "results", nargs="*", metavar="NAME=VALUE", help="a result; or NAME:=JSON, NAME:=@FILE"
    )
    parser.add_argument(
        "-i",
        "--result-identifier",
        action="append",
        default=[],
        metavar="NAME",
        help="a result, whose value is the -v of the same position; may be repeated",
    )
    parser.add_argument(
        "-v", "--value", action="append", default=[], metavar="VALUE", help="the value for -i"
    )
    parser.add_argument(
        "--json", metavar="TEXT|@FILE|-", help="an object of results: JSON, a file with it or stdin"
    )


def _run(args: argparse.Namespace) -> int:
    given = _given(args)
    if not given and args.status is None:
        args.parser.error("nothing to report: give NAME=VALUE, -i with -v, --json or --status")
    if args.message is not None and args.status is None:
        args.parser.error("-m needs --status")
    source = _source(args)

    from pipestat_spec.cli.stores import opened, resolve_key

    with opened(args, may_be_new=True) as found:
        key = resolve_key(found, args)
        values = {
            name: _convert(found.store, key.level, name, one, args.skip_convert)
            for name, one in given.items()
        }
        before, after = _store(found, key, values, args, source)
        if not args.quiet:
            note(_summary(key, values, before, after))
    return 0


def _store(
    found: OpenedStore,
    key: RecordKey,
    values: dict[str, JSONValue],
    args: argparse.Namespace,
    source: dict[str, JSONValue],
) -> Transition:
    """Store the values; return the record as it was and as it is."""
    from pipestat_spec.errors import ResultConflictError

    change = found.store.rules.report(
        key,
        values,
        overwrite=args.overwrite or found.config.get("force_overwrite", False),
        status=args.status,
        status_message=args.message,
        source=source or None,
    )
    try:
        return found.store.apply([(key, change)])[0]
    except ResultConflictError as error:
        error.hint = "give -o to replace it; nothing was stored"
        raise


def _summary(
    key: RecordKey, values: dict[str, JSONValue], before: Record | None, after: Record | None
) -> str:
    from pipestat_spec.json_values import same_value

    old, new = (record.results if record else {} for record in (before, after))
    changed = [
        name for name in values if name not in old or not same_value(old[name], new.get(name))
    ]
    parts = [f"reported {', '.join(changed)}"] if changed else []
    if after and after.status != (before.status if before else None):
        parts.append(f"status {after.status}")
    return f"{key.identifier}: {'; '.join(parts) or 'nothing changed'}"


# From the arguments to values


def _given(args: argparse.Namespace) -> dict[str, Given]:
    """Return what was given for each result; leaves with a usage error."""
    if len(args.result_identifier) != len(args.value):
        args.parser.error(
            f"{len(args.result_identifier)} -i and {len(args.value)} -v: each -i needs its -v"
        )
    found = [(name, Given(text, True)) for name, text in zip(args.result_identifier, args.value)]  # noqa: B905
    found += _pairs(args, args.results, "NAME=VALUE").items()
    if args.json is not None:
        from pipestat_spec.cli.json_input import json_argument
        from pipestat_spec.errors import InvalidValueError

        document = json_argument(args.json, "--json")
        if not isinstance(document, dict):
            raise InvalidValueError("--json: not an object", hint='give {"NAME": VALUE, ...}')
        found += [(name, Given(value, False)) for name, value in document.items()]
    given = dict(found)
    if len(given) < len(found):
        from collections import Counter

        (twice, _), *_ = Counter(name for name, _ in found).most_common(1)
        args.parser.error(f"result {twice!r} is given twice")
    return given


def _pairs(args: argparse.Namespace, texts: list[str], what: str) -> dict[str, Given]:
    """Split `NAME=VALUE` and `NAME:=JSON`; leaves with a usage error."""
    found: dict[str, Given] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.rstrip(":"):
            args.parser.error(f"{text!r} is not {what}")
        if name.endswith(":"):
            from pipestat_spec.cli.json_input import json_argument, json_value

            name = name[:-1]
            reader = json_argument if value.startswith("@") else json_value
            one = Given(reader(value, f"result {name!r}"), False)
        else:
            one = Given(value, True)
        if name in found:
            args.parser.error(f"{what}: {name!r} is given twice")
        found[name] = one
    return found


def _source(args: argparse.Namespace) -> dict[str, JSONValue]:
    """Return the source; its `attempt` is an integer (spec/core.md)."""
    pairs = _pairs(args, args.source, "KEY=VALUE")
    source = {name: given.value for name, given in pairs.items()}
    attempt = source.get("attempt")
    if isinstance(attempt, str) and attempt.isdecimal():
        source["attempt"] = int(attempt)
    return source


def _convert(store: Store, level: Level, name: str, given: Given, keep_text: bool) -> JSONValue:
    """Return the value; text takes the declared type.

    Raises InvalidTypeError for text that does not fit, unless values are not validated.
    """
    if not given.is_text or keep_text:
        return given.value
    from pipestat_spec.errors import InvalidTypeError

    try:
        return store.rules.from_text(level, name, str(given.value))
    except InvalidTypeError as error:
        import os

        if os.path.isfile(str(given.value)):
            error.hint = f"'{name}:=@{given.value}' stores the JSON that is in that file"
        raise
