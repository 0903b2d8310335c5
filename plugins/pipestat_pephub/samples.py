"""What a sample of a PEP says about a record, and the sample that a new record asks for.

The rules of spec/pephub.md about attributes stand here, and nothing else knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipestat_spec.backend import Change, StoreSettings
from pipestat_spec.errors import InvalidIdentifierError, PipestatPEPHubError, ResultConflictError
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.text.strings import shorten

__all__ = [
    "RESULTS",
    "SAMPLE_NAME",
    "Attributes",
    "Found",
    "Sample",
    "difference",
]

Sample: TypeAlias = Mapping[str, Any]

RESULTS = "pipestat_results"
STATUS = "status"
SAMPLE_NAME = "sample_name"


@dataclass(frozen=True)
class Found:
    """One sample, or None, taken apart.

    `record` is None where there is none; `own` are the PEP's own attributes, but for the
    name of the sample and those that are empty.
    """

    sample: Sample | None
    record: Record | None
    own: Mapping[str, JSONValue]

    def changed(self, change: Change) -> Record | None:
        """Return the record that a change makes of this one; a PEP's own attribute is no result."""
        return change(self.record, self.own).record


@dataclass(frozen=True)
class Attributes:
    """How attributes are read: the results that the schema declares, the statuses there are.

    `index` is the attribute that holds the name of a sample.
    """

    declared: frozenset[str]
    statuses: frozenset[str]
    index: str = SAMPLE_NAME

    @classmethod
    def of(cls, settings: StoreSettings) -> Attributes:
        level = settings.schema.levels["sample"] if settings.schema else None
        return cls(
            frozenset(level.results if level else ()), frozenset(settings.statuses.identifiers)
        )

    def find(self, key: RecordKey, sample: Sample | None) -> Found:
        """Take a sample apart; raises PipestatPEPHubError when it was damaged."""
        if sample is None:
            return Found(None, None, {})
        names = self._results(key, sample)
        status = sample.get(STATUS)
        if not isinstance(status, str) or status not in self.statuses:
            status = None
        record = None
        if names or status is not None or isinstance(sample.get(RESULTS), list):
            record = Record(key, {name: sample[name] for name in names}, status=status)
        ours = {self.index, RESULTS, *names} | ({STATUS} if status is not None else set())
        own = {
            name: value for name, value in sample.items() if name not in ours and not _empty(value)
        }
        return Found(sample, record, own)

    def _results(self, key: RecordKey, sample: Sample) -> list[str]:
        """Return the names of the attributes that are results, in the order of the reports."""
        if _is_unsaid(sample):
            # As the reference writes it, which empties an attribute to remove a result.
            return [
                name
                for name, value in sample.items()
                if name in self.declared and name != self.index and not _empty(value)
            ]
        names = sample[RESULTS]
        if names is None:
            return []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise PipestatPEPHubError(
                f"sample {key.identifier!r}: the attribute {RESULTS} is {shorten(repr(names))}, "
                f"not an array of result identifiers",
                hint="correct or remove it on PEPhub",
                record_identifier=key.identifier,
            )
        return [name for name in dict.fromkeys(names) if name in sample]

    def changed(self, found: Found, record: Record | None) -> dict[str, Any] | None:
        """Return the sample that holds `record` and what is the PEP's own; None for no sample.

        Raises InvalidIdentifierError and ResultConflictError for names that are taken.
        """
        old = found.record
        sample = dict(found.sample or {})
        for name in (RESULTS, *(old.results if old else ())):
            sample.pop(name, None)
        if old is not None and old.status is not None:
            del sample[STATUS]
        if record is None:
            return self._without_record(found, sample)
        self._check_names(record, found)
        sample.setdefault(self.index, record.key.identifier)
        sample.update(record.results)
        if record.status is not None:
            sample[STATUS] = record.status
        if self._is_undecided(found, record):
            kept = (found.sample or {}).keys() & {RESULTS}
            return {**sample, **dict.fromkeys(kept, "")}
        # The order of the reports is kept, so that equal lists are no change.
        return {**sample, RESULTS: list(record.results)}

    def _is_undecided(self, found: Found, record: Record) -> bool:
        """Tell whether a sample says nothing of its results, and what is written does not either.

        A status does not: without a schema, results of the reference look like attributes of
        the PEP's own.
        """
        if found.sample is None or not _is_unsaid(found.sample):
            return False
        reported = found.record.results if found.record else {}
        if not same_value(record.results, reported):
            return False
        return any(
            name not in (self.index, STATUS) and not _empty(value)
            for name, value in found.sample.items()
        )

    def lost(self, found: Found, written: Sample, seen: Sample) -> tuple[bool, list[str]]:
        """Tell what somebody else's write has undone of a sample that was written.

        Whether results are not named any more, or are again; and which attributes are back that
        were removed, without being named.
        """
        before = found.record.results if found.record else {}
        named, now = (one.get(RESULTS) or () for one in (written, seen))
        back = seen.keys() & ((found.sample or {}).keys() - written.keys() - {RESULTS})
        unnamed = any(name not in before and name not in now for name in named)
        again = any(name in now or name == STATUS for name in back)
        return unnamed or again, [name for name in back if name not in now]

    def _without_record(self, found: Found, sample: dict[str, Any]) -> dict[str, Any] | None:
        if found.record is None or sample.keys() <= {self.index}:
            return None
        if self.find(found.record.key, sample).record is not None:
            # What the schema declares would be taken for results, were nothing said.
            sample[RESULTS] = None
        return sample

    def stub(self, sample: Sample) -> dict[str, Any]:
        """Return the sample without any attribute but its name."""
        return {self.index: sample[self.index]} if self.index in sample else dict(sample)

    def _check_names(self, record: Record, found: Found) -> None:
        for name in (self.index, RESULTS):
            if name in record.results:
                raise InvalidIdentifierError(
                    f"{name!r} cannot name a result on PEPhub: the sample needs the attribute",
                    hint="choose another name",
                    identifier=name,
                )
        if record.status is not None and STATUS in found.own:
            raise ResultConflictError(
                f"the status of sample {record.key.identifier!r} is the PEP's own, "
                f"{shorten(repr(found.own[STATUS]), 40)}",
                hint="rename it on PEPhub; nothing was stored",
                record_identifier=record.key.identifier,
            )


def _empty(value: object) -> bool:
    return value is None or value == ""


def _is_unsaid(sample: Sample) -> bool:
    """Tell whether nothing says which attributes are results; an editor fills gaps with `""`."""
    return bool(sample.get(RESULTS, "") == "")


def difference(old: Sample, new: Sample) -> tuple[dict[str, Any], bool]:
    """Return the attributes that are new or other in `new`, and whether some are gone."""
    changed = {
        name: value
        for name, value in new.items()
        if name not in old or not same_value(old[name], value)
    }
    return changed, not old.keys() <= new.keys()
