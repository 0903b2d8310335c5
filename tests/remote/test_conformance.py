"""Results files on S3 against the conformance suite, trials with many processes included.

The text of a results file is the same on S3 and on a disk, where it gets all vectors
(tests/conformance): here they are `storing_vectors`, and with PIPESTAT_TRIALS=full all.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.suite_runs import (
    FULL,
    notes_of_unsupported,
    passing_profiles,
    run_suite,
    run_trials,
    storing_vectors,
    trials_of,
    words,
)
from tests.remote.raw import RawBucket

PROFILES = {
    *("core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers"),
}
STORED = {"core", "schema", "history", "query", "exact-integers"}
PATHS = {"one object": "results.yaml", "one object per record": "{record_identifier}.yaml"}
LEFT_OUT = {
    "one object": set(),
    "one object per record": {"capability atomic-batch", "capability multi-namespace"},
}
# 32 processes are left to the tests of processes, which look at the same promises.
WRITERS = ["trial.writers.*.n2", "trial.writers.*.n8"]
KILLED = ["trial.kill.*"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def store_of(bucket: RawBucket, path: str) -> str:
    options = {"endpoint_url": bucket.server}
    return json.dumps({"path": f"s3://{bucket.name}/{{unique}}/{path}", "storage_options": options})


@pytest.mark.parametrize("name", PATHS)
def test_it_is_conformant(name: str, bucket: RawBucket, tmp_path: Path) -> None:
    options = ["--backend", "yaml", "--store", store_of(bucket, PATHS[name]), "--quick"]
    options += [*words("--profile", PROFILES), *storing_vectors()]
    report = run_suite(tmp_path, *options)
    assert report["outcome"] == ("conformant" if FULL else "selection")
    assert passing_profiles(report) >= STORED
    notes = notes_of_unsupported(report)
    assert not [n for n in notes if not any(reason in n for reason in LEFT_OUT[name])]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("trials", [WRITERS, KILLED], ids=["writers", "killed"])
def test_trials(name: str, trials: list[str], bucket: RawBucket, tmp_path: Path) -> None:
    options = [*words("--profile", PROFILES), *words("--vector", trials)]
    verdicts = run_trials(tmp_path, "yaml", store_of(bucket, PATHS[name]), *options)
    assert verdicts == dict.fromkeys(trials_of(trials), "pass")
