"""Two implementations on one YAML file: both write at once, and each reads the other's."""

from __future__ import annotations

from typing import Any

from pipestat_conformance.drivers import VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.matchers import Comparison
from pipestat_conformance.trials.concurrency import SCENARIOS, write_together
from pipestat_conformance.trials.pool import Stage, Told, succeed

__all__ = ["VALUES", "exchange", "writers"]

EACH = 3
# What a careless writer or reader of YAML changes.
VALUES: dict[str, Any] = {
    "no": "no",
    "exponent": "1e3",
    "clock": "12:30",
    "date": "2024-01-31",
    "empty": "",
    "tilde": "~",
    "octal": "0o7",
    "zeros": "007",
    "spaces": "  two  ",
    "lines": "a\nb\r\n\tc\n",
    "colon": "a: b # c",
    "quotes": "'\"\\",
    "separator": "a\u2028b\u0085c",
    "rocket": "\U0001f680",
    "integer": 9007199254740991,
    "number": 0.1,
    "large": 1e22,
    "small": 5e-324,
    "true": True,
    "null": None,
    "nothing": [],
    "object": {},
    "nested": {"yes": [None, {"1": [True, "x"]}], "a: b": ""},
    '50% "off"/..': "name",
}


def writers(stage: Stage) -> Told:
    """Let processes of both programs write to one file at once."""
    drivers = [*stage.pool.targets(EACH + 1), *stage.pool.peers(EACH)]
    reader, *writing = drivers
    notes = [
        write_together(_fresh(stage, name), [*writing, reader], scenario).note
        for name, scenario in SCENARIOS.items()
        if set(scenario.needs) <= set(stage.capabilities)
        and (scenario.opening.schema is None or "schema" in stage.pool.profiles)
    ]
    return Told(f"{EACH} processes of each program; {notes[0]}, {len(notes)} times")


def _fresh(stage: Stage, name: str) -> Stage:
    """Return the stage with another file in the same folder."""
    path = stage.store.get("path")
    if not isinstance(path, str):
        raise VectorFailed("the store has no 'path' to a results file")
    store = {**stage.store, "path": path.replace(".yaml", f"-{name}.yaml")}
    return Stage(stage.pool, store, stage.capabilities, stage.random)


def exchange(stage: Stage) -> Told:
    """Write with each program, read with the other one, and change what the other wrote."""
    (target,), (peer,) = stage.pool.targets(1), stage.pool.peers(1)
    pairs = (("target", target, "peer", peer), ("peer", peer, "target", target))
    for name, writer, other, reader in pairs:
        here = _fresh(stage, name)
        here.open_all([writer, reader])
        for record in ("s1", "no", "a/b: 'c'"):
            _write(writer, record, VALUES, f"{name} writes")
            _compare(reader, record, VALUES, f"{other} reads what {name} wrote")
        _write(reader, "s1", {"added": [1]}, f"{other} writes")
        _compare(writer, "s1", {**VALUES, "added": [1]}, f"{name} reads what {other} changed")
        _compare(writer, "no", VALUES, f"{name} reads what {other} had to keep")
    return Told(f"{len(VALUES)} values, both ways")


def _write(driver: SubprocessDriver, record: str, values: dict[str, Any], who: str) -> None:
    args = {"record": record, "values": values, "overwrite": True}
    succeed(driver.perform("report", args), who)


def _compare(driver: SubprocessDriver, record: str, values: dict[str, Any], who: str) -> None:
    answer = driver.perform("retrieve", {"record": record})
    problem = Comparison(strict=False).plain(values, succeed(answer, who), "")
    if problem is not None:
        raise VectorFailed(f"{who}: {problem}", answer=answer)
