"""Running vectors: what passes, what fails, and what is told of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.faulty_memory import FaultyMemory
from conformance_selfcheck.mutants import find_mutant
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.operations import Session, StoreSession
from pipestat_conformance.targets.target import PluginTarget, Target
from pipestat_conformance.vectors import Opening
from pipestat_conformance.verdicts import Result, Verdict

from pipestat_spec.backend import Backend
from pipestat_spec.errors import UnsupportedOperation
from pipestat_spec.memory import MemoryBackend
from tests.conformance.conftest import CONFLICT, REPORTED, tiny, vector

InProcess = Callable[[Target], Executor]
Program = Callable[[list[str]], Executor]

SCHEMA = {"pipeline_name": "p", "samples": {"n": {"type": "integer"}, "x": {"type": "number"}}}


def steps(*entries: dict[str, Any], **more: Any) -> Any:
    document = {"id": "sample.steps", "requirements": ["PS-VAL-001"], "steps": list(entries)}
    return vector({**document, **more})


def report(values: dict[str, Any], **args: Any) -> dict[str, Any]:
    return {"op": "report", "args": {"record": "s1", "values": values, **args}}


def failed(result: Result) -> str:
    assert result.verdict is Verdict.FAIL, result
    assert result.problem is not None
    return result.problem.message


@pytest.mark.parametrize("backend", ["memory", "yaml"])
def test_our_backends_pass_in_process(in_process: InProcess, backend: str) -> None:
    executor = in_process(find_target(backend))
    for document in (REPORTED, CONFLICT):
        result = executor.run(vector(document))
        assert result.verdict is Verdict.PASS, result.problem
    executor.close()


@pytest.mark.parametrize("backend", ["memory", "yaml"])
def test_our_backends_pass_as_programs(out_of_process: Program, backend: str) -> None:
    program = [sys.executable, "-m", "pipestat_conformance.serve", "--backend", backend]
    executor = out_of_process(program)
    for document in (REPORTED, CONFLICT):
        result = executor.run(vector(document))
        assert result.verdict is Verdict.PASS, result.problem
    executor.close()


@pytest.mark.parametrize("wrong", ["forgets", "strings", "unsupported", "null"])
def test_wrong_answers_fail(out_of_process: Program, wrong: str) -> None:
    assert out_of_process(tiny(wrong=wrong)).run(vector(REPORTED)).verdict is Verdict.FAIL


def test_a_failure_tells_the_steps_up_to_it(out_of_process: Program) -> None:
    result = out_of_process(tiny(wrong="forgets")).run(vector(REPORTED))
    problem = result.problem
    assert problem is not None
    assert problem.step == "3"
    assert [step["op"] for step in problem.steps] == ["open", "report", "reopen", "retrieve"]
    assert problem.message == "expected success, got the error not-found"
    assert problem.expected == {"result": {"n": 1, "text": "12:30"}}
    assert problem.actual == {"error": "not-found", "message": ""}


def test_errors_are_compared_by_code(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    bad = report({"n": "x"})
    for expect, passes in (
        ({"error": "validation"}, True),
        ({"error": "conflict", "also_allowed": ["validation"]}, True),
        ({"error": "conflict"}, False),
        ({"result": None, "also_allowed": ["validation"]}, True),
        ({"result": None, "also_allowed": ["conflict"]}, False),
        ({"ok": True}, False),
    ):
        result = executor.run(steps({**bad, "expect": expect}, schema=SCHEMA))
        assert (result.verdict is Verdict.PASS) is passes, (expect, result.problem)
    good = {**report({"n": 1}), "expect": {"error": "validation"}}
    assert "got success" in failed(executor.run(steps(good, schema=SCHEMA)))


def test_a_step_without_expectation_has_to_succeed(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    assert "not-found" in failed(executor.run(steps({"op": "retrieve", "args": {"record": "x"}})))


def test_opening_may_have_to_be_refused(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    wrong = {"pipeline_name": "p", "samples": {"n": {"type": "integr"}}}
    assert executor.run(steps(schema=wrong, open={"error": "schema"})).verdict is Verdict.PASS
    assert "got success" in failed(executor.run(steps(schema=SCHEMA, open={"error": "schema"})))
    assert "the error schema" in failed(executor.run(steps({"op": "count"}, schema=wrong)))


def test_in_process_integers_and_numbers_are_apart(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    value = {"op": "value", "args": {"record": "s1", "result": "v"}}
    assert (
        executor.run(steps(report({"v": 1.0}), {**value, "expect": {"result": 1.0}})).verdict
        is Verdict.PASS
    )
    assert "expected integer 1, got number 1.0" in failed(
        executor.run(steps(report({"v": 1.0}), {**value, "expect": {"result": 1}}))
    )


def test_values_that_json_lacks_reach_the_target(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    refused = {"error": "validation"}
    for value in (
        {"$nan": True},
        {"$inf": 1},
        {"$surrogate": "d800"},
        {"$deep": 101},
        {"$integer": str(2**63)},
    ):
        result = executor.run(steps({**report({"v": value}), "expect": refused}))
        assert result.verdict is Verdict.PASS, (value, result.problem)


def test_connections_share_the_store(in_process: InProcess, out_of_process: Program) -> None:
    value = {"op": "value", "args": {"record": "s1", "result": "n"}, "connection": "b"}
    scenario = steps(
        {**value, "expect": {"error": "not-found"}},
        report({"n": 1}),
        {**value, "expect": {"result": 1}},
        {**report({"n": 2}, overwrite=True), "connection": "b"},
        {**value, "connection": "main", "expect": {"result": 2}},
        {"op": "reopen", "connection": "b"},
        {**value, "expect": {"result": 2}},
    )
    program = [sys.executable, "-m", "pipestat_conformance.serve", "--backend"]
    for backend in ("memory", "yaml"):
        assert in_process(find_target(backend)).run(scenario).verdict is Verdict.PASS
        other = out_of_process([*program, backend])
        assert other.run(scenario).verdict is Verdict.PASS
        other.close()


def test_reopening_with_other_settings_and_another_schema(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    scenario = steps(
        {"op": "set_status", "args": {"record": "s1", "status": "running"}},
        {
            "op": "reopen",
            "args": {
                "schema": SCHEMA,
                "settings": {"status_schema": {"odd": {"description": "d", "color": [0, 0, 0]}}},
            },
        },
        {
            "op": "schema",
            "expect": {
                "result": {"pipeline_name": "ns", "levels": {"$any": True}, "statuses": ["odd"]}
            },
        },
        {**report({"n": "x"}), "expect": {"error": "validation"}},
        {"op": "reopen", "args": {"settings": {"validate_results": False}}},
        report({"n": "x"}),
    )
    result = executor.run(scenario)
    assert result.verdict is Verdict.PASS, result.problem


def test_saved_answers(in_process: InProcess) -> None:
    describe = {"op": "describe", "args": {"record": "s1"}}
    known = {"status": None, "status_message": None, "status_time": None, "source": None}
    scenario = steps(
        report({"n": 1}),
        {**describe, "save": "before"},
        report({"n": 1}),
        {**describe, "expect": {"result": {"$saved": "before"}}},
        report({"n": 2}, overwrite=True),
        {
            **describe,
            "expect": {
                "result": {
                    **known,
                    "created": {"$saved": ["before", "created"]},
                    "modified": {"$later": ["before", "modified"]},
                }
            },
        },
        {
            "op": "recent",
            "args": {"start": {"$saved": ["before", "modified"]}},
            "expect": {"result": {"$includes": {"total_size": 1}}},
        },
    )
    result = in_process(find_target("memory")).run(scenario)
    assert result.verdict is Verdict.PASS, result.problem


def test_each_vector_has_a_fresh_store(in_process: InProcess) -> None:
    executor = in_process(find_target("memory"))
    empty = {"op": "records", "expect": {"result": []}}
    for _ in range(2):
        assert executor.run(steps(empty, report({"n": 1}))).verdict is Verdict.PASS


class Raises(StoreSession):
    def perform(self, op: str, args: Mapping[str, Any]) -> Any:
        raise ZeroDivisionError("a bug")


def test_an_exception_of_its_own_is_a_failure_with_its_traceback(in_process: InProcess) -> None:
    result = in_process(FaultyMemory(session=Raises)).run(steps({"op": "count"}))
    assert "an exception: ZeroDivisionError: a bug" in failed(result)
    assert result.problem is not None
    assert "Traceback" in result.problem.detail


def without_snapshot(_: Path) -> Backend:
    return MemoryBackend()


def test_what_is_not_stored_is_missed_after_reopening(in_process: InProcess) -> None:
    assert "not-found" in failed(
        in_process(FaultyMemory(kind=without_snapshot)).run(vector(REPORTED))
    )


def test_a_store_is_opened_again_by_another_process(tmp_path: Path) -> None:
    store = {"path": str(tmp_path / "probe")}
    mutant = find_mutant("dictionary-of-the-process")
    serve = [sys.executable, "-m", "conformance_selfcheck.serve", "--backend", mutant.name]
    for elsewhere, verdict in (([], Verdict.PASS), (serve, Verdict.FAIL)):
        driver = InProcessDriver(mutant, store, serve=elsewhere)
        executor = Executor(driver, template(default_store()), tmp_path)
        assert executor.run(vector(REPORTED)).verdict is verdict
        executor.close()


def test_what_goes_wrong_in_the_other_process_is_a_failure(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "conformance_selfcheck.serve", "--backend", "no-such-mutant"]
    driver = InProcessDriver(find_target("memory"), {"path": str(tmp_path / "probe")}, serve=serve)
    executor = Executor(driver, template(default_store()), tmp_path)
    assert "an exception: another process: " in failed(executor.run(vector(REPORTED)))
    executor.close()


def test_a_refusal_may_end_a_vector(in_process: InProcess) -> None:
    allowed = {"result": {"n": 1}, "may_end": ["not-found"]}
    missing = {"op": "retrieve", "args": {"record": "x"}, "expect": allowed}
    never = {"op": "records", "expect": {"result": ["never"]}}
    executor = in_process(find_target("memory"))
    done = executor.run(steps(missing, never))
    assert (done.verdict, done.note) == (Verdict.PASS, "refused with not-found, as it may be")
    allowed["may_end"] = ["conflict"]
    assert "not-found" in failed(executor.run(steps(missing, never)))
    # What is not refused has to be as expected, and the vector goes on.
    there = {"op": "retrieve", "args": {"record": "s1"}, "expect": allowed}
    assert "never" in failed(executor.run(steps(report({"n": 1}), there, never)))


def test_a_reader_finds_what_the_target_hides(tmp_path: Path) -> None:
    target = find_target("memory")
    driver = InProcessDriver(target, {"path": str(tmp_path / "probe")})
    stored: dict[str, dict[str, dict[str, Any]]] = {"sample": {"s1": {"n": 1}}, "project": {}}

    def reader(store: Mapping[str, Any], level: str) -> Mapping[str, Mapping[str, Any]]:
        assert store["path"].startswith(str(tmp_path))
        return stored[level]

    executor = Executor(driver, template(default_store()), tmp_path, reader)
    assert executor.run(steps(report({"n": 1}))).verdict is Verdict.PASS
    stored["sample"]["s1"]["n"] = "1"
    assert "something else than the target says" in failed(executor.run(steps(report({"n": 1}))))
    stored["project"]["p"] = {}
    stored["sample"]["s1"]["n"] = 1
    assert "something else" in failed(executor.run(steps(report({"n": 1}))))


def test_the_caller_s_settings_are_hidden(
    in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPESTAT_PIPELINE_NAME", "other")
    monkeypatch.setenv("PIPESTAT_RESULTS_SCHEMA", "/no/such/file.yaml")
    scenario = steps({"op": "schema", "expect": {"result": {"$includes": {"pipeline_name": "ns"}}}})
    assert in_process(find_target("memory")).run(scenario).verdict is Verdict.PASS


class Lacks(StoreSession):
    """Offers nothing that an implementation may do without, and no statuses."""

    def perform(self, op: str, args: Mapping[str, Any]) -> Any:
        if op in ("select", "ingest", "get_status") or args.get("convert"):
            raise UnsupportedOperation("not here")
        return super().perform(op, args)


@pytest.mark.parametrize(
    ("step", "profiles", "verdict"),
    [
        ({"op": "select"}, ("core",), Verdict.UNSUPPORTED),
        ({"op": "select"}, ("core", "query"), Verdict.FAIL),
        ({"op": "select", "expect": {"error": "query"}}, ("core",), Verdict.UNSUPPORTED),
        ({"op": "select", "expect": {"error": "unsupported"}}, ("core",), Verdict.PASS),
        ({"op": "ingest", "args": {"documents": []}}, ("core", "query"), Verdict.UNSUPPORTED),
        (report({"n": "1"}, convert=True), ("core",), Verdict.UNSUPPORTED),
        ({"op": "get_status", "args": {"record": "s1"}}, ("core",), Verdict.FAIL),
    ],
)
def test_what_may_be_lacking_is_unsupported_and_the_rest_fails(
    in_process: InProcess, step: dict[str, Any], profiles: tuple[str, ...], verdict: Verdict
) -> None:
    target = FaultyMemory(session=Lacks, claimed_profiles=profiles)
    result = in_process(target).run(steps(report({"n": 1}), step))
    assert result.verdict is verdict
    assert (result.problem is None) is (verdict is not Verdict.FAIL)


class OneFileOnly(PluginTarget):
    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        if "{" in store["path"]:
            raise UnsupportedOperation("only one file")
        raise UnsupportedOperation("no file at all")


@pytest.mark.parametrize(
    ("path", "verdict"),
    [("{record_identifier}.yaml", Verdict.UNSUPPORTED), ("results.yaml", Verdict.FAIL)],
)
def test_a_path_per_record_may_be_lacking(
    in_process: InProcess, path: str, verdict: Verdict
) -> None:
    scenario = steps({"op": "count"}, files={}, path=path)
    assert in_process(OneFileOnly("yaml")).run(scenario).verdict is verdict
