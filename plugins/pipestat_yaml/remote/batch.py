"""Changes of several objects: one get and one put for each, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipestat_spec.backend import Change, Transition
from pipestat_spec.models.record import RecordKey
from pipestat_yaml.records.records import Decision
from pipestat_yaml.remote.fetching import fetch_many
from pipestat_yaml.remote.guard import WriteGuard
from pipestat_yaml.remote.mirror import Mirror
from pipestat_yaml.remote.progress import Progress
from pipestat_yaml.remote.remote_file import RemoteFile
from pipestat_yaml.remote.updating import Put, Updating

__all__ = ["Batch"]

_AT_ONCE = 64


class Batch:
    """All is decided before anything is stored: what is refused at once leaves all as it was."""

    def __init__(
        self, guard: WriteGuard, file_of: Callable[[str], RemoteFile], mirror: Mirror
    ) -> None:
        self._guard = guard
        self._file_of = file_of
        self._mirror = mirror
        self._decisions: dict[str, Decision] = {}

    def run(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes and return the records in their order."""
        files: dict[str, RemoteFile] = {}
        numbers: dict[str, list[int]] = {}
        for number, ((_, identifier), _) in enumerate(changes):
            file = files.setdefault(identifier, self._file_of(identifier))
            numbers.setdefault(file.key, []).append(number)
        by_key = {file.key: file for file in files.values()}
        puts: list[tuple[Updating, Put, str]] = []
        for key, base in fetch_many(self._guard.store, list(numbers), self._guard.seconds):
            file = by_key[key]
            decide = file.decision([changes[number] for number in numbers[key]])
            decision = self._decisions[key] = decide(base.data if base else b"")
            if decision.chunks is not None:
                updating = file.updating(decide)
                puts.append((updating, updating.prepared(decision, base), key))
        self._put(puts)
        transitions: list[Transition] = [Transition(None, None)] * len(changes)
        for key, places in numbers.items():
            for place, transition in zip(places, self._decisions[key].transitions, strict=True):
                transitions[place] = transition
        return transitions

    def _put(self, puts: list[tuple[Updating, Put, str]]) -> None:
        progress = Progress()
        # What needed no put may need a flag.
        written = set(self._decisions) - {key for _, _, key in puts}
        try:
            for start in range(0, len(puts), _AT_ONCE):
                progress.show(f"writing: {start} of {len(puts)} objects")
                some = puts[start : start + _AT_ONCE]
                wanted = [(key, put.data, put.when, put.metadata) for _, put, key in some]
                for (updating, put, key), failure in zip(
                    some, self._guard.store.put_many(wanted), strict=True
                ):
                    if failure is not None:
                        self._decisions[key] = updating.again(put, failure)
                    written.add(key)
        finally:
            progress.done()
            self._mirror.write(
                {
                    identifier: status
                    for key in written
                    for flags in (self._decisions[key].flags_first, self._decisions[key].flags)
                    for identifier, status in flags.items()
                }
            )
