"""Results files on S3 against the conformance suite, trials with many processes included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.test_targets import run_suite
from tests.remote.raw import RawBucket

PROFILES = {"core", "history", "query", "concurrent-writers", "durable", "exact-integers"}
PATHS = {"one object": "results.yaml", "one object per record": "{record_identifier}.yaml"}
LEFT_OUT = {
    "one object": set(),
    "one object per record": {"capability atomic-batch", "capability multi-namespace"},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("name", PATHS)
def test_it_is_conformant(name: str, bucket: RawBucket, tmp_path: Path) -> None:
    store = {
        "path": f"s3://{bucket.name}/{{unique}}/{PATHS[name]}",
        "storage_options": {"endpoint_url": bucket.server},
    }
    wanted = [word for profile in sorted(PROFILES) for word in ("--profile", profile)]
    report = run_suite(tmp_path, "--backend", "yaml", *wanted, "--store", json.dumps(store))
    assert report["outcome"] == "conformant"
    judged = {name for name, found in report["profiles"].items() if found["counts"].get("pass")}
    assert judged >= PROFILES
    for profile in judged:
        assert report["profiles"][profile]["outcome"] == "conformant"
    notes = {r["note"] for r in report["results"] if r["verdict"] == "unsupported"}
    assert not {n for n in notes if not any(reason in n for reason in LEFT_OUT[name])}
