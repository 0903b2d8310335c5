"""Flags of other programs as pipestat reads them: of any status, and one alone."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.text.file_names import encode_component
from pipestat_spec.text.strings import shorten

__all__ = ["Flag", "SeveralStatusesError", "flags_of_others", "only_status"]

_ENDING = ".flag"


class SeveralStatusesError(PipestatDataError, AssertionError):
    """Flags tell more than one status of a record."""


class Flag(NamedTuple):
    """A flag that is no link, which another program has made."""

    status: str
    path: str


def flags_of_others(
    folder: str, namespace: str, identifier: str, defined: Collection[str]
) -> list[Flag]:
    """Return the flags of a record that other programs have made, by name.

    The status of one need not be defined. `{namespace}_b_x_failed.flag` is of `b_x` and not of
    `b`: the file holds its status, and where it is empty a defined one is meant, or one word.
    """
    stem = f"{encode_component(namespace)}_{encode_component(identifier)}_"
    found = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in sorted(os.listdir(folder)):
            if not name.startswith(stem) or not name.endswith(_ENDING):
                continue
            status, path = name[len(stem) : -len(_ENDING)], os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            if status in defined or "_" not in status or _holds(path, status):
                found.append(Flag(status, path))
    return found


def _holds(path: str, status: str) -> bool:
    with suppress(FileNotFoundError), open(path, "rb") as file:
        return file.read(len(status.encode()) + 2).strip() == status.encode()
    return False


def only_status(
    identifier: str, known: str | None, flags: Collection[Flag], defined: Collection[str]
) -> str | None:
    """Return the status of a record, `known` or the one that a flag tells.

    A store knows what flags of defined statuses say. Raises SeveralStatusesError.
    """
    told = {flag.status for flag in flags}
    if known is not None and not told <= set(defined):
        told.add(known)
    if len(told) > 1:
        raise SeveralStatusesError(
            f"flags tell several statuses of {shorten(identifier)}: " + ", ".join(sorted(told)),
            hint="set the right one, or remove the wrong ones of "
            + ", ".join(flag.path for flag in flags),
            record_identifier=identifier,
        )
    return known if known is not None else next(iter(told), None)
