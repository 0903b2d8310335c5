"""A harness that breaks the protocol is an error: never a pass, never a refusal."""

from __future__ import annotations

import atexit
import io
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from conformance_selfcheck.faulty_harnesses import AT_THE_EDGES, FAULTS
from pipestat_conformance.actions import main
from pipestat_conformance.assessment import exit_code, outcome
from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.drivers import HarnessError
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.harness_check import check_harness
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import BROKEN, Run, run
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.vectors import Vector, parse_vectors
from pipestat_conformance.verdicts import Conclusion, ExitCode, Verdict

from tests import patience
from tests.conformance.conftest import ImpatientAt
from tests.environments import clean_environment
from tests.forking import running

STORES = template(default_store())
IN_THE_MIDDLE = [name for name in FAULTS if name not in AT_THE_EDGES]
WHAT_IS_SAID = {
    "crash": "exit code 1",
    "killed": "SIGABRT",
    "hang": "no answer within",
    "split-lines": "not JSON",
    "unfinished-line": "only an unfinished line",
    "garbage": "not JSON",
    "noise": "not JSON",
    "endless-line": "a line of more than 64 MiB",
    "endless-lines": "not JSON",
    "endless-errors": "no answer within",
    "wrong-seq": "seq is",
    "answers-twice": "not asked for",
    "unknown-code": "wrong answer",
    "nan-in-json": "not JSON",
    "old-protocol": "protocol",
    "silent-at-hello": "no answer within",
    "claims-otherwise": "version",
    "bad-exit-code": "exit code 7",
    "talks-after-bye": "a line after 'bye'",
}


_MODULE = "conformance_selfcheck.faulty_harnesses"


@cache
def _forks() -> list[str]:
    """Return the command that starts a harness in a fork; their server ends with this process."""
    servers = ExitStack()
    atexit.register(servers.close)
    modules = [_MODULE, "pipestat_spec.plugins.loading:plugins"]
    return servers.enter_context(
        running(f"{_MODULE}.__main__", modules, environment=clean_environment())
    )


def program(name: str) -> list[str]:
    # A fork cannot tell by which signal it was ended.
    start = [sys.executable, "-m", _MODULE] if name == "killed" else _forks()
    return [*start, name]


SILENT = ("hang", "unfinished-line", "endless-errors")


def driver(name: str) -> SubprocessDriver:
    if name == "silent-at-hello":
        return SubprocessDriver(program(name), timeout=2)
    return ImpatientAt(program(name), "retrieve" if name in SILENT else "")


def vectors(*ids: str) -> list[Vector]:
    """Return small scenarios; those called `hit...` make the harness break."""
    report = {"op": "report", "args": {"record": "s1", "values": {"n": 1}}}
    hit = {"op": "retrieve", "args": {"record": "s1"}, "expect": {"result": {"n": 1}}}
    # One more step: an answer too many shows only then.
    more = {"op": "records", "expect": {"result": ["s1"]}}
    documents = [
        {
            "id": id,
            "requirements": ["PS-RES-011"],
            "steps": [report, *([hit] if id.startswith("hit") else []), more],
        }
        for id in ids
    ]
    return parse_vectors(documents, "test")


def run_on(name: str, *ids: str) -> Run:
    return run(RunOptions(driver(name), STORES, quick=True, vectors=vectors(*ids)))


def verdicts(done: Run) -> dict[str, Verdict]:
    return {result.id: result.verdict for result in done.results if result.kind == "vector"}


@pytest.mark.parametrize("name", IN_THE_MIDDLE)
def test_an_error_and_the_run_goes_on(name: str) -> None:
    done = run_on(name, "hit", "other", "third")
    found = {id: v for id, v in verdicts(done).items() if not id.startswith("probe.")}
    assert found == {"hit": Verdict.ERROR, "other": Verdict.PASS, "third": Verdict.PASS}
    problem = next(result.problem for result in done.results if result.id == "hit")
    assert problem is not None
    assert WHAT_IS_SAID[name] in problem.message
    assert outcome(done, load_catalogue()) is Conclusion.ERROR
    assert exit_code(outcome(done, load_catalogue())) is ExitCode.ERROR


def test_a_crash_shows_what_the_program_said() -> None:
    done = run_on("crash", "hit")
    problem = done.results[0].problem
    assert problem is not None
    assert "this harness crashes" in problem.detail


def test_a_refusal_that_is_expected_is_no_excuse_for_a_crash() -> None:
    document = {
        "id": "refused",
        "requirements": ["PS-RES-012"],
        "steps": [{"op": "retrieve", "args": {"record": "x"}, "expect": {"error": "not-found"}}],
    }
    options = RunOptions(
        driver("crash"), STORES, quick=True, vectors=parse_vectors(document, "test")
    )
    assert verdicts(run(options))["refused"] is Verdict.ERROR


def test_what_is_not_reached_stays_in_the_denominator() -> None:
    ids = [f"hit{number}" for number in range(BROKEN + 3)]
    done = run_on("crash", *ids)
    found = [v for id, v in verdicts(done).items() if id.startswith("hit")]
    assert found == [Verdict.ERROR] * len(ids)
    said = [result.problem.message for result in done.results if result.problem is not None]
    assert sum(message.startswith("not reached") for message in said) == 3


@pytest.mark.parametrize("name", ["old-protocol", "silent-at-hello"])
def test_without_hello_there_is_no_run(name: str) -> None:
    with pytest.raises(HarnessError, match=WHAT_IS_SAID[name]):
        run_on(name, "other")


@pytest.mark.parametrize("name", ["bad-exit-code", "talks-after-bye"])
def test_a_bad_end_is_an_error(name: str) -> None:
    done = run_on(name, "other")
    (end,) = [result for result in done.results if result.verdict is Verdict.ERROR]
    assert end.problem is not None
    assert WHAT_IS_SAID[name] in end.problem.message
    assert outcome(done, load_catalogue()) is Conclusion.ERROR


def test_every_process_has_to_claim_the_same() -> None:
    document = {
        "id": "reopened",
        "requirements": ["PS-CAP-001"],
        "steps": [{"op": "reopen"}, {"op": "records", "expect": {"result": []}}],
    }
    vectors = parse_vectors(document, "test")
    done = run(RunOptions(driver("claims-otherwise"), STORES, quick=True, vectors=vectors))
    (error,) = [result for result in done.results if result.verdict is Verdict.ERROR]
    assert error.problem is not None
    assert "says hello otherwise than the first one: version" in error.problem.message


@pytest.mark.parametrize("name", FAULTS)
def test_check_harness_tells(name: str) -> None:
    said = io.StringIO()
    assert check_harness(driver(name), STORES, said) is ExitCode.ERROR
    assert "broken " in said.getvalue()


def test_check_harness_passes_a_correct_one() -> None:
    command = [sys.executable, "-m", "pipestat_conformance.serve", "--backend", "memory"]
    said = io.StringIO()
    assert (
        check_harness(SubprocessDriver(command, timeout=patience.SECONDS), STORES, said)
        is ExitCode.CONFORMANT
    )
    assert "broken " not in said.getvalue()


@pytest.mark.parametrize("name", ["crash", "hang", "split-lines", "garbage", "wrong-seq"])
def test_the_command_leaves_with_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--exec", " ".join(program(name)), "--timeout", "2"]
    chosen = ["--vector", "report.persist.reopen", "--report", str(tmp_path / "report")]
    assert main(["run", *arguments, *chosen], "conformance") == ExitCode.ERROR
    assert "harness" in capsys.readouterr().out
    assert main(["check-harness", *arguments], "conformance") == ExitCode.ERROR
    capsys.readouterr()
