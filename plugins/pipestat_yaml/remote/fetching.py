"""Reading many objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipestat_yaml.remote.objects import ObjectStore, StoredObject, Transient
from pipestat_yaml.remote.progress import Progress
from pipestat_yaml.remote.retry import Tries

__all__ = ["fetch_many"]

# Objects in memory at once.
_BATCH = 128


def fetch_many(
    store: ObjectStore, keys: Sequence[str], seconds: float
) -> Iterator[tuple[str, StoredObject | None]]:
    """Yield the objects in the order of the keys, read in parallel; None for one not there."""
    progress = Progress()
    try:
        for start in range(0, len(keys), _BATCH):
            progress.show(f"reading: {start} of {len(keys)} objects")
            batch = list(dict.fromkeys(keys[start : start + _BATCH]))
            found = _fetch(store, batch, seconds)
            yield from ((key, found[key]) for key in batch)
    finally:
        progress.done()


def _fetch(
    store: ObjectStore, keys: Sequence[str], seconds: float
) -> dict[str, StoredObject | None]:
    found: dict[str, StoredObject | None] = {}
    tries = Tries(store.shown(keys[0]), seconds)
    pending = list(keys)
    try:
        while True:
            failure: Transient | None = None
            for key, answer in zip(pending, store.get_many(pending), strict=True):
                if isinstance(answer, Transient):
                    failure = answer
                else:
                    found[key] = answer
            if failure is None:
                return found
            pending = [key for key in pending if key not in found]
            tries.failed(failure)
    finally:
        tries.done()
