"""The backend for the samples of one project on PEPhub; see spec/pephub.md.

A record is read, changed and written in two requests. Nothing locks a sample meanwhile, so
`concurrent-writers` is not claimed (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pipestat_pephub.client import REFUSED_IDENTIFIERS, Client, Project, Written
from pipestat_pephub.faults import (
    UnknownOutcome,
    doubled,
    unknown_outcome,
    unlisted_sample,
    unreachable_sample,
)
from pipestat_pephub.options import connection
from pipestat_pephub.registry_path import parse_registry_path
from pipestat_pephub.samples import SAMPLE_NAME, Attributes, Found, Sample
from pipestat_pephub.session import Session
from pipestat_pephub.writes import Add, Remove, Write, plan
from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.errors import MissingConfigDataError, PipestatPEPHubError
from pipestat_spec.logs import logger
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.text.strings import shorten

__all__ = ["PephubBackend"]

# From so many changes on, reading the whole project first saves requests.
_MANY = 4


class PephubBackend(Backend):
    """Records of one namespace as samples of one project."""

    capabilities = frozenset(
        {
            Capability.STATUS,
            Capability.EXACT_INTEGERS,
            Capability.DURABLE,
            Capability.UNNAMED_NAMESPACE,
        }
    )
    refused_identifiers = REFUSED_IDENTIFIERS

    def __init__(self, settings: StoreSettings) -> None:
        path = settings.config.get("pephub_path")
        if not path:
            raise MissingConfigDataError(
                "the pephub backend needs the name of a project",
                hint="give pephub_path, for example namespace/project:tag",
            )
        registry_path = parse_registry_path(str(path))
        self.session = Session(connection(settings))
        self._client = Client(self.session, registry_path)
        self._attributes = Attributes.of(settings)
        # Since the first look at the whole project.
        self._knows_index = False
        self._doubled: frozenset[str] = frozenset()
        self._warned: set[str] = set()

    def exists(self) -> bool:
        """Return True: reading a project that is not there is refused by every request."""
        return True

    def read(self, key: RecordKey) -> Record | None:
        self._check_single(key.identifier)
        return self._find(key, self._look(key.identifier)[0]).record

    def update(self, key: RecordKey, change: Change) -> Transition:
        """Make a change. The first one looks at the whole project, which tells double names."""
        self._client.check(key.identifier)
        looked = self._look(key.identifier, by_name=self._knows_index)
        return self._change(key, change, *looked)

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Make the changes one after the other.

        One look at the project tells which records are new, and which need no change; both
        are safe to act on later, since the server refuses to add a sample twice.
        """
        if len(changes) < _MANY:
            return super().update_many(changes)
        samples = self._project().samples
        return [
            self._change(key, change, None, is_sure=True)
            if (sample := samples.get(key.identifier)) is None
            else self._change_if_needed(key, change, sample)
            for key, change in changes
        ]

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Show every change the record that it would get, after one look at the project."""
        samples = self._project().samples if len(changes) >= _MANY else None
        for key, change in changes:
            name = key.identifier
            sample = self._client.sample(name) if samples is None else samples.get(name)
            self._check_single(name)
            found = self._find(key, sample)
            plan(self._attributes, found, name, found.changed(change))

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        if level != "sample":
            return iter(())
        samples = self._project(warn=True).samples
        names = sorted(name for name in samples if after is None or name > after)
        found = (self._readable(RecordKey(level, name), samples[name]) for name in names)
        return islice((record for record in found if record is not None), limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:  # noqa: ARG002
        return iter(())

    def close(self) -> None:
        self.session.close()

    # Reading

    def _look(self, name: str, *, by_name: bool = True) -> tuple[Sample | None, bool]:
        """Return a sample by its name or from the list, None where it is neither.

        And whether it is what a request by name will mean: a listed one may have no name.
        """
        if by_name and (sample := self._client.sample(name)) is not None:
            return sample, True
        sample = self._project().samples.get(name)
        return sample, sample is None

    def _project(self, *, warn: bool = False) -> Project:
        project = self._client.project()
        self._attributes = replace(self._attributes, index=project.name_attribute)
        self._doubled = project.doubled
        self._knows_index = True
        if warn and project.nameless:
            rows = ", ".join(map(str, project.nameless[:5]))
            more = ", ..." if len(project.nameless) > 5 else ""
            self._warn(f"{self._client.name}: rows without {project.name_attribute}: {rows}{more}")
        return project

    def _readable(self, key: RecordKey, sample: Sample) -> Record | None:
        """Return the record of a listed sample; one that is damaged is told and left out."""
        try:
            self._check_single(key.identifier)
            return self._find(key, sample).record
        except PipestatPEPHubError as error:
            self._warn(f"left out: {error}")
            return None

    def _warn(self, text: str) -> None:
        """Say a thing once."""
        if text not in self._warned:
            self._warned.add(text)
            logger().warning("%s", text)

    def _check_single(self, name: str) -> None:
        if name in self._doubled:
            raise doubled(self._client.name, name)

    def _find(self, key: RecordKey, sample: Sample | None) -> Found:
        if sample is not None and SAMPLE_NAME not in sample and not self._knows_index:
            self._project()
        return self._attributes.find(key, sample)

    # Writing

    def _change_if_needed(self, key: RecordKey, change: Change, sample: Sample) -> Transition:
        found = self._find(key, sample)
        if found.changed(change) is found.record:
            return Transition(found.record, found.record)
        return self.update(key, change)

    def _change(
        self,
        key: RecordKey,
        change: Change,
        sample: Sample | None,
        is_sure: bool,
    ) -> Transition:
        """Change a sample that was read, and begin again when it is another one by then.

        What a request did that brought no answer is found out by reading the sample: it
        holds what was sent, or the change is decided anew. `is_sure` is as `_look` tells it: where
        a name finds nothing, the server would add a second sample.
        """
        self._check_single(key.identifier)
        unanswered: Write | None = None
        stored: Transition | None = None
        for attempt in range(self.session.retries + 2):
            found = self._find(key, sample)
            record = found.changed(change)
            if record is found.record:
                return stored or Transition(record, record)
            write = plan(self._attributes, found, key.identifier, record)
            if isinstance(write, Remove):
                write = self._unless_last(write, found)
            if isinstance(write, Add) and not is_sure:
                sample, is_sure = self._if_listed(key.identifier), True
                if sample is not None or write.overwrite:
                    continue
            try:
                written = write.make(self._client)
            except UnknownOutcome as unknown:
                unanswered = write
                sample = self._settle(key, write, unknown, attempt)
                if write.is_stored_in(sample):
                    return self._stored(key, found, write)
                is_sure = sample is not None
                continue
            if written is Written.DONE:
                done = self._stored(key, found, write)
                stored = Transition(stored.before, done.after) if stored else done
                again, sample = self._look_again(key.identifier, found, write)
                if not again:
                    return stored
                self.session.pause(attempt)
                is_sure = True
                continue
            if written is Written.REFUSED:
                self._look_at_index(key)
            sample = self._client.sample(key.identifier)
            if written is Written.EXISTS and key.identifier not in self._project().samples:
                raise unlisted_sample(self._client.name, key.identifier)
            if unanswered is not None and unanswered.is_stored_in(sample):
                return self._stored(key, found, unanswered)
            if written is Written.ABSENT:
                if sample is not None:
                    raise self._client.refused_write(key.identifier)
                sample = self._if_listed(key.identifier)
            is_sure = True
        raise PipestatPEPHubError(
            f"{self._client.name}: the sample {shorten(key.identifier, 40)!r} could not be "
            f"stored in {self.session.retries + 2} attempts",
            hint="let one process at a time write a record, or try again later",
            record_identifier=key.identifier,
        )

    def _if_listed(self, name: str) -> Sample | None:
        """Return a sample that is listed by now, None for none; raises when no name finds it."""
        if name not in self._project().samples:
            return None
        self._check_single(name)
        sample = self._client.sample(name)
        if sample is None:
            raise unreachable_sample(self._client.name, name)
        return sample

    def _look_again(self, name: str, found: Found, write: Write) -> tuple[bool, Sample | None]:
        """Tell whether another writer has undone what was stored, and return the sample then.

        The server merges what it has read before: of two writers at once one loses its list of
        results, or gets back what it has removed.
        """
        if not write.changes_results or found.sample is None or write.sample is None:
            return False, None
        for look in range(self.session.retries + 1):
            seen = self._client.sample(name)
            if seen is None:
                return False, None
            undone, debris = self._attributes.lost(found, write.sample, seen)
            if undone or not debris:
                return undone, seen
            self.session.pause(look)
            kept = {key: value for key, value in seen.items() if key not in debris}
            Add(name, kept, overwrite=True).make(self._client)
        return False, None

    def _stored(self, key: RecordKey, found: Found, write: Write) -> Transition:
        return Transition(found.record, self._attributes.find(key, write.sample).record)

    def _settle(
        self, key: RecordKey, write: Write, unknown: UnknownOutcome, attempt: int
    ) -> Sample | None:
        """Return the sample after a write without an answer; raises PipestatPEPHubError."""
        what = f"writing the sample {shorten(key.identifier, 40)!r}"
        if attempt > self.session.retries:
            raise unknown_outcome(self._client.name, what, unknown.reason)
        # A second request to add a sample, beside one that is still under way, would make two.
        patient = isinstance(write, Add) and not write.overwrite and unknown.late
        for look in range(attempt, self.session.retries + 1):
            self.session.pause(look)
            try:
                sample = self._client.sample(key.identifier)
            except PipestatPEPHubError as error:
                raise unknown_outcome(
                    self._client.name, what, f"{unknown.reason}, then {error.message}"
                ) from None
            if sample is not None or not patient:
                return sample
        raise unknown_outcome(self._client.name, what, unknown.reason)

    def _unless_last(self, write: Remove, found: Found) -> Write:
        """Keep the name of the last sample: the server can neither list nor extend an empty PEP."""
        if self._project().samples.keys() - {write.name} or found.sample is None:
            return write
        return Add(write.name, self._attributes.stub(found.sample), overwrite=True)

    def _look_at_index(self, key: RecordKey) -> None:
        """Find out whether the PEP names its samples by another attribute; raises if it does not.

        The server's reason for refusing a sample does not say so.
        """
        known = self._attributes.index if self._knows_index else None
        if known is None and self._project().name_attribute != SAMPLE_NAME:
            return
        raise self._client.refused_write(key.identifier, 400, self._client.refusal)
