"""`watch`: follow a store, and wait until records are as they should be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note, warning
from pipestat_spec.cli.options import add_quiet, add_store, integer_option, number_option

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.domain.events import Event
    from pipestat_spec.errors import PipestatError
    from pipestat_spec.models.query import Filter
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.watching import Watch, Watcher

__all__ = ["configure"]

# When the time is over, or a record is as none should be.
NOT_REACHED = 3
# A status, in short for the filter.
_STATUS = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_EXPLANATION = """
Prints a line for each result, status and verdict as they come, and for what is removed; with
--format jsonl an object a line. It begins now: what is there already is not printed, but counts
for --until and --fail-on. A FILTER is that of select --where; a word alone is a status, so
that --until completed means --until "status = 'completed'".

The exit code is 0 when --until is reached, or without it when the time is over; 3 when the time
is over before, or a record matches --fail-on; 130 after Ctrl-C. A store that does not answer any
more is asked again for --patience seconds; a store that is not there is an error, unless
--wait-for-store is given.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `watch`."""
    parser.add_argument(
        "--until", metavar="FILTER", help="leave with 0 when so many records match (--count)"
    )
    parser.add_argument(
        "--count",
        type=integer_option,
        metavar="N",
        help="how many records --until waits for; default 1",
    )
    parser.add_argument("--fail-on", metavar="FILTER", help="leave with 3 when a record matches")
    parser.add_argument(
        "--timeout", type=number_option, metavar="SECONDS", help="leave after this time"
    )
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--from-start", action="store_true", help="print what is there already, too")
    begin.add_argument(
        "--since",
        metavar="TIME",
        help="print the records that were changed from then on (UTC), too, all of each",
    )
    parser.add_argument(
        "--interval",
        type=number_option,
        default=2.0,
        metavar="SECONDS",
        help="between looks; default 2",
    )
    parser.add_argument(
        "--patience",
        type=number_option,
        default=600.0,
        metavar="SECONDS",
        help="for a store that does not answer any more; default 600",
    )
    parser.add_argument(
        "--wait-for-store", action="store_true", help="wait for a store that is not there yet"
    )
    parser.add_argument("--format", choices=("text", "jsonl"), default="text", help="of the lines")
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec watch -f results.yaml",
        "pipestat-spec watch -f results.db --from-start --format jsonl",
        "pipestat-spec watch -f results.db --until completed --count 12 --fail-on failed",
        """pipestat-spec watch -f r.yaml -q --timeout 3600 --until "record_identifier = 's1' """
        """and status = 'completed'\"""",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from contextlib import closing
    from time import monotonic

    from pipestat_spec.cli.messages import catch_logging
    from pipestat_spec.domain.times import parse_time
    from pipestat_spec.watching import Watch, Watcher

    _check(args)
    filters = [_filter(text) for text in (args.until, args.fail_on) if text is not None]
    since = None if args.since is None else parse_time(args.since)
    end = None if args.timeout is None else monotonic() + args.timeout
    found, has_waited = _opened(args, end)
    if found is None:
        return _over(args, "there is no store yet")
    with closing(found.store):
        catch_logging(only_if_imported=True)
        watcher = Watcher(
            found.store,
            found.resolve_level(args.pipeline_type),
            since=since,
            # Of a store that was not there, everything is news.
            from_start=args.from_start or has_waited,
            filters=filters,
        )
        left = None if end is None else max(0.0, end - monotonic())
        watch = Watch(
            watcher,
            interval=args.interval,
            timeout=left,
            patience=args.patience,
            trouble=_tell_trouble,
        )
        return _follow(watch, watcher, args)


def _check(args: argparse.Namespace) -> None:
    for name in ("interval", "timeout", "patience"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < float("inf"):
            args.parser.error(f"argument --{name}: {value} is no number of seconds")
    if args.interval < 0.05:
        args.parser.error(f"argument --interval: {args.interval} is too short; 0.05 is the least")
    if args.count is not None and args.count < 1:
        args.parser.error(f"argument --count: {args.count} is no number of records")
    if args.count is not None and args.until is None:
        args.parser.error("--count goes with --until")


def _filter(text: str) -> Filter:
    import re

    from pipestat_spec.domain.filter_text import parse_filter
    from pipestat_spec.models.query import Comparison

    if re.fullmatch(_STATUS, text, re.ASCII):
        return Comparison(("status",), "eq", text)
    return parse_filter(text)


def _opened(args: argparse.Namespace, end: float | None) -> tuple[OpenedStore | None, bool]:
    """Open the store, and tell whether it was waited for; None when the time is over before."""
    from time import monotonic, sleep

    from pipestat_spec.cli.stores import store_arguments
    from pipestat_spec.errors import StoreNotFoundError
    from pipestat_spec.opening import load_config, open_store

    has_waited = False
    while True:
        found = open_store(load_config(args.config), store_arguments(args))
        try:
            found.check_exists()
            for text in (args.until, args.fail_on):
                _check_status(found, text)
            return found, has_waited
        except StoreNotFoundError as missing:
            found.store.close()
            if not args.wait_for_store:
                raise
            if not has_waited and not args.quiet:
                note(f"waiting: {missing.message}")
            has_waited = True
        except BaseException:
            found.store.close()
            raise
        pause = args.interval if end is None else min(args.interval, end - monotonic())
        if pause <= 0 or _nobody_reads():
            return None, has_waited
        sleep(pause)


def _check_status(found: OpenedStore, text: str | None) -> None:
    """Refuse a word alone that is no status: no record will have it."""
    import re

    if text is not None and re.fullmatch(_STATUS, text, re.ASCII):
        found.store.statuses.check(text)


def _follow(watch: Watch, watcher: Watcher, args: argparse.Namespace) -> int:
    for events in watch.batches():
        _print(events, args)
        if args.fail_on is not None and watcher.matching(-1):
            if not args.quiet:
                note(f"{_records(watcher.matching(-1))} with {args.fail_on}")
            return NOT_REACHED
        if args.until is not None and watcher.matching(0) >= (args.count or 1):
            return 0
        if _nobody_reads():
            raise BrokenPipeError
    if args.until is None:
        return 0
    return _over(args, f"{_records(watcher.matching(0))} of {args.count or 1} with {args.until}")


def _over(args: argparse.Namespace, how: str) -> int:
    if not args.quiet:
        note(f"the time is over: {how}")
    return NOT_REACHED


def _records(number: int) -> str:
    from pipestat_spec.cli.messages import counted

    return counted(number, "record")


def _print(events: Iterable[Event], args: argparse.Namespace) -> None:
    if args.quiet:
        return
    for line in _lines(events, args.format):
        print(line)
    sys.stdout.flush()


def _lines(events: Iterable[Event], style: str) -> Iterator[str]:
    import json

    for event in events:
        if style == "text":
            yield event.text
        else:
            yield json.dumps(event.as_json(), ensure_ascii=False, allow_nan=False)


def _tell_trouble(error: PipestatError | None) -> None:
    if error is None:
        note("the store answers again")
    else:
        warning(f"the store does not answer, it is asked again: {error.message}")


def _nobody_reads() -> bool:
    """Tell whether the other end of the pipe is closed: a line that comes late would be lost."""
    import select

    if not hasattr(select, "poll"):
        return False
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(what & (select.POLLERR | select.POLLNVAL) for _, what in poll.poll(0))
    except (OSError, ValueError):  # it is no stream of the system
        return False
