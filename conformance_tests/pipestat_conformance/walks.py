"""Random walks: the same operations on a target and on the model, which have to agree.

A walk is decided by its seed. When the answers differ, steps are left out one by one as
long as the two still differ, each time on a fresh store; what is left is told.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pipestat_conformance.drivers import Driver, HarnessError
from pipestat_conformance.executor import Executor
from pipestat_conformance.model import SCHEMA, STATUSES, Model
from pipestat_conformance.stores import StoreFactory
from pipestat_conformance.vectors import Opening, Step, Vector
from pipestat_conformance.verdicts import ExitCode, Result, Verdict

__all__ = ["Walker", "make_steps", "walks"]

_Steps = Sequence[tuple[str, dict[str, Any]]]

_RECORDS = ("s1", "s1_x", "S1", "no", "a/b", "..", "é \u2028\U0001f680")
_NAMES = ("n", "x", "name", "free", "other", "12")
_VALUES: tuple[Any, ...] = (
    *(0, 1, -5, 2**31, 0.5, -2.25, 1e-7, "", "no", "12:30", "1", "é\u2028\U0001f680"),
    *(True, False, None, [], {}, [1, [2, "2"]], {"k": {"z": None}, "a": [True]}),
)


def make_steps(
    seed: str, length: int, capabilities: Sequence[str], refused: str | None = None
) -> _Steps:
    """Return the operations of one walk, without records whose identifier is `refused`."""
    source = random.Random(seed)
    steps = _made(source, length, capabilities)
    if refused is None:
        return steps
    return [step for step in steps if not _names_refused(step[1], refused)]


def _names_refused(args: Mapping[str, Any], refused: str) -> bool:
    names = [args.get("record", ""), *args.get("records", ())]
    return any(re.search(refused, name) for name in names)


def _made(source: random.Random, length: int, capabilities: Sequence[str]) -> _Steps:
    levels = ["sample"] * 4 + (["project"] if "project-level" in capabilities else [])
    return [
        _STEPS[_choose(source, capabilities)](source, _where(source, levels), capabilities)
        for _ in range(length)
    ]


def _choose(source: random.Random, capabilities: Sequence[str]) -> str:
    needs = {
        "set_status": "status",
        "clear_status": "status",
        "get_status": "status",
        "history": "history",
    }
    weights = {
        name: weight
        for name, weight in _WEIGHTS.items()
        if needs.get(name) in (None, *capabilities)
    }
    return source.choices(list(weights), list(weights.values()))[0]


def _where(source: random.Random, levels: Sequence[str]) -> dict[str, Any]:
    level = source.choice(levels)
    if level == "project":
        return {"record": source.choice(("p1", "p1_x")), "level": level}
    # Few records, so that operations meet.
    return {"record": source.choice(_RECORDS[: source.choice((2, len(_RECORDS)))])}


def _values(source: random.Random) -> dict[str, Any]:
    return {
        name: source.choice(_VALUES) for name in source.sample(_NAMES, source.choice((1, 1, 2)))
    }


def _report(
    source: random.Random, where: dict[str, Any], capabilities: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    args = {**where, "values": _values(source)}
    if source.random() < 0.6:
        args["overwrite"] = True
    if source.random() < 0.1 and "history" in capabilities:
        args["history"] = False
    if source.random() < 0.15 and "status" in capabilities:
        args["status"] = source.choice(STATUSES)
    if source.random() < 0.2 and "source" in capabilities:
        args["source"] = {"run": source.choice("ab")}
    return "report", args


def _report_many(
    source: random.Random, where: dict[str, Any], capabilities: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    if "atomic-batch" not in capabilities or "level" in where:
        return _report(source, where, capabilities)
    records = source.sample(_RECORDS, 2)
    return "report_many", {
        "records": {record: _values(source) for record in records},
        "overwrite": source.random() < 0.6,
    }


def _remove(
    source: random.Random, where: dict[str, Any], _: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    if source.random() < 0.7:
        return "remove", {**where, "result": source.choice(_NAMES)}
    return "remove", where


def _set_status(
    source: random.Random, where: dict[str, Any], capabilities: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    args = {**where, "status": source.choice((*STATUSES, "unheard-of"))}
    if source.random() < 0.3 and "source" in capabilities:
        args["message"] = source.choice(("disk full", "12:30"))
    return "set_status", args


def _value(
    source: random.Random, where: dict[str, Any], _: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    return "value", {**where, "result": source.choice(_NAMES)}


def _plain(op: str) -> Callable[..., tuple[str, dict[str, Any]]]:
    return lambda source, where, capabilities: (op, where)  # noqa: ARG005


def _of_level(op: str) -> Callable[..., tuple[str, dict[str, Any]]]:
    def made(_: random.Random, where: dict[str, Any], __: Sequence[str]) -> Any:
        return op, {key: value for key, value in where.items() if key == "level"}

    return made


_STEPS: Mapping[str, Callable[..., tuple[str, dict[str, Any]]]] = {
    "report": _report,
    "report_many": _report_many,
    "remove": _remove,
    "set_status": _set_status,
    "value": _value,
    **{op: _plain(op) for op in ("clear_status", "get_status", "retrieve", "describe", "history")},
    **{op: _of_level(op) for op in ("records", "count")},
    "reopen": lambda *_: ("reopen", {}),
}
_WEIGHTS = {
    "report": 10,
    "report_many": 2,
    "remove": 4,
    "set_status": 4,
    "clear_status": 2,
    "value": 2,
    "get_status": 2,
    "retrieve": 6,
    "describe": 3,
    "history": 4,
    "records": 2,
    "count": 1,
    "reopen": 1,
}


@dataclass
class Walker:
    """Walks on one target; each walk has a fresh store."""

    driver: Driver
    stores: StoreFactory
    folder: Path

    def __post_init__(self) -> None:
        self._executor = Executor(self.driver, self.stores, self.folder)

    def play(self, steps: _Steps) -> Result:
        """Make the steps on a fresh store; the model says what to expect of each."""
        return self._executor.run(_as_vector(steps))

    def shrink(self, steps: _Steps) -> Result:
        """Return the failure of as few of the steps as still fail."""
        failed = self.play(steps)
        kept = list(steps)[: _failed_at(failed, len(steps))]
        number = len(kept) - 1
        while number >= 0:
            fewer = kept[:number] + kept[number + 1 :]
            result = self.play(fewer)
            if result.verdict is Verdict.FAIL:
                failed, kept = result, fewer[: _failed_at(result, len(fewer))]
            number = min(number, len(kept)) - 1
        return failed

    def close(self) -> None:
        """End the connections; raises HarnessError."""
        self._executor.close()


def _failed_at(result: Result, length: int) -> int:
    step = result.problem.step if result.problem else None
    return int(step) if step is not None and step.isdigit() else length


def _as_vector(steps: _Steps) -> Vector:
    model = Model()
    return Vector(
        id="walk",
        requirements=(),
        opening=Opening(SCHEMA, {}),
        steps=tuple(
            Step(str(n), op, args, {"ok": True} if op == "reopen" else model.expect(op, args))
            for n, (op, args) in enumerate(steps, 1)
        ),
    )


def walks(
    driver: Driver, stores: StoreFactory, options: argparse.Namespace, output: TextIO
) -> ExitCode:
    """Make `options.walks` walks of `options.length` steps; tell the first that fails."""
    from pipestat_conformance.special_values import to_json

    hello = driver.hello()
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        walker = Walker(driver, stores, Path(folder))
        for number in range(options.walks):
            seed = f"{options.seed}:{number}"
            steps = make_steps(seed, options.length, hello.capabilities, hello.refused_identifiers)
            if walker.play(steps).verdict is Verdict.PASS:
                continue
            result = walker.shrink(steps)
            assert result.problem is not None
            print(f"walk {seed}: {result.problem.message}", file=output)
            for step in result.problem.steps:
                print(f"  {to_json(step)}", file=output)
            if result.verdict is Verdict.ERROR:
                raise HarnessError(result.problem.message, result.problem.detail)
            walker.close()
            return ExitCode.NOT_CONFORMANT
        walker.close()
    print(
        f"{options.walks} walks of {options.length} steps, seed {options.seed}: "
        "the target and the model agree",
        file=output,
    )
    return ExitCode.CONFORMANT
