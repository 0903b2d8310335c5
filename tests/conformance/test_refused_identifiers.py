"""Stores that cannot hold every record identifier: what they declare, and what it is worth."""

from __future__ import annotations

import pytest
from pipestat_conformance.claims import (
    ClaimError,
    check_claims,
    probes,
    refused_identifier,
    refuses_too_much,
)
from pipestat_conformance.drivers import Hello
from pipestat_conformance.run import skip_reason
from pipestat_conformance.vectors import load_vectors, parse_vectors
from pipestat_conformance.verdicts import Verdict
from pipestat_conformance.walks import make_steps

PEPHUB = r"/|^\.\.?$"
HELLO = Hello("x", "1", "", (), ("core",), PEPHUB)


def vector(*steps: dict[str, object]) -> object:
    document = {"id": "a.b", "requirements": ["PS-ID-001"], "steps": list(steps)}
    return parse_vectors(document, "test")[0]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"op": "report", "args": {"record": "a/b", "values": {"n": 1}}}, "a/b"),
        ({"op": "report", "args": {"record": "..", "values": {"n": 1}}}, ".."),
        ({"op": "report", "args": {"record": "a..b", "values": {"a/b": 1}}}, None),
        ({"op": "report_many", "args": {"records": {"s1": {"n": 1}, "x/": {"n": 1}}}}, "x/"),
        ({"op": "ingest", "args": {"documents": [{"record_identifier": "/"}, "no document"]}}, "/"),
        ({"op": "records"}, None),
        ({"op": "emit", "args": {"record": "a/b", "status": "running"}}, None),
    ],
)
def test_a_vector_with_such_a_record_is_left_out(step: dict[str, object], name: str | None) -> None:
    found = vector(step)
    assert refused_identifier(found, PEPHUB) == name
    assert refused_identifier(found, None) is None
    reason = skip_reason(found, HELLO, ["core"])
    expected = (
        None if name is None else (Verdict.UNSUPPORTED, f"the store holds no record {name!r}")
    )
    assert reason == expected


def test_few_vectors_are_left_out() -> None:
    core = [v for v in load_vectors() if v.profile in ("core", "query")]
    left_out = [v.id for v in core if refused_identifier(v, PEPHUB)]
    assert 1 <= len(left_out) <= 5


@pytest.mark.parametrize("pattern", ["", ".*", "s1", "[^a-z0-9]", r"\.", "%", " ", "é", "#", "("])
def test_a_pattern_that_refuses_too_much_is_no_excuse(pattern: str) -> None:
    assert refuses_too_much(pattern) is not None
    with pytest.raises(ClaimError, match="the pattern"):
        check_claims((), ("core",), pattern)


def test_what_is_declared_is_probed() -> None:
    check_claims((), ("core",), PEPHUB)
    ids = {v.id for v in probes((), PEPHUB)} - {v.id for v in probes(())}
    assert ids == {"probe.identifier.slash", "probe.identifier.dots"}
    assert all(skip_reason(v, HELLO, ["core"]) is None for v in probes((), PEPHUB))


def test_walks_go_without_them() -> None:
    steps = [step for n in range(20) for step in make_steps(f"0:{n}", 40, ("status",), PEPHUB)]
    records = {args["record"] for _, args in steps if "record" in args}
    assert "s1_x" in records
    assert not records & {"a/b", ".."}


def test_nothing_is_declared_unless_it_is_said() -> None:
    assert Hello("x", "1", "Go", (), ("core",)).refused_identifiers is None
