"""Random walks: decided by their seed, found faults come out in few steps."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.faulty_memory import FaultyMemory
from pipestat_conformance.claims import CAPABILITIES
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.model import Model
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.memory import SnapshotBackend
from pipestat_conformance.targets.operations import StoreSession
from pipestat_conformance.targets.target import Target
from pipestat_conformance.verdicts import ExitCode, Verdict
from pipestat_conformance.walks import Walker, make_steps, walks

from pipestat_spec.backend import Transition
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey
from tests.conformance.conftest import tiny


def walk(target: Target, folder: Path, number: int = 20) -> tuple[ExitCode, str]:
    driver = InProcessDriver(target, {"path": str(folder / "probe.yaml")})
    output = io.StringIO()
    options = argparse.Namespace(seed=0, walks=number, length=40)
    return walks(driver, template(default_store()), options, output), output.getvalue()


def test_a_walk_is_decided_by_its_seed() -> None:
    assert make_steps("0:1", 40, CAPABILITIES) == make_steps("0:1", 40, CAPABILITIES)
    assert make_steps("0:1", 40, CAPABILITIES) != make_steps("0:2", 40, CAPABILITIES)


def test_walks_meet_every_operation() -> None:
    steps = [step for n in range(20) for step in make_steps(f"0:{n}", 40, CAPABILITIES)]
    model = Model()
    kinds = {(op, next(iter(model.expect(op, args)))) for op, args in steps if op != "reopen"}
    answered = {op for op, kind in kinds if kind == "result"}
    refused = {op for op, kind in kinds if kind == "error"}
    assert answered == {op for op, _ in steps} - {"reopen"}
    assert refused >= {"report", "remove", "set_status", "retrieve", "value", "history"}


def test_what_is_not_claimed_is_not_asked() -> None:
    steps = [step for n in range(20) for step in make_steps(f"0:{n}", 40, ())]
    ops = {op for op, _ in steps}
    assert not ops & {"set_status", "clear_status", "get_status", "history", "report_many"}
    assert not any({"level", "source", "status"} & set(args) for _, args in steps)


@pytest.mark.parametrize("backend", ["memory", "yaml"])
def test_our_backends_agree_with_the_model(tmp_path: Path, backend: str) -> None:
    code, said = walk(find_target(backend), tmp_path)
    assert code is ExitCode.CONFORMANT, said


class HistoryLost(SnapshotBackend):
    def history(self, key: RecordKey) -> Any:
        entries: list[HistoryEntry] = list(super().history(key))
        return iter(entries[-1:])


class PrefixRemoved(SnapshotBackend):
    def update_many(self, changes: Any) -> list[Transition]:
        done = super().update_many(changes)
        gone = [key for (key, _), one in zip(changes, done, strict=True) if one.after is None]
        for key in gone:
            for other in list(self._records):
                if other.identifier.startswith(key.identifier + "_"):
                    del self._records[other]
                    self.save()
        return done


class BooleansAreIntegers(SnapshotBackend):
    def read(self, key: RecordKey) -> Record | None:
        record = super().read(key)
        for name, value in dict(record.results if record else {}).items():
            if value is True:
                record.results[name] = 1  # type: ignore[index, union-attr]
        return record


class ConflictIgnored(StoreSession):
    def perform(self, op: str, args: Mapping[str, Any]) -> Any:
        return super().perform(op, {**args, "overwrite": True} if op == "report" else args)


@pytest.mark.parametrize(
    ("target", "steps"),
    [
        (FaultyMemory(kind=HistoryLost), 4),
        (FaultyMemory(kind=PrefixRemoved), 4),
        (FaultyMemory(kind=BooleansAreIntegers), 2),
        (FaultyMemory(session=ConflictIgnored), 2),
    ],
)
def test_a_fault_comes_out_in_few_steps(tmp_path: Path, target: Target, steps: int) -> None:
    code, said = walk(target, tmp_path, 60)
    assert code is ExitCode.NOT_CONFORMANT
    # A line that says what differs, one for opening, and the steps.
    assert len(said.splitlines()) <= 2 + steps, said


def test_a_shrunk_walk_still_fails(tmp_path: Path) -> None:
    target = FaultyMemory(session=ConflictIgnored)
    driver = InProcessDriver(target, {"path": str(tmp_path / "probe")})
    walker = Walker(driver, template(default_store()), tmp_path)
    steps = make_steps("0:0", 60, CAPABILITIES)
    assert walker.play(steps).verdict is Verdict.FAIL
    result = walker.shrink(steps)
    assert result.problem is not None
    again = [(s["op"], s["args"]) for s in result.problem.steps if s["op"] != "open"]
    assert walker.play(again).verdict is Verdict.FAIL
    for left_out in range(len(again)):
        assert walker.play(again[:left_out] + again[left_out + 1 :]).verdict is Verdict.PASS


def test_the_model_is_told_apart_from_a_harness_that_breaks(tmp_path: Path) -> None:
    from pipestat_conformance.drivers import HarnessError

    options = argparse.Namespace(seed=0, walks=3, length=40)
    driver = SubprocessDriver(tiny("garbage"))
    with pytest.raises(HarnessError):
        walks(driver, template(default_store()), options, io.StringIO())
