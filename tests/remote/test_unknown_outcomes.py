"""Puts whose answer does not come: each change is stored once, and the answer is right."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from pipestat_spec.errors import PipestatDataError, RecordNotFoundError
from tests import patience
from tests.remote.conftest import Managers, Place
from tests.remote.proxy import (
    Fault,
    cut_after,
    cut_before,
    error,
    error_after,
    late,
    slow,
    then,
)

TOO_LATE = "an answer that comes too late"
FAULTS: dict[str, tuple[Fault, bool]] = {
    "cut before the server saw it": (cut_before, False),
    "cut after it was stored": (cut_after, True),
    "500, stored": (error_after(500, "InternalError"), True),
    "500, not stored": (error(500, "InternalError"), False),
    "503, stored": (error_after(503, "SlowDown"), True),
    "503, not stored": (error(503, "SlowDown"), False),
    "502 of a gateway, stored": (error_after(502, "BadGateway"), True),
    TOO_LATE: (slow(1.5), True),
    "400 RequestTimeout": (error(400, "RequestTimeout"), False),
}


@pytest.fixture
def options(request: pytest.FixtureRequest, place: Place) -> dict[str, Any]:
    """Options that wait for an answer, unless the test has one come too late."""
    late = "name" in request.fixturenames and request.getfixturevalue("name") == TOO_LATE
    seconds = 0.6 if late else patience.SECONDS
    return {**place.options, "config_kwargs": {"read_timeout": seconds}}


@pytest.fixture
def psm(place: Place, manager: Managers, options: dict[str, Any]) -> Any:
    made = manager(storage_options=options)
    made.report({"n": 1}, "s1")
    place.proxy.requests()
    return made


def history_of(place: Place) -> list[Any]:
    meta = place.bucket.document()["demo"]["s1"]["meta"]
    return list(meta.get("history", {}).get("n", {}).values())


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("times", [1, 3])
def test_an_update_is_made_once(place: Place, psm: Any, name: str, times: int) -> None:
    fault, _ = FAULTS[name]
    place.proxy.fail("PUT", *[fault] * times)
    assert psm.report({"n": 2}, "s1") == ["Reported records for 's1' in 'demo' :\n - n: 2"]
    assert place.bucket.results() == {"s1": {"n": 2}}
    assert history_of(place) == [1]


@pytest.mark.parametrize("name", FAULTS)
def test_a_first_report_is_made_once(
    place: Place, manager: Managers, options: dict[str, Any], name: str
) -> None:
    psm = manager(storage_options=options, force_overwrite=False)
    place.proxy.fail("PUT", FAULTS[name][0])
    assert psm.report({"n": 1}, "s1")
    assert place.bucket.results() == {"s1": {"n": 1}}


@pytest.mark.parametrize("name", [name for name, (_, stored) in FAULTS.items() if stored])
def test_removing_finds_its_own_removal(place: Place, psm: Any, name: str) -> None:
    place.proxy.fail("PUT", FAULTS[name][0])
    assert psm.remove_record("s1", rm_record=True) is True
    assert place.bucket.results() == {}
    place.proxy.requests()
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_one("s1")


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_others_have_written_since(place: Place, psm: Any, manager: Managers, status: str) -> None:
    # Without evidence this would be a conflict, or the other's value lost.
    other = manager()

    def others() -> None:
        for number in range(3):
            other.report({"n": 10 + number}, "s1")
        other.set_status(status, "s1")

    place.proxy.fail("PUT", then(others))
    assert psm.report({"n": 2}, "s1")
    assert place.bucket.results() == {"s1": {"n": 12}}
    assert history_of(place) == [1, 2, 10, 11]
    assert psm.get_status("s1") == status


def test_a_put_that_was_lost_meets_those_of_others(
    place: Place, psm: Any, manager: Managers
) -> None:
    other = manager()

    def lost(*_: Any) -> Any:
        other.report({"n": 5}, "s1")
        return cut_before(*_)

    # Two times: the library repeats the first put on a new connection by itself.
    place.proxy.fail("PUT", lost)
    place.proxy.faults.append(("PUT", lambda request, forward: forward()))
    assert psm.report({"n": 2}, "s1")
    assert place.bucket.results() == {"s1": {"n": 2}}
    assert history_of(place) == [1, 5]


@pytest.mark.parametrize("delay", [0.02, 0.2, 0.7])
def test_a_put_that_arrives_late(place: Place, psm: Any, delay: float) -> None:
    # As often as the library and we can ask: the late ones meet whatever was stored before.
    place.proxy.fail("PUT", late(delay), late(delay * 1.5))
    assert psm.report({"n": 2}, "s1")
    time.sleep(delay * 1.5 + 0.3)
    assert place.bucket.results() == {"s1": {"n": 2}}
    assert history_of(place) == [1]
    psm.report({"n": 3}, "s1")
    assert history_of(place) == [1, 2]


def test_the_library_repeats_a_put_and_meets_itself(place: Place, psm: Any) -> None:
    place.proxy.fail("PUT", cut_after)
    psm.report({"n": 2}, "s1")
    asked = [(request.method, status) for request, status in place.proxy.log]
    assert asked == [("GET", 200), ("PUT", 0), ("PUT", 412), ("GET", 200)]


def overwrite(place: Place) -> Callable[[], None]:
    text = yaml.safe_dump({"demo": {"s1": {"n": 99}}}).encode()
    return lambda: place.bucket.put("run/results.yaml", text)


def test_evidence_that_is_gone_is_said(place: Place, psm: Any) -> None:
    # A program that keeps no list of writes replaced the object before we could look. The
    # library's repetition is let fail too, so that no answer came at all.
    place.proxy.fail("PUT", then(overwrite(place)), cut_before)
    with pytest.raises(PipestatDataError, match="may have been stored and overwritten"):
        psm.report({"n": 2}, "s1")
    assert place.bucket.results() == {"s1": {"n": 99}}


def test_giving_up_says_what_may_have_happened(place: Place, manager: Managers) -> None:
    psm = manager(storage_options={**place.options, "retry_seconds": 2.0})
    place.proxy.fail("PUT", *[error(503, "SlowDown")] * 200)
    with pytest.raises(PipestatDataError) as caught:
        psm.report({"n": 1}, "s1")
    text = str(caught.value)
    tries = caught.value.tries  # type: ignore[attr-defined]
    said = rf": gave up after \d+ s and {tries} tries: the server asks to slow down; "
    assert re.search(said, text)
    # The last put had no answer that tells, and nobody has looked since.
    assert "the change may have been stored, read it before you repeat it" in text


def test_giving_up_among_many_names_what_takes_more(place: Place, manager: Managers) -> None:
    psm = manager(storage_options={**place.options, "retry_seconds": 1.5})
    psm.report({"n": 1}, "s1")
    other = manager(storage_options={"endpoint_url": place.bucket.server})

    def overtaken(request: Any, forward: Any) -> Any:
        other.report({"n": time.monotonic()}, "s2", history_enabled=False)
        return forward()

    place.proxy.fail("PUT", *[overtaken] * 100)
    with pytest.raises(PipestatDataError) as caught:
        psm.report({"n": 2}, "s1")
    text = str(caught.value)
    assert "others write this object all the time; nothing was stored; one object takes" in text
    for way_out in ("{record_identifier}", "report documents", "SQL"):
        assert way_out in text
    assert place.bucket.results()["s1"] == {"n": 1}


def test_many_objects_whose_answers_do_not_come(
    place: Place, manager: Managers, options: dict[str, Any]
) -> None:
    url = f"s3://{place.bucket.name}/r/{{record_identifier}}.yaml"
    psm = manager(results_file_path=url, storage_options=options)
    for fault in (cut_before, cut_after, error(503, "SlowDown"), error_after(500, "x")):
        place.proxy.fail("PUT", fault)
        place.proxy.fail("GET", fault)
    psm.report_many({f"s{number}": {"n": number} for number in range(20)})
    found = {key: place.bucket.results(key) for key in place.bucket.names()}
    assert found == {f"r/s{number}.yaml": {f"s{number}": {"n": number}} for number in range(20)}
    assert psm.count_records() == 20


def test_nobody_else_repeats_a_put(place: Place, psm: Any) -> None:
    # Neither botocore nor s3fs: each attempt is one of ours, with an id of its own.
    place.proxy.fail("PUT", *[error(503, "SlowDown")] * 2, *[error(500, "InternalError")] * 2)
    psm.report({"n": 2}, "s1")
    puts = [request.headers for request, _ in place.proxy.log if request.method == "PUT"]
    newest = [headers["x-amz-meta-pipestat-writes"].split()[0] for headers in puts]
    assert len(newest) == len(set(newest)) == 5
    assert len(place.bucket.headers("run/results.yaml")["x-amz-meta-pipestat-writes"].split()) == 2


def test_what_is_settled_stays_settled(place: Place, manager: Managers) -> None:
    # The first put is lost. Then others, past the proxy, write more often than the list of
    # writes is long, so that it does not reach back to the first attempt any more.
    psm = manager()
    psm.report({"n": 1}, "s1")
    other = manager(storage_options={"endpoint_url": place.bucket.server})

    def overtaken(request: Any, forward: Any) -> Any:
        for number in range(30):
            other.report({"n": number}, "s2", history_enabled=False)
        return forward()

    place.proxy.fail("PUT", error(503, "SlowDown"), *[overtaken] * 3)
    assert psm.report({"n": 2}, "s1")
    assert place.bucket.results() == {"s1": {"n": 2}, "s2": {"n": 29}}
    assert history_of(place) == [1]
