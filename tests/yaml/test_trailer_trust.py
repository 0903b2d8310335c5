"""What a trailer whose checksum fits vouches for, and what is checked all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_yaml.text.trailer import Section, crc_of, trailer_line

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.record import HistoryLimit

GOOD = b"  s1:\n    reads: 1\n    meta: {}\n"
Operation = Callable[[PipestatManager], object]


def write(path: Path, records: bytes, count: int) -> None:
    body = b"rna:\n" + records
    section = Section("rna", None, len(b"rna:\n"), len(body), count)
    path.write_bytes(body + trailer_line([section], crc_of([body])))


@pytest.mark.parametrize(
    "operation",
    [
        lambda psm: psm.retrieve_one("s1"),
        lambda psm: psm.select_records(),
        lambda psm: psm.report({"reads": 1}, "s1"),
        lambda psm: psm.report({"rate": 2}, "s1"),
        lambda psm: psm.remove_record("s1", rm_record=True),
    ],
    ids=["read", "list", "same", "report", "remove"],
)
@pytest.mark.parametrize(
    ("records", "count", "fault"),
    [
        (GOOD.replace(b"reads: 1", b'note: "\xff"'), 1, "not UTF-8"),
        (GOOD + GOOD.replace(b"s1", b"s\xff"), 2, "not UTF-8"),
        (GOOD + GOOD, 2, "'s1' stands twice"),
        (GOOD + GOOD, 1, "'s1' stands twice"),
        (GOOD + GOOD.replace(b"s1", b"s2") + GOOD.replace(b"1\n", b"5\n"), 3, "'s1' stands twice"),
    ],
)
def test_what_is_not_canonical_is_refused(
    tmp_path: Path, records: bytes, count: int, fault: str, operation: Operation
) -> None:
    path = tmp_path / "results.yaml"
    write(path, records, count)
    before = path.read_bytes()
    with pytest.raises(PipestatDataError, match=fault):
        operation(PipestatManager(results_file_path=str(path), pipeline_name="rna"))
    assert path.read_bytes() == before


def test_other_records_are_checked_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "results.yaml"
    write(path, GOOD + b"  s2: [broken\n    reads: 2\n", 2)
    psm = PipestatManager(results_file_path=str(path), pipeline_name="rna")
    assert psm.retrieve_one("s1", "reads") == 1
    with pytest.raises(PipestatDataError, match="not valid YAML"):
        psm.select_records()


@pytest.mark.parametrize(
    "operation",
    [
        lambda psm: psm.retrieve_one("s2"),
        lambda psm: psm.retrieve_many(["s2", "s1"]),
        lambda psm: psm.select_records(limit=1, cursor="s1"),
        lambda psm: psm.select_records(where="status = 'failed'"),
        lambda psm: psm.select_records(["status"]),
        lambda psm: psm.select_distinct("reads"),
        lambda psm: psm.list_recent_results(limit=1),
        lambda psm: list(psm.iter_records(cursor="s1")),
        lambda psm: psm.get_status("s2"),
        lambda psm: psm.retrieve_history("s2"),
        lambda psm: psm.data,
        lambda psm: psm.report({"reads": 1}, "s2"),
        lambda psm: psm.store.prune_history(HistoryLimit(keep=1)),
    ],
)
@pytest.mark.parametrize(
    "lines",
    [
        "  s2: [broken\n    reads: 2\n",
        "  s2: text\n",
        "  s2:\n  - reads: 2\n",
        "  s2:\n    - reads: 2\n",
        "  s2:\n# why\n  - reads: 2\n",
        "  s2:\n    reads: 2\n   meta: {}\n",
        '  s2:\n    reads: "2\n    meta: {}\n',
        "  s2:\n    meta:\n      status: failed\n     status_time: x\n",
        "  s2:\n    meta:\n      status: failed\n      history:\n      reads:\n    - 1\n",
    ],
)
def test_a_broken_record_is_no_empty_one(tmp_path: Path, lines: str, operation: Operation) -> None:
    path = tmp_path / "results.yaml"
    write(path, GOOD + lines.encode(), 2)
    before = path.read_bytes()
    with pytest.raises(PipestatDataError):
        operation(PipestatManager(results_file_path=str(path), pipeline_name="rna"))
    assert path.read_bytes() == before
