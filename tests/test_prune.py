"""Removing old entries of histories: which go, and that nothing else changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.backend import Backend
from pipestat_spec.domain.history import expired
from pipestat_spec.errors import UnsupportedOperation
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.record import HistoryEntry, HistoryLimit
from tests.commands import pipestat_spec

START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(result: str, minutes: int) -> HistoryEntry:
    return HistoryEntry(result, minutes, START + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("limit", "gone"),
    [
        (HistoryLimit(), set()),
        (HistoryLimit(keep=2), {0}),
        (HistoryLimit(keep=1), {0, 1, 2}),
        (HistoryLimit(keep=0), {0, 1, 2, 3, 4}),
        (HistoryLimit(since=START + timedelta(minutes=2)), {0, 1}),
        (HistoryLimit(keep=1, since=START + timedelta(minutes=4)), {0, 1, 2, 3}),
    ],
)
def test_each_result_keeps_its_own(limit: HistoryLimit, gone: set[int]) -> None:
    entries = [entry("a", 0), entry("b", 1), entry("a", 2), entry("b", 3), entry("a", 4)]
    assert expired(entries, limit) == gone


@pytest.mark.parametrize("trailer", [True, False])
@pytest.mark.parametrize("layout", ["records", "levels"])
@pytest.mark.parametrize("name", ["r.yaml", "{record_identifier}.yaml", "memory://{folder}/r.yaml"])
def test_only_old_entries_go(tmp_path: Path, name: str, layout: str, trailer: bool) -> None:
    path = name.replace("{folder}", tmp_path.name)
    if "://" not in path:
        path = str(tmp_path / path)
    settings = {"results_file_path": path, "pipeline_name": "rna", "layout": layout}
    with PipestatManager(**settings, unsafe_writes="://" in path) as psm:
        for number in range(5):
            psm.report({"n": number, "rate": 0.5}, "s1")
            psm.report({"other": number}, "s2")
        psm.report({"n": 1}, "s3")
        psm.set_status("running", "s1")
        if not trailer:
            for file in tmp_path.glob("*.yaml"):
                file.write_text(file.read_text().rpartition("# pipestat-spec")[0])
        before = [psm.store.read(record.key) for record in psm.store.scan("sample")]
        history = psm.retrieve_history("s1")["n"]
        assert psm.store.prune_history(HistoryLimit(keep=2)) == 4
        assert psm.store.prune_history(HistoryLimit(keep=2)) == 0
        assert psm.retrieve_history("s1")["n"] == dict(list(history.items())[2:])
        assert list(psm.retrieve_history("s2")["other"].values()) == [2, 3]
        assert [psm.store.read(record.key) for record in psm.store.scan("sample")] == before
        psm.report({"n": 7}, "s1")
        assert list(psm.retrieve_history("s1")["n"].values()) == [2, 3, 4]
        assert psm.store.prune_history(HistoryLimit(keep=0)) == 5
        assert psm.retrieve_history("s1") == {}
        assert "history" not in str(psm.data)


def test_a_store_that_keeps_all_says_so() -> None:
    class Keeps(MemoryBackend):
        prune = Backend.prune

    with pytest.raises(UnsupportedOperation):
        Keeps().prune("sample", HistoryLimit(keep=1))


@pytest.mark.parametrize("name", ["r.yaml", "r.db"])
def test_the_command(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    prune = ("history", "prune", "-f", path)
    with PipestatManager(results_file_path=path, pipeline_name="rna") as psm:
        for number in range(4):
            psm.report({"n": number}, "s1")
        pruned = pipestat_spec(*prune, "--keep", "1", cwd=tmp_path)
        assert pruned.stderr == "2 former values removed\n"
        assert list(psm.retrieve_history("s1")["n"].values()) == [2]
        pipestat_spec(*prune, "--before", "2020-01-01", cwd=tmp_path)
        assert len(psm.retrieve_history("s1")["n"]) == 1
        psm.report({"n": 4}, "s1")
        pruned = pipestat_spec(*prune, "--keep", "1", cwd=tmp_path)
        assert pruned.stderr == "1 former value removed\n"
        pipestat_spec(*prune, "--keep", "-1", cwd=tmp_path, code=2)
        pipestat_spec(*prune, cwd=tmp_path, code=2)
        assert pipestat_spec(*prune, "-q", "--before", "3000-01-01", cwd=tmp_path).stderr == ""
        assert psm.retrieve_history("s1") == {}
