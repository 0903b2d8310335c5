"""Which of our puts an object has seen (docs/adr/0010).

The metadata of an object carries the ids of its last writes, newest first. After a put whose
outcome is unknown, the object itself tells whether it was stored, also when others have
written since.
"""

from __future__ import annotations

import secrets
from typing import Generic, NamedTuple, TypeVar

from pipestat_yaml.remote.objects import StoredObject

__all__ = ["Attempt", "find_own", "is_settled", "metadata_for", "new_id"]

KEY = "pipestat-writes"
# Ids that are kept: with their spaces 780 of the 2,048 bytes that S3 gives to metadata.
KEPT = 60
_MOST_BYTES = 2000
# Stands at the end of a list whose older ids were dropped.
_CUT = "+"

Decided = TypeVar("Decided")


class Attempt(NamedTuple, Generic[Decided]):
    """One put: its id, what it was to replace, and what was decided.

    `in_doubt` tells that no answer came, or one that leaves open what happened.
    """

    id: str
    base: StoredObject | None
    decided: Decided
    in_doubt: bool


def new_id() -> str:
    return secrets.token_urlsafe(9)


def _writes(found: StoredObject | None) -> list[str]:
    return found.metadata.get(KEY, "").split() if found else []


def metadata_for(base: StoredObject | None, attempt: str) -> dict[str, str]:
    """Return the metadata of a put that replaces `base`; what others keep there stays."""
    kept = {k: v for k, v in (base.metadata if base else {}).items() if k != KEY and v.isascii()}
    room = _MOST_BYTES - sum(len(k) + len(v) for k, v in kept.items()) - len(KEY)
    ids = [attempt, *_writes(base)]
    whole = ids[-1] != _CUT
    while len(ids) > 2 and (len(ids) > KEPT + (ids[-1] == _CUT) or len(" ".join(ids)) > room):
        ids = [*ids[: -1 if whole else -2], _CUT]
        whole = False
    return {**kept, KEY: " ".join(ids)}


def find_own(
    attempts: list[Attempt[Decided]], found: StoredObject | None
) -> Attempt[Decided] | None:
    """Return the attempt that the object has seen."""
    seen = set(_writes(found)) if attempts else set()
    return next((attempt for attempt in attempts if attempt.id in seen), None)


def is_settled(attempt: Attempt[Decided], found: StoredObject | None) -> bool:
    """Tell whether an attempt that is not among the object's writes was not stored.

    It is not known when the list does not reach back to what the attempt was to replace:
    more writes than it holds, or one by a program that keeps no list.
    """
    base = attempt.base
    if not attempt.in_doubt or found is None or (base and found.version == base.version):
        return True
    writes, before = _writes(found), _writes(base)
    if before:
        return before[0] in writes
    return bool(writes) and writes[-1] != _CUT
