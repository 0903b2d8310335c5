"""Changing one object: get, decide, put on condition, and no blind retry (docs/adr/0010).

An attempt replaces exactly the object that its decision was made from, or fails. When its
outcome is unknown, the next look at the object settles it. The evidence is in the object: its
metadata carries the ids of the attempts that it has seen, newest first, so it tells also when
others have written since.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from pipestat_spec.errors import PipestatDataError, PipestatError
from pipestat_yaml.records.records import Decision
from pipestat_yaml.remote.object_store import (
    ANY,
    NEW,
    Condition,
    ConditionFailed,
    StoredObject,
    Transient,
)
from pipestat_yaml.remote.retries import Retries
from pipestat_yaml.remote.write_guard import WriteGuard

__all__ = ["Attempt", "ObjectUpdate", "Seen", "find_own", "is_settled", "metadata_for"]

KEY = "pipestat-writes"
# Ids that are kept: with their spaces 780 of the 2,048 bytes that S3 gives to metadata.
KEPT = 60
_MOST_BYTES = 2000
# Stands at the end of a list whose older ids were dropped.
_CUT = "+"

# Makes a decision from an object's bytes; raises PipestatError to refuse.
Decide: TypeAlias = Callable[[bytes], Decision]


class Attempt(NamedTuple):
    """One try of a put: its random id, what it is to replace, and what was decided.

    `unknown` tells that no answer came, or one that leaves open what happened.
    """

    id: str
    base: StoredObject | None
    decision: Decision
    when: Condition = ANY
    metadata: Mapping[str, str] = {}
    unknown: bool = False

    @property
    def data(self) -> bytes:
        """The bytes to put."""
        return b"".join(self.decision.chunks or ())


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


def find_own(attempts: Sequence[Attempt], found: StoredObject | None) -> Attempt | None:
    """Return the attempt that the object has seen."""
    seen = set(_writes(found)) if attempts else set()
    return next((attempt for attempt in attempts if attempt.id in seen), None)


def is_settled(attempt: Attempt, found: StoredObject | None) -> bool:
    """Tell whether an attempt that is not among the object's writes was not stored.

    It is not known when the list does not reach back to what the attempt was to replace:
    more writes than it holds, or one by a program that keeps no list.
    """
    base = attempt.base
    if not attempt.unknown or found is None or (base and found.version == base.version):
        return True
    writes, before = _writes(found), _writes(base)
    if before:
        return before[0] in writes
    return bool(writes) and writes[-1] != _CUT


class Seen(NamedTuple):
    """An object as it was at some moment before; None: there was none."""

    object: StoredObject | None


class ObjectUpdate:
    """One change of one object, until its outcome is known."""

    def __init__(self, guard: WriteGuard, key: str, decide: Decide) -> None:
        self.decide = decide
        self._guard = guard
        self._store = guard.store
        self._key = key
        self._retries = Retries(guard.store.shown(key), guard.patience, writing=True)
        # Those that may be stored as far as we know.
        self._attempts: list[Attempt] = []

    def run(self, seen: Seen | None = None) -> Decision:
        """Make the change; raises what the decision raises, or that it was given up.

        `seen` saves the first get. It may be old, so only a put that depends on it counts: what
        it makes a decision refuse, or leave as it is, is asked again of the present object.
        """
        with self._retries:
            while True:
                base = seen.object if seen else self._present()
                own = find_own(self._attempts, base)
                if own is not None:
                    return own.decision
                self._settle(base)
                try:
                    decision = self.decide(base.data if base else b"")
                except PipestatError:
                    if seen is None:
                        raise
                    seen = None
                    continue
                if decision.chunks is None:
                    if seen is None:
                        return decision
                elif self._put(self.attempt(decision, base)):
                    return decision
                seen = None

    def _present(self) -> StoredObject | None:
        return self._retries.reading(lambda: self._store.get(self._key))

    def attempt(self, decision: Decision, base: StoredObject | None) -> Attempt:
        """Return the put that a decision asks for, to be made."""
        name = secrets.token_urlsafe(9)
        metadata = metadata_for(base, name) if self._store.keeps_metadata else {}
        conditional = self._guard.is_conditional(self._key)
        when = (Condition(base.version) if base else NEW) if conditional else ANY
        return Attempt(name, base, decision, when, metadata)

    def _put(self, attempt: Attempt) -> bool:
        try:
            self._store.put(self._key, attempt.data, attempt.when, attempt.metadata)
        except (ConditionFailed, Transient) as failure:
            self._note(attempt, failure)
            return False
        return True

    def after(self, attempt: Attempt, failure: ConditionFailed | Transient) -> Decision:
        """Settle an attempt that somebody else made and that failed; retry what is not stored."""
        with self._retries:
            self._note(attempt, failure)
            return self.run()

    def _note(self, attempt: Attempt, failure: ConditionFailed | Transient) -> None:
        """Remember an attempt that was not acknowledged, and wait.

        A refused one too: a library, or something on the way, may have repeated the request,
        which then met its own first attempt.
        """
        unknown = isinstance(failure, Transient) and failure.reached
        self._attempts.append(attempt._replace(unknown=unknown))
        self._retries.outcome_unknown |= unknown
        self._retries.wait(failure)

    def _settle(self, found: StoredObject | None) -> None:
        """Forget the attempts that this object proves not to be stored, and never to be."""
        if self._store.keeps_metadata and not all(is_settled(a, found) for a in self._attempts):
            raise PipestatDataError(
                f"{self._retries.shown}: a connection broke while the change was stored, and other "
                "programs have replaced the object since",
                hint="the change may have been stored and overwritten; read it before you repeat",
                file=self._retries.shown,
            )
        # Only one that is to replace the present version can still arrive.
        version = found.version if found else None
        self._attempts = [
            a for a in self._attempts if (a.base.version if a.base else None) == version
        ]
        self._retries.outcome_unknown = any(a.unknown for a in self._attempts)
