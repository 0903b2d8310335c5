"""What completion scripts ask for: names that only a store knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level
    from pipestat_spec.opening import OpenedStore

__all__ = ["print_candidates"]

# Records that tell which results there are, where no schema does.
_LOOKED_AT = 100


def print_candidates(arguments: list[str]) -> int:
    """Print the names of a kind that begin with a prefix, one a line.

    `arguments` are the kind (records, results, columns, which are results and fields, statuses,
    verdicts), the prefix, and the words of the command line before it, which may name a store.
    Says nothing of what is wrong: the command itself will.
    """
    import shlex
    from contextlib import closing, redirect_stderr, suppress
    from io import StringIO

    from pipestat_spec.cli.options import add_store
    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.cli.stores import resolve_level, store_arguments
    from pipestat_spec.opening import load_config, open_store

    kind, prefix, *words = arguments
    if kind == "verdicts":
        from pipestat_spec.models.verdict import Verdict

        # A word with a blank may have been begun with a quote.
        print(*(name for name in Verdict if name.startswith(prefix.lstrip("\"'"))), sep="\n")
        return 0
    parser = CommandParser("", "")
    add_store(parser)
    with redirect_stderr(StringIO()), suppress(Exception, SystemExit):
        args, _ = parser.parse_known_args([part for word in words for part in shlex.split(word)])
        found = open_store(load_config(args.config), store_arguments(args))
        with closing(found.store):
            # In a list such as `reads,st` the last name is completed.
            head, comma, last = prefix.lstrip("\"'").rpartition("," if kind == "columns" else "\0")
            for name in _candidates(found, resolve_level(found, args), kind, last):
                if name.isprintable():
                    print(head + comma + name)
    return 0


def _candidates(found: OpenedStore, level: Level, kind: str, prefix: str) -> Iterator[str]:
    from itertools import islice

    store = found.store
    if kind == "statuses":
        yield from (name for name in store.statuses if name.startswith(prefix))
    elif kind == "records":
        for record in store.scan(level):
            if record.key.identifier.startswith(prefix):
                yield record.key.identifier
            elif record.key.identifier > prefix:
                return
    else:
        schema = store.rules.level_schema(level)
        names = dict.fromkeys(schema.results if schema else ())
        if not names:
            for record in islice(store.scan(level), _LOOKED_AT):
                names.update(dict.fromkeys(record.results))
        if kind == "columns":
            from pipestat_spec.tables import FIELDS

            names.update(dict.fromkeys(FIELDS))
        yield from (name for name in names if name.startswith(prefix))
