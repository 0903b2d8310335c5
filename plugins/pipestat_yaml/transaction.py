"""What changes of records do to a document, whatever holds its bytes (SPEC.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipestat_spec.backend import Change
from pipestat_spec.models.record import Record, RecordKey
from pipestat_yaml.document import Chunks, Document
from pipestat_yaml.placement import Placement
from pipestat_yaml.records import ReadFlag, Records

__all__ = ["Decision", "decide"]


class Decision(NamedTuple):
    """The records after the changes, the file's new bytes (None: as it was), flags to set.

    `flags_first` are those to set before the file is replaced, `flags` those to set after.
    """

    records: list[Record | None]
    chunks: Chunks | None
    flags_first: dict[str, str | None]
    flags: dict[str, str | None]


def decide(
    document: Document,
    placement: Placement,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> Decision:
    """Apply the changes one after the other; what one of them raises undoes all."""
    to_project = any(key.level == "project" for key, _ in changes)
    records = Records(document, placement, read_flag, to_project=to_project)
    # The current record as the change made it: the store adds nothing to it.
    pending: dict[RecordKey, Record | None] = {}
    results = []
    for key, change in changes:
        current = pending[key] if key in pending else records.read(key)
        outcome = change(current)
        if outcome.record is current is not None and not (key in pending or records.has(key)):
            # Another program's flag says already what this change says of a record; the
            # record itself is still to be made, if the change makes one.
            made = change(None)
            outcome = outcome if made.record is None else made
        results.append(outcome.record)
        if outcome.record is current and not outcome.history:
            continue
        if outcome.record is None:
            records.remove(key)
        else:
            records.write(key, current, outcome)
        pending[key] = outcome.record
    return Decision(results, records.chunks(), *records.flags())
