"""What takes longer than a second says so on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import clean_environment
from tests.remote.conftest import Managers, Place
from tests.remote.proxy import error, slow

PROGRAM = Path(sys.executable).parent / "pipestat-spec"


def on_a_terminal(*command: object, **variables: str) -> str:
    """Run a command whose stderr is a terminal; return what that shows."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.Popen(
            [PROGRAM, *map(str, command)],
            env=clean_environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:
                break
            if not some:
                break
            shown += some
        assert done.wait() == 0, shown
        return shown.decode()
    finally:
        os.close(ours)


@pytest.fixture
def url(place: Place, manager: Managers) -> str:
    url = f"s3://{place.bucket.name}/r/{{record_identifier}}.yaml"
    manager(results_file_path=url).report_many({f"s{n}": {"n": n} for n in range(140)})
    return url


def test_reading_many_objects(place: Place, url: str) -> None:
    # Two pages of a list, the look whether there is a store, and what is read.
    place.proxy.fail("GET", *[slow(0)] * 2, *[slow(1.2)] * 4)
    shown = on_a_terminal(
        *("select", "-f", url, "--pipeline-name", "demo"), AWS_ENDPOINT_URL=place.proxy.url
    )
    assert "reading: 128 of 140 objects" in shown
    # The line is wiped.
    assert "\r\x1b[K" in shown.rpartition("objects")[2]


def test_tries_that_go_on(place: Place) -> None:
    place.proxy.fail("PUT", *[error(503, "SlowDown")] * 9)
    shown = on_a_terminal(
        *("report", "-f", place.url, "--pipeline-name", "demo", "-r", "s1", "n:=1"),
        AWS_ENDPOINT_URL=place.proxy.url,
    )
    assert f"{place.url}: try " in shown
    assert "the server asks to slow down" in shown
    assert place.bucket.results() == {"s1": {"n": 1}}


def test_a_pipe_shows_nothing(place: Place, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    place.proxy.fail("GET", *[slow(0)] * 2, *[slow(1.2)] * 2)
    done = subprocess.run(
        [PROGRAM, "select", "-f", url, "--pipeline-name", "demo", "--limit", "1"],
        env=clean_environment(AWS_ENDPOINT_URL=place.proxy.url),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "1 of 140 records; go on with --cursor 's0'\n"
