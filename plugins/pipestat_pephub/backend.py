"""The backend for the samples of one project on PEPhub; see spec/pephub.md.

A record is read, changed and written in two requests. Nothing locks a sample meanwhile, so
`concurrent-writers` is not claimed (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pipestat_pephub.client import REFUSED_IDENTIFIERS, Client, Project, Written
from pipestat_pephub.faults import UnknownOutcome, unknown_outcome
from pipestat_pephub.options import connection
from pipestat_pephub.registry_path import parse_registry_path
from pipestat_pephub.samples import SAMPLE_NAME, Attributes, Found, Sample
from pipestat_pephub.session import Session
from pipestat_pephub.writes import Add, Remove, Write, plan
from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.errors import MissingConfigDataError, PipestatPEPHubError
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.text.strings import shorten

__all__ = ["PephubBackend"]

# From so many changes on, reading the whole project first saves requests.
_MANY = 4


class PephubBackend(Backend):
    """Records of one namespace as samples of one project."""

    capabilities = frozenset({Capability.STATUS, Capability.EXACT_INTEGERS, Capability.DURABLE})
    refused_identifiers = REFUSED_IDENTIFIERS
    one_unnamed_namespace = True

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
        self._knows_index = False

    def exists(self) -> bool:
        """Return True: reading a project that is not there is refused by every request."""
        return True

    def read(self, key: RecordKey) -> Record | None:
        return self._find(key, self._client.sample(key.identifier)).record

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self._change(key, change, self._client.sample(key.identifier))

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Make the changes one after the other.

        One look at the project tells which records are new, and which need no change; both
        are safe to act on later, since the server refuses to add a sample twice.
        """
        if len(changes) < _MANY:
            return super().update_many(changes)
        samples = self._project().samples
        return [
            self._change(key, change, None)
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
            self._find(key, sample).changed(change)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        if level != "sample":
            return iter(())
        samples = self._project().samples
        names = sorted(name for name in samples if after is None or name > after)
        found = (self._find(RecordKey(level, name), samples[name]).record for name in names)
        return islice((record for record in found if record is not None), limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:  # noqa: ARG002
        return iter(())

    def close(self) -> None:
        self.session.close()

    # Reading

    def _project(self) -> Project:
        project = self._client.project()
        self._attributes = replace(self._attributes, index=project.name_attribute)
        self._knows_index = True
        return project

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

    def _change(self, key: RecordKey, change: Change, sample: Sample | None) -> Transition:
        """Change a sample that was read, and begin again when it is another one by then.

        What a request did that brought no answer is found out by reading the sample: it
        holds what was sent, or the change is decided anew.
        """
        unanswered: Write | None = None
        for attempt in range(self.session.retries + 2):
            found = self._find(key, sample)
            record = found.changed(change)
            if record is found.record:
                return Transition(record, record)
            write = plan(self._attributes, found, key.identifier, record)
            if isinstance(write, Remove):
                write = self._unless_last(write, found)
            try:
                written = write.make(self._client)
            except UnknownOutcome as unknown:
                unanswered = write
                sample = self._settle(key, write, unknown, attempt)
                if write.is_stored_in(sample):
                    return self._stored(key, found, write)
                continue
            if written is Written.DONE:
                return self._stored(key, found, write)
            if written is Written.REFUSED:
                self._look_at_index(key)
            sample = self._client.sample(key.identifier)
            if unanswered is not None and unanswered.is_stored_in(sample):
                return self._stored(key, found, unanswered)
            if written is Written.ABSENT and sample is not None:
                raise self._client.refused_write(key.identifier)
        raise PipestatPEPHubError(
            f"{self._client.name}: the sample {shorten(key.identifier, 40)!r} could not be "
            f"stored in {self.session.retries + 2} attempts",
            hint="let one process at a time write a record, or try again later",
            record_identifier=key.identifier,
        )

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
        if len(self._project().samples) > 1 or found.sample is None:
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
