"""A broken harness is an error: never a pass, and never "refused"."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pipestat_conformance.drivers import HarnessError
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.harness_check import check_harness
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import BROKEN, Run, run
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.verdicts import ExitCode, Verdict

from tests import patience
from tests.conformance.conftest import CONFLICT, REPORTED, tiny, vector

Make = Callable[..., Executor]

# Which fault, and what the error says of it.
FAULTS = {
    "crash": "ended with exit code 1",
    "killed": "ended by signal SIGKILL",
    "split": "not JSON",
    "half-and-ends": "in the middle of a line",
    "garbage": "not JSON",
    "not-utf-8": "not JSON",
    "array": "wrong answer",
    "wrong-seq": "seq is",
    "no-seq": "'seq'",
    "nan": "NaN is not JSON",
    "twice": "the key 'ok' occurs twice",
    "both": "wrong answer",
    "noise-before": "not JSON",
    "noise-after": "not asked for",
    "unknown-code": "wrong answer",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_answer_is_an_error(out_of_process: Make, fault: str) -> None:
    executor = out_of_process(tiny(fault))
    # The refusal that this vector expects must not be taken from a harness that breaks.
    result = executor.run(vector(CONFLICT))
    assert result.verdict is Verdict.ERROR
    assert result.problem is not None
    assert FAULTS[fault] in result.problem.message


@pytest.mark.parametrize("fault", ["hang", "half"])
def test_an_answer_that_does_not_come_is_an_error(out_of_process: Make, fault: str) -> None:
    result = out_of_process(tiny(fault), hangs_at="report").run(vector(REPORTED))
    assert result.verdict is Verdict.ERROR
    assert result.problem is not None
    assert "no answer within 5 s" in result.problem.message
    assert ("unfinished line" in result.problem.message) is (fault == "half")


@pytest.mark.parametrize("fault", ["hangs-at-bye", "talks-at-bye", "exit-code"])
def test_a_process_has_to_end_in_order(out_of_process: Make, fault: str) -> None:
    result = out_of_process(tiny(fault), hangs_at="bye").run(vector(REPORTED))
    assert result.verdict is Verdict.ERROR
    assert result.problem is not None
    assert result.problem.step == "2"


def test_stderr_of_a_crash_is_kept(out_of_process: Make) -> None:
    result = out_of_process(tiny("crash")).run(vector(REPORTED))
    assert result.problem is not None
    assert "RuntimeError: the disk is on fire" in result.problem.detail


@pytest.mark.parametrize("fault", ["", "pieces", "loud"])
def test_slow_and_loud_programs_are_fine(out_of_process: Make, fault: str) -> None:
    executor = out_of_process(tiny(fault))
    assert [executor.run(vector(v)).verdict for v in (REPORTED, CONFLICT)] == [Verdict.PASS] * 2
    executor.close()


def test_a_program_that_does_not_read_is_given_up(out_of_process: Make) -> None:
    large = {"op": "report", "args": {"record": "s1", "values": {"x": {"$repeat": ["x", 500000]}}}}
    steps = [{"op": "count"}, large]
    program = ["/bin/sh", "-c", f"{' '.join(tiny('hang'))}"]
    result = out_of_process(program, hangs_at="count").run(vector({**REPORTED, "steps": steps}))
    assert result.verdict is Verdict.ERROR


def test_the_run_goes_on_with_a_new_process(out_of_process: Make) -> None:
    executor = out_of_process(tiny("crash", when="bye"))
    crashing = vector({**REPORTED, "id": "sample.reopens"})
    assert executor.run(vector(CONFLICT)).verdict is Verdict.PASS
    assert executor.run(crashing).verdict is Verdict.PASS
    broken = out_of_process(tiny("wrong-seq"))
    assert [broken.run(vector(v)).verdict for v in (REPORTED, CONFLICT)] == [Verdict.ERROR] * 2


def run_program(
    command: list[str], vectors: list[dict[str, object]], timeout: float = patience.SECONDS
) -> Run:
    driver = SubprocessDriver(command, timeout=timeout)
    chosen = [vector(document) for document in vectors]
    return run(RunOptions(driver, template(default_store()), vectors=chosen))


def test_what_is_not_reached_counts_as_an_error() -> None:
    many = [{**REPORTED, "id": f"sample.v{number}"} for number in range(BROKEN + 3)]
    done = run_program(tiny("garbage"), many)
    vectors = [result for result in done.results if result.kind == "vector"]
    assert {result.verdict for result in vectors} == {Verdict.ERROR}
    assert len(vectors) >= len(many)
    messages = [result.problem.message for result in vectors if result.problem]
    assert sum("not reached" in message for message in messages) >= 3


@pytest.mark.parametrize("fault", ["crash", "garbage", "hang", "wrong-seq", "killed"])
def test_without_a_hello_there_is_no_run(fault: str) -> None:
    with pytest.raises(HarnessError):
        run_program(tiny(fault, when="hello"), [REPORTED], timeout=1.0)


def test_another_protocol_is_refused() -> None:
    with pytest.raises(HarnessError, match="protocol 2"):
        run_program(tiny("protocol-2"), [REPORTED])


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(HarnessError, match="cannot be started"):
        run_program(["/no/such/program"], [REPORTED])


@pytest.mark.parametrize(
    ("fault", "when", "title"),
    [
        ("garbage", "hello", "it says hello"),
        ("unknown-capability", "op", "its claims are on the closed lists"),
        ("unknown-profile", "op", "its claims are on the closed lists"),
        ("no-profile", "op", "its claims are on the closed lists"),
        ("crash", "open", "it opens a store"),
        ("wrong-seq", "op", "it answers operations"),
        ("exit-code", "op", "it ends after 'bye'"),
    ],
)
def test_check_harness_names_what_is_broken(fault: str, when: str, title: str) -> None:
    output = io.StringIO()
    driver = SubprocessDriver(tiny(fault, when=when), timeout=patience.SECONDS)
    assert check_harness(driver, template(default_store()), output) is ExitCode.ERROR
    last = [line for line in output.getvalue().splitlines() if not line.startswith(" ")][-1]
    assert last.startswith("broken  " + title)


@pytest.mark.parametrize("wrong", ["", "strings", "forgets", "unsupported", "null"])
def test_check_harness_does_not_judge_answers(wrong: str) -> None:
    output = io.StringIO()
    driver = SubprocessDriver(tiny(wrong=wrong), timeout=patience.SECONDS)
    code = check_harness(driver, template(default_store()), output)
    # A harness that answers null to everything also answers unknown operations with it.
    assert code is (ExitCode.ERROR if wrong == "null" else ExitCode.CONFORMANT)
