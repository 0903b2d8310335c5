"""The example project with its report, and browsers to open it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from tests.legs import leave_out
from tests.report.browsers import (
    Browser,
    ChromiumWindow,
    MissingBrowser,
    open_chromium,
    open_firefox,
)
from tests.report.example import make_project

OPENERS = {"chromium": open_chromium, "firefox": open_firefox}
INSTALL = {
    "chromium": "apt-get install chromium chromium-driver",
    "firefox": "apt-get install firefox-esr",
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PipestatManager]:
    """The example's folder, and its manager."""
    folder = tmp_path_factory.mktemp("project with a space")
    return folder, make_project(folder)


@pytest.fixture(scope="session")
def page(project: tuple[Path, PipestatManager]) -> Path:
    """The report of the example, with two records that reported nothing."""
    from pipestat_report.options import Options
    from pipestat_report.report import build_report

    folder, psm = project
    return build_report(psm.store, folder, Options(not_reported=("zebra_1", "zebra_2")))[0]


def start(name: str, **options: Any) -> Browser:
    """Return a new browser window; leaves the leg out where there is none."""
    try:
        return OPENERS[name](**options)
    except MissingBrowser as missing:
        leave_out(name, str(missing), INSTALL[name])


@pytest.fixture
def new_browser() -> Iterator[Callable[..., Browser]]:
    """Open a browser with options; all are closed after the test."""
    opened: list[Browser] = []

    def open_one(name: str = "chromium", **options: Any) -> Browser:
        opened.append(start(name, **options))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all tests that need none of their own: a start takes two seconds."""
    browser = start("chromium")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def firefox() -> Iterator[Browser]:
    browser = start("firefox")
    yield browser
    browser.close()


@pytest.fixture(params=["chromium"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, and each browser in turn where a test says so, on an empty page.

    What it complained of fails the test.
    """
    shared: Browser = request.getfixturevalue(request.param)
    yield shared
    complaints = shared.complaints()
    shared.leave()
    assert complaints == []


@pytest.fixture
def seen_as(chromium: Browser) -> Iterator[Callable[..., Browser]]:
    """Chromium on another screen, or for a reader who prefers something (`emulate`)."""
    window = chromium.window
    assert isinstance(window, ChromiumWindow)

    def emulate(**settings: Any) -> Browser:
        window.emulate(**settings)
        return chromium

    yield emulate
    complaints = chromium.complaints()
    # The page remembers whether its reader chose a dark ground.
    chromium.run("localStorage.clear()")
    chromium.leave()
    window.emulate()
    assert complaints == []
