"""The job script of docs/schedulers.md runs: an array job, requeued and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.engines.emitter import install_emitter
from pipestat_spec.ingest import ingest
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import RecordKey
from pipestat_spec.opening import open_store
from tests import patience
from tests.emitter.programs import BASH, programs_folder
from tests.repository import REPOSITORY


class Job:
    """One array of jobs, in a folder with a program `count_reads` of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (REPOSITORY / "docs" / "schedulers.md").read_text()
        found = re.search(r"```bash\n(#!/bin/bash\n#SBATCH.*?)```", text, re.DOTALL)
        assert found is not None
        (folder / "job.sh").write_text(found[1])
        (folder / "samples.txt").write_text("a\nb c\n")
        (folder / "documents").mkdir()
        programs_folder(folder / "bin", "sed", "sleep")
        install_emitter(folder / "bin")

    def start(self, program: str, task: int = 1, restarts: int | None = None) -> Any:
        count = self.folder / "bin" / "count_reads"
        count.unlink(missing_ok=True)
        count.write_text(f"#!{BASH}\n{program}\n")
        count.chmod(0o755)
        variables = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_JOB_ID": "77"}
        if restarts is not None:
            variables["SLURM_RESTART_COUNT"] = str(restarts)
        return subprocess.Popen(
            [BASH, "job.sh"],
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin"), **variables},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def document(self, name: str) -> dict[str, Any]:
        content = json.loads((self.folder / "documents" / f"{name}.pipestat.json").read_text())
        assert isinstance(content, dict)
        return content


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_job_that_is_requeued_after_a_failure(job: Job, tmp_path: Path) -> None:
    assert job.start("exit 4", task=2).wait(patience.SECONDS) == 4
    failed = job.document("b c.1")
    assert (failed["record_identifier"], failed["status"]) == ("b c", "failed")
    assert failed["status_message"] == "exit code 4"
    assert failed["source"] == {"attempt": 1, "engine": "slurm", "run": "77", "task": "77_2"}

    # What the first attempt left behind is in nobody's way, although the script has -C.
    assert (tmp_path / "b c.count").exists()
    assert job.start("echo 12", task=2, restarts=1).wait(patience.SECONDS) == 0
    settings = {"results_file_path": str(tmp_path / "r.yaml"), "pipeline_name": "p"}
    store = open_store(Config(), settings).store
    ingest(store, tmp_path / "documents")
    stored = store.read(RecordKey("sample", "b c"))
    assert stored is not None
    assert (stored.results, stored.status) == ({"reads": 12}, "completed")
    assert stored.source == {"attempt": 2, "engine": "slurm", "run": "77", "task": "77_2"}


def test_a_job_at_its_time_limit(job: Job) -> None:
    running = job.start("echo begun >begun; exec sleep 9999")
    patience.wait_until((job.folder / "begun").exists, "the job begins")
    assert job.document("a.1")["status"] == "running"
    # `B:` sends the signal to the script alone.
    os.kill(running.pid, signal.SIGTERM)
    assert running.wait(patience.SECONDS) == 143
    assert job.document("a.1")["status"] == "failed"
    assert job.document("a.1")["status_message"] == "stopped by the scheduler"
    os.killpg(running.pid, signal.SIGKILL)
