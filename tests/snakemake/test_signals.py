"""What records say after a signal, and what the next run makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from tests import patience
from tests.commands import pipestat_spec
from tests.snakemake.places import Place, kill_group

# s1, s2 and s3 one after the other; s2 has written its output and waits for a file `go`.
SNAKEFILE = """
BEFORE = {"s1": [], "s2": ["s1.done"], "s3": ["s2.done"]}
rule all:
    input: "s3.done"
rule step:
    input: lambda wildcards: BEFORE[wildcards.sample]
    output: "{sample}.done", "{sample}.pipestat.json"
    shell:
        '''
        sh emit.sh {wildcards.sample} >{output[1]}
        touch {output[0]}
        while [ {wildcards.sample} = s2 ] && [ ! -e go ]; do sleep 0.1; done
        '''
"""
UNDER_WAY = {"s1": "completed", "s2": "running", "s3": "waiting"}


def started(place: Place, *arguments: str) -> subprocess.Popen[str]:
    """Start the workflow and return when s2 is running."""
    process = place.start(*arguments)
    until(place, UNDER_WAY, process)
    return process


def until(place: Place, statuses: dict[str, str], process: subprocess.Popen[str]) -> None:
    def is_so() -> bool:
        found = place.statuses()
        if process.poll() is not None:
            raise AssertionError(f"records are {found} after {process.stdout}")
        return found == statuses and (place.folder / "s2.done").exists()

    try:
        patience.wait_until(is_so, f"records are {statuses}", pause=0.1)
    except AssertionError:
        kill_group(process)
        raise


def test_sigterm_lets_running_jobs_finish_and_sigint_does_not(any_place: Place) -> None:
    place = any_place
    place.write(Snakefile=SNAKEFILE)
    process = started(place)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert place.statuses() == UNDER_WAY
    (place.folder / "go").touch()
    process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 1
    assert place.statuses() == {"s1": "completed", "s2": "completed", "s3": "waiting"}

    for name in ("go", "s2.done", "s2.pipestat.json"):
        (place.folder / name).unlink()
    process = started(place, "--retries", "3")
    # As Ctrl-C does: to Snakemake and its jobs.
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 1
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "failed",
        "s3": "waiting",
    }
    assert (records["s2"].message or "").startswith("rule step failed")
    assert records["s2"].job == ("step", 1)


def test_after_a_sigkill_the_next_run_mends_what_was_left(any_place: Place) -> None:
    place = any_place
    place.write(Snakefile=SNAKEFILE)
    process = started(place)
    run = place.records()["s2"].source["run"]

    # A second Snakemake in this folder gives up at once, and touches nothing.
    place.run(code=1)
    assert place.statuses() == UNDER_WAY
    kill_group(process)
    assert place.statuses() == UNDER_WAY

    # s2.done is incomplete: Snakemake refuses to go on, and nothing of s2 runs any more.
    assert "IncompleteFiles" in place.run(code=1)
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "failed",
        "s3": "waiting",
    }
    assert records["s2"].message == f"run {run} was killed"

    (place.folder / "go").touch()
    place.run("--unlock")
    place.run("--rerun-incomplete")
    records = place.records()
    assert {name: (record.status, record.message) for name, record in records.items()} == {
        "s1": ("completed", None),
        "s2": ("completed", None),
        "s3": ("completed", None),
    }
    assert {record.source["run"] == run for record in records.values()} == {True, False}
    assert list((place.folder / ".snakemake" / "pipestat").iterdir()) == []


def test_results_that_a_killed_run_could_not_store_are_not_lost(place: Place) -> None:
    """The job had finished and its outputs are up to date: it does not run again."""
    place.write(Snakefile=SNAKEFILE)
    (place.folder / "go").touch()
    place.run()
    # As a run leaves it that is killed between the end of s2 and its next write.
    store = ["-c", "pipestat.yaml", "-r", "s2"]
    pipestat_spec("remove", *store, "-i", "n", cwd=place.folder)
    pipestat_spec("status", "set", *store, "running", cwd=place.folder)
    pipestat_spec("status", "set", "-c", "pipestat.yaml", "-r", "s9", "running", cwd=place.folder)
    before = place.records()
    run = before["s2"].source["run"]
    left = {"run": run, "records": [["sample", "s1"], ["sample", "s2"], ["sample", "s9"]]}
    (place.folder / ".snakemake" / "pipestat" / f"{run}.json").write_text(json.dumps(left))
    assert before["s2"].results == {}

    assert "Nothing to be done" in place.run()
    records = place.records()
    assert (records["s2"].status, records["s2"].results) == ("completed", {"n": 1})
    # s9 is not in the workflow any more: nobody will ever run it.
    assert (records["s9"].status, records["s9"].message) == ("failed", f"run {run} was killed")
    assert records["s1"] == before["s1"]
    assert list((place.folder / ".snakemake" / "pipestat").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--logger-pipestat-record", "all"], "names nothing"),
        (["--logger-pipestat-record", "{sample.name}"], "only plain names"),
        (["--logger-pipestat-config", "absent.yaml"], "there is no file"),
    ],
)
def test_a_wrong_setting_stops_snakemake_before_it_begins(
    place: Place, arguments: list[str], error: str
) -> None:
    place.write(Snakefile=SNAKEFILE)
    said = place.run(*arguments, code=1)
    assert "pipestat: " in said
    assert error in said
    assert "Traceback" not in said
    assert not (place.folder / "s1.done").exists()
