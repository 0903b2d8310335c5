"""What changes of records do to a document, whatever holds its bytes (SPEC.md section 10)."""

from __future__ import annotations

from collections.abc import Sequence

from pipestat_spec.backend import Change
from pipestat_spec.models.record import Record, RecordKey
from pipestat_yaml.document import Chunks, Document
from pipestat_yaml.placement import Placement
from pipestat_yaml.records import ReadFlag, Records

__all__ = ["Decision", "decide"]


class Decision:
    """The records after the changes, the file's new bytes (None: as it was), flags to set."""

    def __init__(
        self,
        records: list[Record | None],
        chunks: Chunks | None,
        statuses: dict[str, str | None],
    ) -> None:
        self.records, self.chunks, self.statuses = records, chunks, statuses


def decide(
    document: Document,
    placement: Placement,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> Decision:
    """Apply the changes one after the other; what one of them raises undoes all."""
    records = Records(document, placement, read_flag)
    # The current record as the change made it: the store adds nothing to it.
    pending: dict[RecordKey, Record | None] = {}
    results = []
    for key, change in changes:
        current = pending[key] if key in pending else records.read(key)
        outcome = change(current)
        results.append(outcome.record)
        if outcome.record is current and not outcome.history:
            continue
        if outcome.record is None:
            records.remove(key)
        else:
            records.write(key, current, outcome)
        pending[key] = outcome.record
    return Decision(results, records.chunks(), records.statuses)
