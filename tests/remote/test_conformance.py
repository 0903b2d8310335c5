"""Results files on S3 against the conformance suite, trials with many processes included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.suite_runs import (
    notes_of_unsupported,
    passing_profiles,
    run_suite,
    run_trials,
)
from tests.remote.raw import RawBucket

PROFILES = {
    *("core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers"),
}
PATHS = {"one object": "results.yaml", "one object per record": "{record_identifier}.yaml"}
LEFT_OUT = {
    "one object": set(),
    "one object per record": {"capability atomic-batch", "capability multi-namespace"},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def store_of(bucket: RawBucket, path: str) -> str:
    options = {"endpoint_url": bucket.server}
    return json.dumps({"path": f"s3://{bucket.name}/{{unique}}/{path}", "storage_options": options})


@pytest.mark.parametrize("name", PATHS)
def test_it_is_conformant(name: str, bucket: RawBucket, tmp_path: Path) -> None:
    # Which values a schema lets in, no layout sees: one of the two is asked.
    profiles = PROFILES if name == "one object" else PROFILES - {"schema", "qc"}
    wanted = [word for profile in sorted(profiles) for word in ("--profile", profile)]
    store = store_of(bucket, PATHS[name])
    options = ["--backend", "yaml", *wanted, "--store", store, "--quick"]
    report = run_suite(tmp_path / "vectors", *options)
    assert report["outcome"] == "conformant"
    assert passing_profiles(report) >= profiles - {"concurrent-writers", "durable"}
    notes = notes_of_unsupported(report)
    assert not [n for n in notes if not any(reason in n for reason in LEFT_OUT[name])]
    # 32 processes are left to the tests of processes, which look at the same promises.
    trials = [word for n in (2, 8) for word in ("--vector", f"trial.writers.*.n{n}")]
    trials += ["--vector", "trial.kill.*"]
    verdicts = run_trials(tmp_path / "trials", "yaml", store, *wanted, *trials)
    assert set(verdicts.values()) == {"pass"}
    assert len(verdicts) == 20
