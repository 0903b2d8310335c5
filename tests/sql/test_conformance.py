"""Both databases in both layouts against the whole suite, trials included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.claims import TRIAL_PROFILES
from pipestat_conformance.trials import ALL

from tests.conformance.suite_runs import (
    notes_of_unsupported,
    passing_profiles,
    run_suite,
    run_trials,
)
from tests.sql.poolers import PgBouncer
from tests.sql.servers import PostgresServer

MIXED = {"trial.mixed.writers", "trial.mixed.exchange"}
PROFILES = (
    *("core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers"),
)
# A database that lies there in the other layout contradicts a configured one, so `sql-layout`,
# whose vectors bring both, is judged where the database decides.
LEVELS = [word for name in PROFILES for word in ("--profile", name)]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def store_of(database: str, postgres: PostgresServer, **options: str) -> str:
    store = {"url": "sqlite:///{tmp}/results.sqlite", **options}
    if database == "postgresql":
        url = postgres.url(postgres.new_database())
        store = {"url": url, "schema": "{unique}", **options}
    return json.dumps(store)


def check(report: dict[str, Any], profiles: set[str]) -> None:
    assert report["outcome"] == "conformant"
    assert passing_profiles(report) >= profiles
    assert not notes_of_unsupported(report)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_it_is_conformant(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    store = store_of(database, postgres)
    report = run_suite(tmp_path / "vectors", "--backend", "sql", "--store", store, "--quick")
    check(report, {*PROFILES, "sql-layout"} - set(TRIAL_PROFILES))
    store = store_of(database, postgres)
    verdicts = run_trials(tmp_path / "trials", "sql", store, "--vector", "trial.*")
    # Only programs that share a file have trials of another profile.
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == MIXED
    assert verdicts.keys() == ALL.keys()


def test_it_is_conformant_behind_a_pooler(postgres: PostgresServer, tmp_path: Path) -> None:
    # A pooler comes between statements: which values a schema lets in, it does not see.
    profiles = [name for name in PROFILES if name not in ("schema", "qc")]
    wanted = [word for name in profiles for word in ("--profile", name)]
    pooler = PgBouncer(postgres)
    try:
        store = json.dumps({"url": pooler.url, "schema": "{unique}"})
        options = ["--backend", "sql", *wanted, "--quick", "--store", store]
        report = run_suite(tmp_path / "vectors", *options)
        check(report, set(profiles) - set(TRIAL_PROFILES))
    finally:
        pooler.stop()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_it_is_conformant_in_levels(
    database: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    options = ["--backend", "sql", *LEVELS]
    store = store_of(database, postgres, layout="levels")
    report = run_suite(tmp_path / "vectors", *options, "--quick", "--store", store)
    check(report, set(PROFILES) - set(TRIAL_PROFILES))
    # The trials with 32 processes, which need a minute, are those of the other layout.
    trials = [word for n in (2, 8) for word in ("--vector", f"trial.writers.*.n{n}")]
    trials += ["--vector", "trial.kill.*"]
    store = store_of(database, postgres, layout="levels")
    verdicts = run_trials(tmp_path / "trials", "sql", store, *LEVELS, *trials)
    assert list(verdicts.values()) == ["pass"] * 20
