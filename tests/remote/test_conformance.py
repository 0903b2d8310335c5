"""Results files on S3 against the conformance suite, trials with many processes included.

The text of a results file is the same on S3 and on a disk, where it gets all vectors and all
trials (tests/conformance). Here each store is asked for a third (`one_in_three`) of what depends on
where the text is:

- one object: what is reported, kept and refused; writers at once in `mixed` and `same-result`;
  writers that are killed in the middle of a report.
- one object per record: names, statuses, which records there are, pages; writers at once in
  `first-report`; writers that are killed in the middle of a batch.

`mixed` has batches, statuses, removals and both levels. More writers are left to the tests of
processes, and thousands of records to those of record objects: there are more than a list of S3
has on a page. test_processes.py kills writers after an answer as well. With PIPESTAT_TRIALS=full
both stores get all vectors, and all trials but those of 32 writers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.suite_runs import (
    FULL,
    notes_of_unsupported,
    one_in_three,
    passing_profiles,
    run_suite,
    run_trials,
    trials_of,
    words,
)
from tests.remote.raw import RawBucket

PROFILES = {
    *("core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers"),
}
PATHS = {"one object": "results.yaml", "one object per record": "{record_identifier}.yaml"}
VECTORS = {
    "one object": [
        *("capabilities.*", "guarantees.*", "records.*", "report.*", "history.*"),
        *(f"results.{kind}.*" for kind in ("conflict", "equal", "list", "many", "overwrite")),
        *(f"results.{kind}.*" for kind in ("remove", "remove-record", "report", "retrieve")),
        *("values.integers.*", "values.strings.*"),
        *("scale.batch.*", "scale.results.*", "scale.values.*"),
    ],
    "one object per record": [
        *("capabilities.*", "guarantees.*", "records.*", "identifiers.*"),
        *(f"status.{kind}.*" for kind in ("clear", "get", "identifiers", "levels", "set")),
        *("query.after-changes", "query.cursor.*", "query.page.*", "query.recent.*"),
        *("status.no-result", "status.with-results.*", "scale.names.*"),
    ],
}
STORED = {
    "one object": {"core", "schema", "history", "exact-integers"},
    "one object per record": {"core", "schema", "history", "query"},
}
LEFT_OUT = {
    "one object": set(),
    "one object per record": {"capability atomic-batch", "capability multi-namespace"},
}
TRIALS = {
    "one object": [
        *(f"trial.writers.{kind}.n8" for kind in ("mixed", "same-result")),
        "trial.kill.in-flight",
    ],
    "one object per record": ["trial.writers.first-report.n8", "trial.kill.batch"],
}
if FULL:
    VECTORS = {name: [] for name in PATHS}
    TRIALS = {name: ["trial.writers.*.n2", "trial.writers.*.n8", "trial.kill.*"] for name in PATHS}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def store_of(bucket: RawBucket, path: str) -> str:
    options = {"endpoint_url": bucket.server}
    return json.dumps({"path": f"s3://{bucket.name}/{{unique}}/{path}", "storage_options": options})


@pytest.mark.parametrize("name", PATHS)
def test_it_is_conformant(name: str, bucket: RawBucket, tmp_path: Path) -> None:
    options = ["--backend", "yaml", "--store", store_of(bucket, PATHS[name]), "--quick"]
    options += [*words("--profile", PROFILES), *one_in_three(VECTORS[name])]
    report = run_suite(tmp_path, *options)
    assert report["outcome"] == ("conformant" if FULL else "selection")
    assert passing_profiles(report) >= STORED[name]
    notes = notes_of_unsupported(report)
    assert not [n for n in notes if not any(reason in n for reason in LEFT_OUT[name])]


@pytest.mark.parametrize("name", PATHS)
def test_writers_at_once_and_writers_that_are_killed(
    name: str, bucket: RawBucket, tmp_path: Path
) -> None:
    options = [*words("--profile", PROFILES), *words("--vector", TRIALS[name])]
    verdicts = run_trials(tmp_path, "yaml", store_of(bucket, PATHS[name]), *options)
    assert verdicts == dict.fromkeys(trials_of(TRIALS[name]), "pass")
