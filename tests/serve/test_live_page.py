"""The page in Chromium: what it shows while a run reports, and when the server goes away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from tests.report.browsers import Browser
from tests.serve.conftest import Serve
from tests.serve.servers import Server, until

pytestmark = pytest.mark.browser

OpenBrowser = Callable[..., Browser]
SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer, description: number of reads}
  name: {type: string, description: a name}
  plot: {type: image, description: a plot}
"""
# The status in each row of the table, by record.
ROWS = (
    "return Object.fromEntries([...document.querySelectorAll('tr.row')].map(r => "
    "[r.querySelector('.id').textContent, r.querySelector('.st')?.textContent ?? null]))"
)
READS = (
    "return [...document.querySelectorAll('tr.row')].map(r => r.textContent)"
    ".filter(t => t.includes(arguments[0])).length"
)
COUNTED = "return document.querySelector('#fstat b')?.textContent === arguments[0]"


def enter(browser: Browser, server: Server, fragment: str = "#records") -> None:
    """Open the link, and then the page at a view."""
    browser.window.go(str(server.link()))
    browser.until("return document.documentElement.dataset.ready !== undefined")
    browser.run("location.hash = arguments[0]", fragment)


def contact(browser: Browser, name: str) -> None:
    browser.until("return document.querySelector('.live')?.classList.contains(arguments[0])", name)


@pytest.fixture
def psm(tmp_path: Path) -> PipestatManager:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "pipestat.yaml").write_text(
        "results_file_path: results.yaml\nschema_path: schema.yaml\n"
    )
    return PipestatManager(config_file=tmp_path / "pipestat.yaml")


def test_a_page_opened_before_the_run_shows_all_of_it(
    new_browser: OpenBrowser, serve: Serve, psm: PipestatManager
) -> None:
    server = serve("pipestat.yaml")
    assert "there are no results" in "".join(server.told)
    browser = new_browser(size=(1440, 3000))
    enter(browser, server)
    assert browser.text(".empty h2").startswith("No records yet")
    contact(browser, "live")
    browser.run("window.untouched = true")
    for number in range(50):
        name = f"sample{number:02}"
        psm.set_status("running", name)
        if number == 0:
            browser.until(f"{ROWS}['sample00'] === 'running'")
        psm.report({"reads": 1000 + number}, name)
        psm.set_status("failed" if number % 7 == 3 else "completed", name)
    expected = {
        f"sample{number:02}": "failed" if number % 7 == 3 else "completed" for number in range(50)
    }
    browser.until(COUNTED, "50")
    browser.until(
        f"const e = arguments[0], r = (() => {{ {ROWS} }})(); "
        "return Object.keys(e).every(k => r[k] === e[k])",
        expected,
    )
    for number in (0, 23, 49):
        browser.until(READS, f"{1000 + number:,}".replace(",", "\u202f")[-3:])
    psm.remove_record("sample07", rm_record=True)
    browser.until(COUNTED, "49")
    assert browser.run("return window.untouched") is True
    assert browser.complaints() == []


def test_a_page_stays_in_contact(
    new_browser: OpenBrowser, serve: Serve, psm: PipestatManager, tmp_path: Path
) -> None:
    """One browser and one server for all of it: to start them takes longer than what is seen."""
    from PIL import Image

    (tmp_path / "plots").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "plots" / "a.png")
    psm.report({"plot": {"path": "plots/a.png", "title": "A"}}, "s1")
    psm.set_status("running", "s1")
    server = serve("pipestat.yaml", "--files", "plots")
    browser = new_browser()
    enter(browser, server)
    contact(browser, "live")
    images_of_allowed_folders_are_shown(browser)
    assert browser.complaints() == []
    a_store_that_cannot_be_read_is_not_live(browser, tmp_path / "results.yaml")
    a_server_goes_and_comes_back(browser, server, psm)
    where_no_stream_comes_through_the_page_asks(browser, server, psm)
    two_tabs_share_a_stream(browser, server, psm)


def images_of_allowed_folders_are_shown(browser: Browser) -> None:
    browser.run("location.hash = '#gallery'")
    browser.until("return [...document.images].some(i => i.naturalWidth === 40)")
    browser.run("location.hash = '#records'")


def a_store_that_cannot_be_read_is_not_live(browser: Browser, results: Path) -> None:
    good = results.read_text()
    results.write_text("rnaseq: {: [")
    contact(browser, "lost")
    assert "cannot be read now" in browser.text(".warning")
    results.write_text(good)
    contact(browser, "live")
    browser.until("return !document.querySelector('.warning')")


def a_server_goes_and_comes_back(browser: Browser, server: Server, psm: PipestatManager) -> None:
    server.kill()
    contact(browser, "lost")
    assert "Connection lost, last update 20" in browser.text(".warning")
    psm.set_status("completed", "s1")
    server.start()
    contact(browser, "live")
    browser.until(f"return (() => {{ {ROWS} }})().s1 === 'completed'")
    browser.until("return !document.querySelector('.warning')")


def where_no_stream_comes_through_the_page_asks(
    browser: Browser, server: Server, psm: PipestatManager
) -> None:
    browser.leave()
    driver = browser.window.driver  # type: ignore[attr-defined]
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/events*"]})
    enter(browser, server)
    contact(browser, "polling")
    psm.set_status("failed", "s1")
    browser.until(f"return (() => {{ {ROWS} }})().s1 === 'failed'")
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    contact(browser, "live")


def two_tabs_share_a_stream(browser: Browser, server: Server, psm: PipestatManager) -> None:
    driver = browser.window.driver  # type: ignore[attr-defined]
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    browser.window.go(f"http://127.0.0.1:{server.port}/s/rnaseq/#records")
    contact(browser, "live")
    second = driver.current_window_handle
    psm.set_status("partial", "s1")
    for tab in (second, first):
        driver.switch_to.window(tab)
        browser.until(f"return (() => {{ {ROWS} }})().s1 === 'partial'")
    followers = b'pipestat_serve_followers{store="rnaseq"} 1.0'
    # The server may not have seen yet that an earlier page is gone.
    until(lambda: followers in server.get("/metrics").body)
    # The other one takes over.
    driver.close()
    driver.switch_to.window(second)
    psm.set_status("failed", "s1")
    browser.until(f"return (() => {{ {ROWS} }})().s1 === 'failed'")


def test_a_used_link_is_used_up(serve: Serve, psm: PipestatManager) -> None:
    psm.set_status("running", "s1")
    server = serve("pipestat.yaml")
    link = str(server.link())
    path = "/?" + link.partition("?")[2]
    entered = server.get(path, Authorization="")
    assert (entered.status, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].partition(";")[0]
    assert server.get("/api/v1/stores", Authorization="", Cookie=cookie).status == 200
    until(lambda: server.link() != link)
    assert server.get(path, Authorization="").status == 401
