"""Whether a store may be written, found out before the first write (spec/remote.md).

A server that ignores the conditions of a put answers as if all were well, and simultaneous
writers lose results. What a server once did right is remembered for the user under
XDG_CACHE_HOME, by endpoint and bucket; one that did not is asked again the next time.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from pipestat_spec.errors import PipestatError, UnsafeStoreError, UnsupportedOperation
from pipestat_spec.mounts import warn_unsafe
from pipestat_spec.whole_files import replace_file
from pipestat_yaml.remote.object_store import (
    ANY,
    NEW,
    Condition,
    ConditionFailed,
    ObjectStore,
    Transient,
)
from pipestat_yaml.remote.retries import Retries

__all__ = ["WriteGuard"]

_ALTERNATIVES = (
    "set unsafe_writes: true if nobody else writes at the same time, or use a "
    "{record_identifier} path with one writer for each object (which needs it too), report "
    "documents ('pipestat-spec ingest') or a database"
)
# Seconds for which an answer is believed: servers are replaced.
_BELIEVED = 30 * 24 * 3600.0
_WRONG = Condition('"00000000000000000000000000000000"')


class WriteGuard:
    """A store with the answer whether its writes can be made safely.

    `patience` is for how long an operation is retried; `readonly` refuses all writes.
    """

    def __init__(
        self, store: ObjectStore, patience: float, *, unsafe: bool, readonly: bool = False
    ) -> None:
        self.store = store
        self.patience = patience
        self.readonly = readonly
        self._unsafe = unsafe
        self._conditional: bool | None = None

    def is_safe(self, key: str) -> bool:
        """Tell, without asking the server, whether writers can rely on conditions.

        One that is not known yet counts, unless the user has opted in to unsafe writes: it
        is either found to honour them, or not written.
        """
        if self.readonly or not self.store.conditional:
            return False
        return not self._unsafe or self.store.is_trusted() or _is_remembered(self.store, key)

    def check_open(self, key: str) -> None:
        """Raise UnsupportedOperation when nothing can be written at all."""
        if self.readonly:
            raise UnsupportedOperation(
                f"{self.store.shown(key)} is read over HTTP and cannot be written",
                hint="report to the store that the web server publishes",
                file=self.store.shown(key),
            )

    def is_conditional(self, key: str) -> bool:
        """Tell whether puts are to carry conditions; raises UnsafeStoreError when they cannot.

        With the opt-in they go without, which is said once.
        """
        self.check_open(key)
        if self._conditional is None:
            self._conditional = self._found_out(key)
        return self._conditional

    def _found_out(self, key: str) -> bool:
        try:
            if _honours_conditions(self.store, key, self.patience):
                return True
            fault = "ignores the conditions If-Match and If-None-Match of a put"
            if not self.store.conditional:
                fault = "offers no put that replaces only what was read"
        except PipestatError as error:
            if not _is_not_offered(error) or not _takes_plain_puts(self.store, key, self.patience):
                raise
            fault = "refuses conditions of a put"
        fault = f"{self.store.shown(key)}: this store {fault}"
        if not self._unsafe:
            raise UnsafeStoreError(
                f"{fault}, so simultaneous writers would silently lose each other's results",
                hint=_ALTERNATIVES,
                file=self.store.shown(key),
            )
        warn_unsafe(fault)
        return False


def _honours_conditions(store: ObjectStore, key: str, patience: float) -> bool:
    """Tell whether puts beside `key` honour their conditions; raises what a put raises."""
    if not store.conditional:
        return False
    if store.is_trusted() or _is_remembered(store, key):
        return True
    with Retries(store.shown(key), patience, writing=True) as retries:
        honoured = retries.reading(lambda: _honours(store, _probe(key)))
    if honoured:
        _remember(store, key)
    return honoured


def _probe(key: str) -> str:
    """Return the key of an object of our own, beside `key`."""
    folder, slash, _ = key.rpartition("/")
    return f"{folder}{slash}.pipestat-probe-{secrets.token_hex(8)}"


def _is_not_offered(error: PipestatError) -> bool:
    return error.data.get("answer") == "NotImplemented"


def _takes_plain_puts(store: ObjectStore, key: str, patience: float) -> bool:
    """Tell whether a put without conditions is stored: then it is them that are refused."""
    probe = _probe(key)
    try:
        with Retries(store.shown(key), patience, writing=True) as retries:
            retries.reading(lambda: _is_stored(store, probe, ANY))
    except PipestatError as error:
        if _is_not_offered(error):
            return False
        raise
    with suppress(PipestatError, Transient):
        store.delete(probe)
    return True


def _honours(store: ObjectStore, probe: str) -> bool:
    """Put an object of our own a few times, and remove it; raises Transient."""
    there = True
    try:
        # Nothing is there yet, so nothing can be replaced.
        there = _is_stored(store, probe, _WRONG)
        if there:
            return False
        there = True
        _is_stored(store, probe, NEW)
        if _is_stored(store, probe, NEW) or _is_stored(store, probe, _WRONG):
            return False
        found = store.get(probe)
        if found is None or _is_stored(store, probe, Condition(found.version), b"last"):
            return found is not None
        # A request that was repeated on its way met its own first attempt.
        last = store.get(probe)
        return last is not None and last.data == b"last"
    finally:
        if there:
            # Who may not delete leaves a small object behind, which disturbs nobody.
            with suppress(PipestatError, Transient):
                store.delete(probe)


def _is_stored(store: ObjectStore, key: str, when: Condition, data: bytes = b"probe") -> bool:
    try:
        store.put(key, data, when, {})
    except ConditionFailed:
        return False
    return True


def _note(store: ObjectStore, key: str) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(store.address(key).encode()).hexdigest()[:32]
    return Path(root) / "pipestat-spec" / f"conditional-puts-{name}"


def _is_remembered(store: ObjectStore, key: str) -> bool:
    """Tell whether this user has found the server to honour conditions, not too long ago."""
    try:
        note = _note(store, key)
        return 0 <= time.time() - note.stat().st_mtime < _BELIEVED and note.read_text(
            "utf-8"
        ).strip() == store.address(key)
    except OSError:
        return False


def _remember(store: ObjectStore, key: str) -> None:
    # Without a cache folder the question is asked again.
    with suppress(OSError):
        note = _note(store, key)
        replace_file(note, store.address(key).encode() + b"\n")
