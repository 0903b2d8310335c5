"""`pipestat-emit` against the conformance suite: an emitter, and nothing else."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.conformance.suite_runs import passing_profiles, run_suite


def test_it_is_a_conformant_emitter(tmp_path: Path) -> None:
    harness = Path(__file__).with_name("conformance_harness.py")
    report = run_suite(tmp_path, "--exec", shlex.join([sys.executable, str(harness)]))
    assert report["outcome"] == "conformant"
    assert passing_profiles(report) == {"emitter"}
    verdicts = {result["verdict"] for result in report["results"] if result["profile"] == "emitter"}
    assert verdicts == {"pass"}
