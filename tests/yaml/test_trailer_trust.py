"""What a trailer whose checksum fits vouches for, and what is checked all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_yaml.text.trailer import Section, crc_of, trailer_line

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDataError

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
