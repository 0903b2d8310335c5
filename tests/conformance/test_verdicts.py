"""From results to verdicts: the worst counts, nothing run is an error, baselines never pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.rule_texts import specification
from pipestat_conformance.assessment import (
    exit_code,
    outcome,
    profile_outcomes,
    requirement_verdicts,
)
from pipestat_conformance.catalogue import Requirement
from pipestat_conformance.claims import (
    CAPABILITIES,
    PROFILES,
    ClaimError,
    check_claims,
    probes,
    with_needed,
)
from pipestat_conformance.drivers import Hello
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.known_failures import (
    KnownFailure,
    KnownFailures,
    KnownFailuresError,
    read_known_failures,
)
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import Run, judged_profiles, skip_reason
from pipestat_conformance.stores import StoreError, default_store, template
from pipestat_conformance.vectors import Vector
from pipestat_conformance.verdicts import Conclusion, ExitCode, Result, Verdict, worst

from tests.conformance.conftest import REPORTED, tiny, vector

P, F, XF, XP, U, D, E = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.XFAIL,
    Verdict.XPASS,
    Verdict.UNSUPPORTED,
    Verdict.DISABLED,
    Verdict.ERROR,
)


def requirement(id: str, level: str = "must", testability: str = "deterministic") -> Requirement:
    return Requirement(id, "t", level, "1", "decision", "1.0", testability, "core")


CATALOGUE = {
    entry.id: entry
    for entry in (
        requirement("PS-VAL-001"),
        requirement("PS-VAL-002", "should"),
        requirement("PS-VAL-003", testability="untestable"),
        requirement("PS-VAL-004"),
    )
}


def result(verdict: Verdict, *ids: str, profile: str = "core", id: str = "v") -> Result:
    return Result(id, verdict, ids or ("PS-VAL-001",), profile)


def made(results: Sequence[Result], complaints: Sequence[str] = (), **options: Any) -> Run:
    profiles = options.pop("claimed", ("core",))
    hello = Hello("t", "1", "x", (), profiles)
    given = RunOptions(SubprocessDriver(tiny()), template(default_store()), **options)
    judged = judged_profiles(given, hello)
    return Run(given, hello, judged, results, complaints, "/tmp", datetime.now(UTC), 0.0)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([P, F], F),
        ([P, E, F], E),
        ([P, XF], XF),
        ([XP, XF], XP),
        ([P, U, D], P),
        ([U, D], U),
        ([], D),
    ],
)
def test_the_worst_verdict(verdicts: list[Verdict], expected: Verdict) -> None:
    assert worst(verdicts) is expected


def test_a_requirement_has_the_worst_verdict_of_its_vectors() -> None:
    found = requirement_verdicts(
        [result(P, "PS-VAL-001", "PS-VAL-004"), result(F, "PS-VAL-004"), result(P, "PS-VAL-003")],
        CATALOGUE,
    )
    assert found["PS-VAL-001"] is P
    assert found["PS-VAL-004"] is F
    assert found["PS-VAL-002"] is D
    assert found["PS-VAL-003"] is Verdict.UNTESTABLE


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result(P)], Conclusion.CONFORMANT),
        ([result(P), result(U), result(D)], Conclusion.CONFORMANT),
        ([result(P), result(F)], Conclusion.NOT_CONFORMANT),
        ([result(P), result(XF)], Conclusion.KNOWN_FAILURES),
        ([result(P), result(XP)], Conclusion.NOT_CONFORMANT),
        ([result(P), result(F), result(E)], Conclusion.ERROR),
        ([result(U), result(D)], Conclusion.ERROR),
        ([], Conclusion.ERROR),
        # What is only recommended decides nothing; what is also a MUST does.
        ([result(P), result(F, "PS-VAL-002")], Conclusion.CONFORMANT),
        ([result(P), result(F, "PS-VAL-002", "PS-VAL-001")], Conclusion.NOT_CONFORMANT),
        # What the catalogue does not know counts.
        ([result(P), result(F, "PS-XYZ-001")], Conclusion.NOT_CONFORMANT),
    ],
)
def test_the_outcome_of_a_run(results: list[Result], expected: Conclusion) -> None:
    assert outcome(made(results), CATALOGUE) is expected


def test_a_claimed_profile_without_an_executed_vector_is_an_error() -> None:
    run = made([result(P), result(U, profile="history")], claimed=("core", "history"))
    assert profile_outcomes(run, CATALOGUE)["history"] is Conclusion.ERROR
    assert outcome(run, CATALOGUE) is Conclusion.ERROR
    failing = made([result(F)], claimed=("core", "sql-layout"))
    assert outcome(failing, CATALOGUE) is Conclusion.NOT_CONFORMANT


def test_a_profile_that_was_not_asked_for_is_not_run() -> None:
    run = made(
        [result(P), result(D, profile="history")], claimed=("core", "history"), profiles=["core"]
    )
    assert run.judged == ("core",)
    assert profile_outcomes(run, CATALOGUE)["history"] is Conclusion.NOT_RUN
    assert outcome(run, CATALOGUE) is Conclusion.CONFORMANT


def test_a_selection_is_no_verdict() -> None:
    run = made([result(P)], select=["v"])
    assert outcome(run, CATALOGUE) is Conclusion.SELECTION
    assert profile_outcomes(run, CATALOGUE)["core"] is Conclusion.SELECTION
    assert outcome(made([result(F)], select=["v"]), CATALOGUE) is Conclusion.NOT_CONFORMANT


def test_a_complaint_about_known_failures_fails_the_run() -> None:
    assert outcome(made([result(P)], ["v: expired"]), CATALOGUE) is Conclusion.NOT_CONFORMANT


@pytest.mark.parametrize(
    ("found", "accepted", "expected"),
    [
        (Conclusion.CONFORMANT, False, ExitCode.CONFORMANT),
        (Conclusion.SELECTION, False, ExitCode.CONFORMANT),
        (Conclusion.NOT_CONFORMANT, True, ExitCode.NOT_CONFORMANT),
        (Conclusion.KNOWN_FAILURES, False, ExitCode.NOT_CONFORMANT),
        (Conclusion.KNOWN_FAILURES, True, ExitCode.CONFORMANT),
        (Conclusion.ERROR, True, ExitCode.ERROR),
    ],
)
def test_exit_codes(found: Conclusion, accepted: bool, expected: ExitCode) -> None:
    assert exit_code(found, accepted) is expected


def test_quick_runs_leave_trials_out() -> None:
    claimed = ("core", "durable", "concurrent-writers", "query")
    run = made([result(P)], claimed=claimed, quick=True)
    assert run.judged == ("core", "query")


# Claims


@pytest.mark.parametrize(
    ("capabilities", "profiles", "said"),
    [
        (["telepathy"], ["core"], "telepathy"),
        ([], ["core", "gold"], "gold"),
        ([], [], "no profile"),
    ],
)
def test_claims_beyond_the_closed_lists(
    capabilities: list[str], profiles: list[str], said: str
) -> None:
    with pytest.raises(ClaimError, match=said):
        check_claims(capabilities, profiles)


def test_the_closed_lists_are_those_of_the_specification() -> None:
    parts = specification()
    tables = [
        {
            row.split("|")[1].strip().strip("`")
            for row in table.splitlines()
            if row.startswith("| `")
        }
        for table in (parts["core.md"] + parts["README.md"]).split("**PS-")
    ]
    assert set(CAPABILITIES) in tables
    assert set(PROFILES) in tables


def test_a_claim_includes_what_it_needs() -> None:
    assert with_needed(["reader"]) == ("reader",)
    assert with_needed(["sql-layout", "query"]) == ("core", "schema", "query", "sql-layout")
    assert with_needed(["yaml-layout"]) == ("reader", "core", "yaml-layout")


def test_what_is_not_claimed_is_probed() -> None:
    assert probes(CAPABILITIES) == []
    ids = [probe.id for probe in probes(["status", "times"])]
    assert ids == ["probe.history", "probe.source", "probe.project-level"]


def test_why_a_vector_is_not_run() -> None:
    plain = vector(REPORTED)
    needing = vector({**REPORTED, "needs": ["history"]})
    other = vector({**REPORTED, "profile": "query"})

    def reason(tried: Vector, *capabilities: str, claimed: str = "core") -> object:
        hello = Hello("t", "1", "x", capabilities, tuple(claimed.split()))
        return skip_reason(tried, hello, ["core"])

    assert reason(plain) is None
    assert reason(needing, "history") is None
    assert reason(needing) == (U, "the capability history is not claimed")
    assert reason(other) == (D, "the profile query is not claimed")
    assert reason(other, claimed="core query") == (D, "the profile query was not asked for")


# Known failures

KNOWN = KnownFailures((KnownFailure("a", "lost", "#1"), KnownFailure("b", "slow", "#2")))
TODAY = date(2026, 6, 1)


def test_known_failures_change_fail_and_pass_only() -> None:
    results = [result(F, id="a"), result(P, id="b"), result(F, id="c")]
    assert [r.verdict for r in KNOWN.applied(results)] == [XF, XP, F]
    assert [r.verdict for r in KNOWN.applied([result(E, id="a"), result(U, id="b")])] == [E, U]


def test_an_unexpected_pass_and_an_unmatched_entry_are_told() -> None:
    done = KNOWN.applied([result(F, id="a"), result(F, id="b")])
    assert KNOWN.complaints(done, TODAY) == []
    (line,) = KNOWN.complaints(KNOWN.applied([result(F, id="a"), result(P, id="b")]), TODAY)
    assert line.startswith("b: passes")
    (line,) = KNOWN.complaints(KNOWN.applied([result(F, id="a")]), TODAY)
    assert line.startswith("b: no vector")
    (line,) = KNOWN.complaints(KNOWN.applied([result(F, id="a"), result(D, id="b")]), TODAY)
    assert line.startswith("b: no vector")


@pytest.mark.parametrize(("day", "lines"), [(1, 0), (2, 1)])
def test_an_entry_expires(day: int, lines: int) -> None:
    known = KnownFailures((KnownFailure("a", "lost", "#1", date(2026, 6, 1)),))
    done = known.applied([result(F, id="a")])
    assert len(known.complaints(done, date(2026, 6, day))) == lines


def test_the_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(
        "- {id: a.b, reason: lost, issue: 'https://example.org/1', expires: 2026-06-01}\n"
        "- {id: c, reason: slow, issue: '#2', expires: '2026-07-01'}\n"
    )
    found = read_known_failures(file)
    assert [(entry.id, entry.expires) for entry in found.entries] == [
        ("a.b", date(2026, 6, 1)),
        ("c", date(2026, 7, 1)),
    ]
    file.write_text("")
    assert read_known_failures(file) == KnownFailures()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "list"),
        ("- a", "mapping"),
        ("- {id: a, reason: b}", "issue"),
        ("- {id: a, issue: b, reason: ' '}", "reason"),
        ("- {id: a, reason: b, issue: c, expire: 2026-01-01}", "expire"),
        ("- {id: a, reason: b, issue: c, expires: soon}", "soon"),
        ("- {id: a, reason: b, issue: c}\n- {id: a, reason: b, issue: c}", "twice"),
        ("- [", "expected"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(text)
    with pytest.raises(KnownFailuresError, match=said):
        read_known_failures(file)


# Stores


def test_every_vector_has_a_store_of_its_own(tmp_path: Path) -> None:
    make = template({"url": "sqlite:///{tmp}/r.db", "options": {"table": ["{unique}"]}})
    one, two = make(tmp_path / "a", "v1"), make(tmp_path / "b", "v2")
    assert one["url"] == f"sqlite:///{tmp_path}/a/r.db"
    assert one["options"]["table"] != two["options"]["table"]
    assert make(tmp_path / "a", "v1") == one
    for document in ({"url": "postgresql://host/db"}, {}):
        with pytest.raises(StoreError, match=r"\{tmp\}"):
            template(document)
    with pytest.raises(StoreError, match="JSON object"):
        template(["{tmp}"])
