"""Our own backends against the whole suite, trials included: conformant in all that they claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conformance.suite_runs import notes_of_unsupported, passing_profiles, run_suite

STORED = {
    *("emitter", "core", "schema", "documents"),
    *("history", "query", "concurrent-writers", "exact-integers"),
}
# A file that lies there in the other layout contradicts a configured one, so `yaml-layout`, whose
# vectors bring both, is judged where the file decides.
NOT_LAYOUT = [word for name in sorted(STORED | {"durable"}) for word in ("--profile", name)]
TARGETS: dict[str, tuple[Sequence[str], set[str]]] = {
    "memory": (["--backend", "memory"], STORED),
    "yaml": (["--backend", "yaml"], STORED | {"durable", "yaml-layout"}),
    "yaml-levels": (
        [
            *("--backend", "yaml", *NOT_LAYOUT),
            *("--store", '{"path": "{tmp}/results.yaml", "layout": "levels"}'),
        ],
        STORED | {"durable"},
    ),
    "yaml-one-file-per-record": (
        ["--backend", "yaml", "--store", '{"path": "{tmp}/{record_identifier}.yaml"}'],
        STORED | {"durable", "yaml-layout"},
    ),
}
# Vectors that nobody has to pass (spec/README.md), by the target that leaves them out.
LEFT_OUT = {
    "memory": {"capability multi-namespace"},
    "yaml-one-file-per-record": {"capability atomic-batch", "capability multi-namespace"},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_conformant(name: str, tmp_path: Path) -> None:
    options, profiles = TARGETS[name]
    report = run_suite(tmp_path, *options)
    assert report["outcome"] == "conformant"
    judged = passing_profiles(report)
    assert judged >= profiles
    for profile in judged:
        assert report["profiles"][profile]["outcome"] == "conformant"
    notes = notes_of_unsupported(report)
    allowed = LEFT_OUT.get(name, set())
    assert not [note for note in notes if not any(reason in note for reason in allowed)]


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    options = ["--backend", "memory", "--quick", "--seed", "7"]
    first, second = (run_suite(tmp_path / str(number), *options) for number in range(2))
    assert first.pop("times")
    assert second.pop("times")
    assert first == second
