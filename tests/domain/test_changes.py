"""What a change does to a record, by the rules of spec/core.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipestat_spec.domain.changes import (
    clear_status,
    in_turn,
    remove_record,
    remove_result,
    report_results,
    set_status,
)
from pipestat_spec.errors import RecordNotFoundError, ResultConflictError
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey

KEY = RecordKey("sample", "s1")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def at(time: datetime):
    return lambda: time


def stored(**results: object) -> Record:
    return Record(KEY, results, created=NOON, modified=NOON)


def test_first_report_makes_the_record() -> None:
    outcome = report_results(KEY, {"n": 1}, overwrite=False, clock=at(NOON))(None)
    assert outcome.record == Record(KEY, {"n": 1}, created=NOON, modified=NOON)
    assert outcome.history == ()


def test_new_results_join_the_stored_ones() -> None:
    later = NOON + timedelta(seconds=5)
    outcome = report_results(KEY, {"m": 2}, overwrite=False, clock=at(later))(stored(n=1))
    assert outcome.record == Record(KEY, {"n": 1, "m": 2}, created=NOON, modified=later)
    assert outcome.history == ()


def test_an_equal_report_is_the_same_record() -> None:
    current = stored(n=1, o={"a": 1, "b": 2})
    for overwrite in (True, False):
        change = report_results(KEY, {"n": 1, "o": {"b": 2, "a": 1}}, overwrite=overwrite)
        outcome = change(current)
        assert outcome.record is current
        assert outcome.history == ()


def test_overwriting_keeps_the_old_value_in_the_history() -> None:
    later = NOON + timedelta(seconds=5)
    change = report_results(KEY, {"n": 2, "m": 3}, overwrite=True, clock=at(later))
    outcome = change(stored(n=1, m=3))
    assert outcome.record is not None
    assert outcome.record.results == {"n": 2, "m": 3}
    assert outcome.history == (HistoryEntry("n", 1, later),)


def test_overwriting_without_history_forgets() -> None:
    outcome = report_results(KEY, {"n": 2}, overwrite=True, history=False)(stored(n=1))
    assert outcome.history == ()


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, None), ("", None), ([], {})])
def test_a_value_of_another_type_is_a_difference(old: object, new: object) -> None:
    with pytest.raises(ResultConflictError, match="'n'"):
        report_results(KEY, {"n": new}, overwrite=False)(stored(n=old))


def test_one_conflict_refuses_the_whole_report() -> None:
    current = stored(n=1)
    with pytest.raises(ResultConflictError) as caught:
        report_results(KEY, {"m": 5, "n": 2}, overwrite=False)(current)
    assert current.results == {"n": 1}
    assert caught.value.results == ("n",)
    assert "'s1'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_null_is_a_result() -> None:
    outcome = report_results(KEY, {"n": None}, overwrite=False)(stored())
    assert outcome.record is not None
    assert outcome.record.results == {"n": None}


@pytest.mark.parametrize("clock", [NOON, NOON - timedelta(hours=1)])
def test_times_grow_even_when_the_clock_does_not(clock: datetime) -> None:
    record: Record | None = stored(n=0)
    times = []
    for n in range(1, 6):
        outcome = report_results(KEY, {"n": n}, overwrite=True, clock=at(clock))(record)
        record = outcome.record
        times += [entry.time for entry in outcome.history]
    assert times == [NOON + TICK * i for i in range(1, 6)]
    assert record is not None
    assert record.modified == NOON + TICK * 5
    assert record.created == NOON


def test_source_is_kept_when_something_changed() -> None:
    change = report_results(KEY, {"n": 1}, overwrite=True, source={"engine": "make"})
    assert change(None).record.source == {"engine": "make"}
    again = report_results(KEY, {"n": 1}, overwrite=True, source={"engine": "slurm"})
    current = change(None).record
    assert again(current).record is current


def test_removing_a_result_keeps_the_record_and_the_value_in_the_history() -> None:
    later = NOON + timedelta(seconds=5)
    outcome = remove_result(KEY, "n", clock=at(later))(stored(n=1))
    assert outcome.record == Record(KEY, {}, created=NOON, modified=later)
    assert outcome.history == (HistoryEntry("n", 1, later),)


@pytest.mark.parametrize("current", [None, stored(m=1)])
def test_removing_what_is_not_there_is_an_error(current: Record | None) -> None:
    with pytest.raises(RecordNotFoundError, match="s1"):
        remove_result(KEY, "n")(current)


def test_removing_a_record() -> None:
    assert remove_record(KEY)(stored(n=1)).record is None
    with pytest.raises(RecordNotFoundError, match="s1"):
        remove_record(KEY)(None)


def test_status_makes_a_record_and_leaves_the_modified_time() -> None:
    made = set_status(KEY, "running", clock=at(NOON))(None).record
    assert made == Record(KEY, {}, "running", created=NOON, modified=NOON, status_time=NOON)
    later = NOON + timedelta(seconds=5)
    done = set_status(KEY, "completed", clock=at(later))(made).record
    assert done == Record(KEY, {}, "completed", created=NOON, modified=NOON, status_time=later)


def test_a_status_stands_since_it_was_set() -> None:
    """A message alone leaves the time; another status gets a later one, whatever the clock says."""
    running = set_status(KEY, "running", clock=at(NOON))(None).record
    later = at(NOON + timedelta(seconds=5))
    told = set_status(KEY, "running", message="lane 2", clock=later)(running).record
    assert (told.status_message, told.status_time) == ("lane 2", NOON)
    failed = set_status(KEY, "failed", clock=at(NOON))(told).record
    assert failed.status_time == NOON + TICK


def test_the_message_goes_with_its_status() -> None:
    failed = set_status(KEY, "failed", message="no reads")(stored(n=1)).record
    assert failed.status_message == "no reads"
    assert set_status(KEY, "failed")(failed).record is failed
    running = set_status(KEY, "running")(failed).record
    assert (running.status, running.status_message) == ("running", None)


def test_clearing_the_status() -> None:
    failed = set_status(KEY, "failed", message="no reads")(stored(n=1)).record
    cleared = clear_status()(failed).record
    assert (cleared.status, cleared.status_message, cleared.results) == (None, None, {"n": 1})
    assert cleared.status_time is None
    assert clear_status()(cleared).record is cleared
    assert clear_status()(None).record is None


def test_changes_in_turn_are_one_change() -> None:
    clock = at(NOON + TICK)
    report = report_results(KEY, {"n": 2}, overwrite=True, clock=clock)
    outcome = in_turn(report, set_status(KEY, "completed", clock=clock))(stored(n=1))
    assert outcome.record == Record(
        KEY, {"n": 2}, "completed", created=NOON, modified=clock(), status_time=clock()
    )
    assert outcome.history == (HistoryEntry("n", 1, NOON + TICK),)
    current = stored(n=1)
    assert in_turn()(current).record is current


def test_when_a_record_was_made_stays_unknown() -> None:
    """Records of other programs may have no times (spec/yaml.md)."""
    later = NOON + timedelta(hours=1)
    old = Record(KEY, {"n": 1})
    reported = report_results(KEY, {"n": 2}, overwrite=True, clock=lambda: later)(old).record
    assert reported == Record(KEY, {"n": 2}, created=None, modified=later)
    removed = remove_result(KEY, "n", clock=lambda: later)(old).record
    assert removed == Record(KEY, {}, created=None, modified=later)
