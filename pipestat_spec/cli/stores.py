"""Opening the store that a command's options name, and the record that they mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.messages import catch_logging
from pipestat_spec.cli.options import STORE_OPTIONS
from pipestat_spec.models.record import Level, RecordKey
from pipestat_spec.opening import OpenedStore, load_config, open_store

if TYPE_CHECKING:
    import argparse

__all__ = ["opened", "resolve_key", "resolve_level", "store_arguments"]


def store_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Return the configuration keys that the options set."""
    arguments = {key: getattr(args, key) for _, key, _ in STORE_OPTIONS}
    # A switch that is not given does not beat a configuration.
    return {**arguments, "layout": args.layout, "multi_pipelines": args.multi_pipelines or None}


@contextmanager
def opened(args: argparse.Namespace, *, may_be_new: bool = False) -> Iterator[OpenedStore]:
    """Open the store and close it afterwards.

    Raises StoreNotFoundError when it is not there, unless it `may_be_new`.
    """
    found = open_store(load_config(args.config), store_arguments(args))
    catch_logging(only_if_imported=True)
    try:
        if not may_be_new:
            found.check_exists()
        yield found
    finally:
        found.store.close()


def resolve_level(found: OpenedStore, args: argparse.Namespace) -> Level:
    """Return the level that `-p` or the configuration names; `sample` without."""
    return found.resolve_level(args.pipeline_type)


def resolve_key(found: OpenedStore, args: argparse.Namespace) -> RecordKey:
    """Return the record that is meant; raises MissingConfigDataError when none is named."""
    return found.resolve_key(args.record_identifier, args.pipeline_type)
