"""The roll-up from jobs to records, without Snakemake."""

from __future__ import annotations

from snakemake_logger_plugin_pipestat.board import Board, Job, Standing

from pipestat_spec.models.record import RecordKey

S1 = RecordKey("sample", "s1")
S2 = RecordKey("sample", "s2")


def planned(*jobs: tuple[int, str, RecordKey | None, int]) -> Board:
    """Return a board with a plan of (id, rule, record, retries)."""
    board = Board()
    board.plan({job_id: Job(rule, key, retries) for job_id, rule, key, retries in jobs})
    return board


def standing(board: Board, key: RecordKey = S1) -> Standing:
    found = dict(board.changed())
    assert key in found, f"nothing is told of {key}"
    return found[key]


def test_a_record_follows_its_jobs() -> None:
    board = planned(
        (1, "align", S1, 0), (2, "sort", S1, 0), (3, "align", S2, 0), (4, "all", None, 0)
    )
    assert dict(board.changed()) == {S1: Standing("waiting"), S2: Standing("waiting")}
    board.started(1, "align", S1)
    assert dict(board.changed()) == {S1: Standing("running", None, "align", 1)}
    board.finished(1)
    assert standing(board) == Standing("waiting")
    board.started(2, "sort", S1)
    assert standing(board) == Standing("running", None, "sort", 1)
    board.finished(2)
    assert standing(board) == Standing("completed", None, "sort", 1)
    board.started(4, "all", None)
    board.finished(4)
    assert dict(board.changed()) == {}
    board.end(succeeded=True, message="over")
    assert dict(board.changed()) == {}


def test_running_comes_before_failed_and_failed_before_waiting() -> None:
    board = planned((1, "a", S1, 0), (2, "b", S1, 0), (3, "c", S1, 0))
    board.started(1, "a", S1)
    board.started(2, "b", S1)
    board.failed(1, "rule a failed")
    assert standing(board) == Standing("running", None, "b", 1)
    board.finished(2)
    assert standing(board) == Standing("failed", "rule a failed", "a", 1)


def test_an_attempt_that_is_repeated_waits() -> None:
    board = planned((1, "a", S1, 2))
    for attempt in (1, 2):
        board.started(1, "a", S1)
        board.failed(1, f"attempt {attempt}")
        assert standing(board).status == "waiting"
        assert standing_message(board) == f"attempt {attempt}"
    board.started(1, "a", S1)
    board.failed(1, "attempt 3")
    assert standing(board) == Standing("failed", "attempt 3", "a", 3, {"a": 3})


def standing_message(board: Board) -> str | None:
    return board.jobs[1].message


def test_a_second_error_of_one_attempt_changes_nothing() -> None:
    board = planned((1, "a", S1, 0))
    board.started(1, "a", S1)
    board.failed(1, "first")
    board.failed(1, "second")
    assert standing(board).message == "first"


def test_a_group_is_tried_as_often_as_its_most_patient_member() -> None:
    board = planned((1, "a", S1, 0), (2, "a", S2, 1))
    for _ in range(2):
        board.started(1, "a", S1)
        board.started(2, "a", S2)
        board.grouped([1, 2])
        board.failed(1, "group")
        board.failed(2, "group")
        last = dict(board.changed())
    assert {key: told.status for key, told in last.items()} == {S1: "failed", S2: "failed"}
    assert last[S1].attempt == 2


def test_the_end_fails_what_is_open_and_leaves_what_never_began() -> None:
    board = planned((1, "a", S1, 3), (2, "b", S1, 0), (3, "a", S2, 0))
    board.started(1, "a", S1)
    board.failed(1, "no space")
    board.end(succeeded=False, message="over")
    assert dict(board.changed()) == {
        S1: Standing("failed", "no space", "a", 1),
        S2: Standing("waiting"),
    }


def test_without_a_plan_a_record_completes_when_the_run_does() -> None:
    for succeeded, told in ((True, {S1: Standing("completed", None, "a", 1)}), (False, {})):
        board = Board()
        board.started(1, "a", S1)
        board.finished(1)
        assert standing(board).status == "waiting"
        board.end(succeeded, "over")
        assert dict(board.changed()) == told


def test_a_later_plan_adds_jobs_and_drops_those_that_never_began() -> None:
    board = planned((1, "scatter", S1, 0), (2, "old", S1, 0), (3, "old", S2, 0))
    board.started(1, "scatter", S1)
    board.finished(1)
    board.plan({1: Job("scatter", S1, 0), 4: Job("part", S1, 0)})
    assert board.keys() == [S1]
    board.started(4, "part", S1)
    board.finished(4)
    assert dict(board.changed()) == {S1: Standing("completed", None, "part", 1)}


def test_what_a_document_says_holds_when_all_jobs_are_done() -> None:
    board = planned((1, "a", S1, 0), (2, "b", S1, 0))
    board.started(1, "a", S1)
    assert board.say(S1, "partial", "few reads")
    board.finished(1)
    assert standing(board).status == "waiting"
    board.started(2, "b", S1)
    board.finished(2)
    assert standing(board) == Standing("partial", "few reads", "b", 1)
    assert not board.say(S2, "partial", None)


def test_all_jobs_of_a_project_are_counted_quickly() -> None:
    """100,000 jobs of one record: each step looks at its own job, not at all of them."""
    board = planned(*((number, "a", S1, 0) for number in range(100_000)))
    for number in range(100_000):
        board.started(number, "a", S1)
        assert standing(board).status == "running"
        board.finished(number)
    assert standing(board).status == "completed"
