"""Whether a server honours the conditions of a put, asked once and remembered.

A server that ignores them answers as if all were well, and simultaneous writers lose
results. What a server once did right is remembered for the user under XDG_CACHE_HOME, by
endpoint and bucket; one that did not is asked again the next time.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from pipestat_spec.errors import PipestatError
from pipestat_yaml.remote.objects import (
    NEW,
    Condition,
    ConditionFailed,
    ObjectStore,
    Transient,
)
from pipestat_yaml.remote.retry import Tries

__all__ = ["honours_conditions", "is_remembered"]

# Seconds for which an answer is believed: servers are replaced.
_BELIEVED = 30 * 24 * 3600.0
_WRONG = Condition('"00000000000000000000000000000000"')


def honours_conditions(store: ObjectStore, key: str, seconds: float) -> bool:
    """Tell whether puts beside `key` honour their conditions; raises what a put raises."""
    if not store.conditional:
        return False
    if store.is_trusted() or is_remembered(store, key):
        return True
    tries = Tries(store.shown(key), seconds, writing=True)
    folder, slash, _ = key.rpartition("/")
    try:
        while True:
            probe = f"{folder}{slash}.pipestat-probe-{secrets.token_hex(8)}"
            try:
                honoured = _honours(store, probe)
            except Transient as failure:
                tries.failed(failure)
            else:
                break
    finally:
        tries.done()
    if honoured:
        _remember(store, key)
    return honoured


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


def is_remembered(store: ObjectStore, key: str) -> bool:
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
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_name(f"{note.name}.{secrets.token_hex(4)}.tmp")
        temporary.write_text(store.address(key) + "\n", "utf-8")
        os.replace(temporary, note)
