"""Runs vectors: opens a fresh store, makes the steps, compares the answers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipestat_conformance.claims import optional_profile, with_needed
from pipestat_conformance.drivers import Answer, Driver, HarnessError, VectorFailed
from pipestat_conformance.interchange import Inside, inside, unfit
from pipestat_conformance.matchers import Comparison, NotSaved, resolve_saved
from pipestat_conformance.stores import StoreFactory
from pipestat_conformance.vectors import FILE_STEPS, TABLE_STEPS, Opening, Step, Vector
from pipestat_conformance.verdicts import Problem, Result, Verdict

__all__ = ["Executor", "Reader"]

PLACEHOLDER = "{record_identifier}"
# Reads a store by other means: returns {record: {result: value}} of a level.
Reader = Callable[[Mapping[str, Any], str], Mapping[str, Mapping[str, Any]]]


@dataclass
class Scene:
    """What one vector works with: its folder, its store, its connections."""

    folder: Path
    store: Mapping[str, Any]
    opening: Opening
    connections: dict[str, Driver] = field(default_factory=dict)
    turned: set[str] = field(default_factory=set)
    openings: dict[str, Opening] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)


class _Refused(Exception):
    """A step was refused that may be: the vector ends well."""


class Executor:
    """Runs vectors on one target, each on a store of its own.

    `reader` reads the store by other means after a vector that passed, to be compared
    with what the target says.
    """

    def __init__(
        self, driver: Driver, stores: StoreFactory, folder: Path, reader: Reader | None = None
    ) -> None:
        self._main = driver
        self._stores = stores
        self._folder = folder
        self._reader = reader
        self._others: dict[str, Driver] = {}
        self._turns: dict[str, Driver] = {}
        self._number = 0

    def run(self, vector: Vector) -> Result:
        """Return what came of a vector: pass, fail or error."""
        started = time.monotonic()
        scene = self._scene(vector)
        reason = unfit(vector, scene.store)
        if reason is not None:
            shutil.rmtree(scene.folder, ignore_errors=True)
            return Result(
                vector.id, Verdict.DISABLED, vector.requirements, vector.profile, note=reason
            )
        verdict, problem, note = Verdict.PASS, None, ""
        try:
            self._play(vector, scene)
        except _Refused as refused:
            note = str(refused)
        except NotSaved as missing:
            verdict, problem = Verdict.FAIL, _problem(VectorFailed(str(missing)), scene)
        except VectorFailed as failed:
            verdict, problem = Verdict.FAIL, _problem(failed, scene)
            lacking = self._not_offered(failed, scene, vector)
            if lacking is not None:
                verdict, note = Verdict.UNSUPPORTED, f"{lacking} is not offered"
        except HarnessError as error:
            verdict = Verdict.ERROR
            problem = _problem(VectorFailed(error.message, detail=error.detail), scene)
            self._abandon()
        finally:
            shutil.rmtree(scene.folder, ignore_errors=True)
        return Result(
            vector.id,
            verdict,
            vector.requirements,
            vector.profile,
            None if verdict is Verdict.UNSUPPORTED else problem,
            note,
            seconds=time.monotonic() - started,
        )

    def _not_offered(self, failed: VectorFailed, scene: Scene, vector: Vector) -> str | None:
        """Return what was answered `unsupported` and may be lacking, or None."""
        if failed.answer is None or failed.answer.code != "unsupported":
            return None
        if not scene.done:
            # PS-CAP-006: one file per record is optional, and has to be refused then.
            return "a path per record" if PLACEHOLDER in vector.path else None
        step = scene.done[-1]
        profile = optional_profile(step.op, step.args)
        optional = profile is not None and profile not in with_needed(self._main.hello().profiles)
        return step.op if optional else None

    def _scene(self, vector: Vector) -> Scene:
        self._number += 1
        folder = self._folder / f"v{self._number:04}"
        (folder / "store").mkdir(parents=True)
        (folder / "own").mkdir()
        store = self._stores(folder / "store", vector.id)
        return Scene(folder, store, vector.opening)

    def _play(self, vector: Vector, scene: Scene) -> None:
        for driver in self._drivers():
            driver.use_environment({"TZ": vector.timezone})
        if not vector.interchange:
            self._steps(vector, scene, None)
            return
        there = inside(vector, scene.folder / "store")
        scene.store = there.prepare(scene.store)
        self._steps(vector, scene, there)
        # What a program leaves when it ends belongs to the store. Where nothing is looked at, the
        # next vector is opened in the same process: starting one is what takes longest.
        if vector.after:
            self._end()
            there.check(scene.saved)

    def _steps(self, vector: Vector, scene: Scene, there: Inside | None) -> None:
        opened = self._open(scene, "main", vector.opening)
        compare(opened, vector.open_expect, scene, self._main.strict)
        for step in vector.steps:
            scene.done.append(step)
            if there is not None and step.op in (*FILE_STEPS, *TABLE_STEPS):
                there.change(step)
                continue
            answer = self._step(step, scene)
            compare(answer, step.expect, scene, self._main.strict)
            if step.save is not None:
                scene.saved[step.save] = answer.result
        if self._reader is not None and opened.kind == "result":
            self._read_otherwise(scene, self._reader)

    def _open(self, scene: Scene, connection: str, opening: Opening) -> Answer:
        driver = self._driver(scene, connection)
        driver.use_folder(scene.folder / "own")
        scene.connections[connection] = driver
        scene.openings[connection] = opening
        flags = opening.settings.get("flag_file_dir")
        if isinstance(flags, str):
            absolute = {"flag_file_dir": str(scene.folder / "store" / flags)}
            opening = Opening(opening.schema, {**opening.settings, **absolute})
        return driver.open(scene.store, opening)

    def _driver(self, scene: Scene, connection: str) -> Driver:
        if connection in scene.turned:
            return self._turns[connection]
        if connection == "main":
            return self._main
        if connection not in self._others:
            self._others[connection] = self._main.another()
        return self._others[connection]

    def _turn(self, scene: Scene, connection: str) -> None:
        """Let the other process have a connection that is opened again, or this one again."""
        self._driver(scene, connection).end()
        if connection in scene.turned:
            scene.turned.remove(connection)
            return
        if connection not in self._turns:
            turned = self._driver(scene, connection).turn()
            if turned is None:
                return
            self._turns[connection] = turned
        scene.turned.add(connection)

    def _step(self, step: Step, scene: Scene) -> Answer:
        args = resolve_saved(step.args, scene.saved)
        if step.op == "reopen":
            opening = scene.openings.get(step.connection, scene.opening).changed(args)
            self._turn(scene, step.connection)
            return self._open(scene, step.connection, opening)
        if step.connection not in scene.connections:
            opened = self._open(scene, step.connection, scene.opening)
            compare(opened, {"ok": True}, scene, self._main.strict)
        return scene.connections[step.connection].perform(step.op, args)

    def _read_otherwise(self, scene: Scene, reader: Reader) -> None:
        driver = scene.connections["main"]
        for level in ("sample", "project"):
            listed = driver.perform("records", {"level": level})
            if listed.kind != "result":
                continue
            told = {
                record: driver.perform("retrieve", {"record": record, "level": level}).result
                for record in listed.result
            }
            stored = {record: dict(values) for record, values in reader(scene.store, level).items()}
            problem = Comparison(strict=False).plain(stored, told, "")
            if problem is not None:
                raise VectorFailed(
                    f"the store holds something else than the target says: {problem}",
                    expected={"result": stored},
                    answer=Answer("result", told),
                )

    def _drivers(self) -> list[Driver]:
        return [self._main, *self._others.values(), *self._turns.values()]

    def _end(self) -> None:
        for driver in self._drivers():
            driver.end()

    def _abandon(self) -> None:
        for driver in self._drivers():
            driver.abandon()

    def close(self) -> None:
        """End every connection for good; raises HarnessError."""
        for driver in self._drivers():
            driver.close()


def compare(answer: Answer, expect: Mapping[str, Any], scene: Scene, strict: bool) -> None:
    """Raise VectorFailed unless the answer is as expected."""
    problem: str | None = None
    codes = [*([expect["error"]] if "error" in expect else []), *expect.get("also_allowed", [])]
    if answer.kind == "error" and answer.code in codes:
        return
    if "error" in expect:
        problem = f"expected the error {' or '.join(codes)}, got {_said(answer)}"
    elif answer.kind == "error" and answer.code in expect.get("may_end", ()):
        raise _Refused(f"refused with {answer.code}, as it may be")
    elif answer.kind != "result":
        problem = f"expected success, got {_said(answer)}"
    elif "result" in expect:
        problem = Comparison(strict, scene.saved).difference(expect["result"], answer.result)
    if problem is not None:
        raise VectorFailed(problem, expected=dict(expect), answer=answer)


def _said(answer: Answer) -> str:
    if answer.kind == "result":
        text = repr(answer.result)
        return "success" if answer.result is None else f"the result {text[:200]}"
    if answer.kind == "crash":
        return "an exception: " + answer.message.strip().splitlines()[-1]
    return f"the error {answer.code}" + (f" ({answer.message})" if answer.message else "")


def _problem(failed: VectorFailed, scene: Scene) -> Problem:
    answer = failed.answer
    crashed = answer is not None and answer.kind == "crash"
    opening = {"op": "open", "schema": scene.opening.schema, "settings": scene.opening.settings}
    return Problem(
        failed.message,
        steps=[opening, *(step.as_json() for step in scene.done)],
        step=scene.done[-1].id if scene.done else "open",
        expected=failed.expected,
        actual=None if answer is None else answer.as_json(),
        detail=answer.message if answer is not None and crashed else failed.detail,
    )
