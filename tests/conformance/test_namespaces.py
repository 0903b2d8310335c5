"""Stores that have no place for the name of a namespace: what they claim, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.faulty_memory import FaultyMemory
from pipestat_conformance.claims import ClaimError, check_claims
from pipestat_conformance.drivers import Hello
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import run, skip_reason
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.vectors import Opening, load_vectors
from pipestat_conformance.verdicts import Verdict

from pipestat_spec.store import Store

CLAIMED = ("status", "unnamed-namespace")
SAME = "results.list.unnamed-namespace"


class OneNamespace(FaultyMemory):
    """Every name means the same records."""

    def open_store(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Store:
        return super().open_store(store, Opening(None, {"namespace": "ns"}), folder)


def verdict(kind: type[FaultyMemory], claimed: tuple[str, ...], id: str, folder: Path) -> Verdict:
    driver = InProcessDriver(kind(claims=claimed), {"path": str(folder / "r.yaml")})
    options = RunOptions(driver, template(default_store()), quick=True, select=[id])
    return next(result.verdict for result in run(options).results if result.id == id)


@pytest.mark.parametrize(("kind", "expected"), [(OneNamespace, "pass"), (FaultyMemory, "fail")])
def test_the_claim_is_checked(kind: type[FaultyMemory], expected: str, tmp_path: Path) -> None:
    assert verdict(kind, CLAIMED, SAME, tmp_path) == expected


@pytest.mark.parametrize(("kind", "expected"), [(OneNamespace, "fail"), (FaultyMemory, "pass")])
def test_without_it_namespaces_are_apart(
    kind: type[FaultyMemory], expected: str, tmp_path: Path
) -> None:
    assert verdict(kind, ("status",), "results.list.other-namespace", tmp_path) == expected
    assert verdict(kind, ("status",), SAME, tmp_path) is Verdict.UNSUPPORTED


def test_several_namespaces_and_one_without_a_name_exclude_each_other() -> None:
    check_claims(CLAIMED, ("core",))
    with pytest.raises(ClaimError, match="exclude each other"):
        check_claims((*CLAIMED, "multi-namespace"), ("core",))


def test_few_vectors_are_left_out() -> None:
    plain, claiming = (Hello("x", "1", "", c, ("core",)) for c in (("status",), CLAIMED))
    left_out = {
        v.id
        for v in load_vectors()
        if skip_reason(v, plain, ["core"]) is None is not skip_reason(v, claiming, ["core"])
    }
    assert left_out == {
        "results.list.other-namespace",
        "results.list.namespace-case",
        "results.list.namespace-punctuation",
        "status.namespaces.apart",
    }


def test_what_a_claim_excludes_is_nothing_that_is_missing() -> None:
    several = Hello("x", "1", "", ("status", "multi-namespace"), ("core",))
    vector = next(v for v in load_vectors() if v.id == SAME)
    assert skip_reason(vector, several, ["core"]) == (
        Verdict.DISABLED,
        "the capability multi-namespace excludes unnamed-namespace",
    )
