"""Changing one object: get, decide, put on condition, and no blind repetition (docs/adr/0010).

The put replaces exactly the object that the decision was made from, or fails. Whatever comes
of it, the next look at the object tells whether one of our own puts is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipestat_spec.errors import PipestatDataError, PipestatError
from pipestat_yaml.records.records import Decision
from pipestat_yaml.remote.evidence import Attempt, find_own, is_settled, metadata_for, new_id
from pipestat_yaml.remote.guard import WriteGuard
from pipestat_yaml.remote.objects import (
    ANY,
    NEW,
    Condition,
    ConditionFailed,
    StoredObject,
    Transient,
)
from pipestat_yaml.remote.retry import Tries

__all__ = ["Seen", "Updating"]

# Makes a decision from an object's bytes; raises PipestatError to refuse.
Decide = Callable[[bytes], Decision]


class Seen(NamedTuple):
    """An object as it was at some moment before; None: there was none."""

    object: StoredObject | None


class Updating:
    """One change of one object, until its outcome is known.

    `seen` saves the first get. It may be old, so only a put that depends on it counts: what
    it makes a decision refuse, or leave as it is, is asked again of the present object.
    """

    def __init__(self, guard: WriteGuard, key: str, decide: Decide, tries: Tries) -> None:
        self._guard = guard
        self._store = guard.store
        self._key = key
        self._decide = decide
        self._tries = tries
        self._attempts: list[Attempt[Decision]] = []

    def run(self, seen: Seen | None = None) -> Decision:
        """Make the change; raises what the decision raises, or that it was given up."""
        try:
            return self._run(seen)
        finally:
            self._tries.done()

    def _run(self, seen: Seen | None) -> Decision:
        while True:
            base = seen.object if seen else self._present()
            own = find_own(self._attempts, base)
            if own is not None:
                return own.decided
            self._settle(base)
            try:
                decision = self._decide(base.data if base else b"")
            except PipestatError:
                if seen is None:
                    raise
                seen = None
                continue
            if decision.chunks is None:
                if seen is None:
                    return decision
                seen = None
                continue
            seen = None
            if self._put(self.prepared(decision, base)):
                return decision

    def _present(self) -> StoredObject | None:
        return self._tries.reading(lambda: self._store.get(self._key))

    def prepared(self, decision: Decision, base: StoredObject | None) -> Put:
        """Return the put that a decision asks for."""
        assert decision.chunks is not None
        attempt = new_id()
        metadata = metadata_for(base, attempt) if self._store.keeps_metadata else {}
        conditional = self._guard.is_conditional(self._key)
        when = (Condition(base.version) if base else NEW) if conditional else ANY
        return Put(attempt, base, decision, b"".join(decision.chunks), when, metadata)

    def again(self, put: Put, failure: ConditionFailed | Transient) -> Decision:
        """Make the change after all, when a put that somebody else made was not acknowledged."""
        self._note(put, failure)
        return self.run()

    def _put(self, put: Put) -> bool:
        try:
            self._store.put(self._key, put.data, put.when, put.metadata)
        except (ConditionFailed, Transient) as failure:
            self._note(put, failure)
            return False
        return True

    def _note(self, put: Put, failure: ConditionFailed | Transient) -> None:
        """Remember a put that was not acknowledged, and wait.

        A refused one too: a library, or something on the way, may have repeated the request,
        which then met its own first attempt.
        """
        in_doubt = isinstance(failure, Transient) and failure.may_be_stored
        self._attempts.append(Attempt(put.attempt, put.base, put.decision, in_doubt))
        self._tries.may_be_stored |= in_doubt
        self._tries.failed(failure)

    def _settle(self, found: StoredObject | None) -> None:
        """Forget the attempts that this object proves not to be stored, and never to be."""
        if self._store.keeps_metadata and not all(is_settled(a, found) for a in self._attempts):
            raise PipestatDataError(
                f"{self._tries.shown}: a connection broke while the change was stored, and other "
                "programs have replaced the object since",
                hint="the change may have been stored and overwritten; read it before you repeat",
                file=self._tries.shown,
            )
        # Only one that is to replace the present version can still arrive.
        version = found.version if found else None
        self._attempts = [
            a for a in self._attempts if (a.base.version if a.base else None) == version
        ]
        self._tries.may_be_stored = any(a.in_doubt for a in self._attempts)


class Put(NamedTuple):
    """A put to be made."""

    attempt: str
    base: StoredObject | None
    decision: Decision
    data: bytes
    when: Condition
    metadata: dict[str, str]
