"""docs/ becomes a site: nothing is lost on the way, it opens as files, and it asks nobody."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import pipestat_spec
from docs.site.__main__ import build
from tests.environments import MissingPart
from tests.examples.quickstart import quickstart_that_ran
from tests.legs import leave_out
from tests.report.browsers import Browser, ChromiumWindow
from tests.report.conftest import new_browser

__all__ = ["new_browser"]

# What a browser fetches when it shows a page; links that a reader clicks are none.
_FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a page without a place in it or a dead link is an error."""
    folder = tmp_path_factory.mktemp("documentation") / "site"
    try:
        build(folder, quickstart_that_ran(tmp_path_factory)[0])
    except MissingPart as missing:
        leave_out("docs", str(missing), "connect to a package index for 'pip install'")
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stderr)
    return folder


# One test, since each process would build a site of its own.
@pytest.mark.browser
def test_the_site_opens_offline(site: Path, new_browser: Callable[..., Browser]) -> None:
    pages = {
        path.relative_to(site).as_posix(): path.read_text("utf-8") for path in site.rglob("*.html")
    }
    assert [name for name, text in pages.items() if _FETCHED.search(text)] == []
    for name in ("docs/python.html", "spec/core.html", "docs/http.html", "gallery/report.html"):
        assert name in pages
    public_names_are_documented(
        [text for name, text in pages.items() if name.startswith("docs/api/")]
    )
    # Docstrings name documents, which MkDocs does not know.
    for name in re.findall(
        r'href="\.\./\.\./((?:spec|docs)/[\w-]+\.html)"', "".join(pages.values())
    ):
        assert name in pages
    # Of the values of an option, behind the backslash that a table needs.
    assert "<code>sample|project</code>" in pages["docs/cli.html"]

    browser = new_browser()
    assert isinstance(browser.window, ChromiumWindow)
    browser.window.driver.execute_cdp_cmd("Network.enable", {})
    # Whoever asks for one of these complains.
    patterns = {"urls": ["http://*", "https://*", "ws://*", "wss://*"]}
    browser.window.driver.execute_cdp_cmd("Network.setBlockedURLs", patterns)
    found = searched(browser, site)
    browser.window.go(found[0])
    assert browser.complaints() == []
    browser.window.go((site / "gallery" / "report.html").as_uri())
    assert browser.text(".brand") == "Read quality control"
    assert browser.complaints() == []
    searched(new_browser("firefox"), site)


def searched(browser: Browser, site: Path) -> list[str]:
    """Search for a word of docs/diff.md; return the pages that are found."""
    browser.window.go((site / "index.html").as_uri())
    # As a click into the box does where the window has the focus.
    browser.click("[data-md-toggle=search]")
    browser.run("document.querySelector('.md-search__input').focus()")
    browser.type("tolerances")
    links = "return [...document.querySelectorAll('.md-search-result__link')].map(l => l.href)"
    browser.until(f"{links}.length")
    found: list[str] = browser.run(links)
    assert any("/docs/diff.html" in link for link in found), found
    assert browser.complaints() == []
    return found


def public_names_are_documented(pages: list[str]) -> None:
    """Each public name has a heading, or is told of by its full name."""
    text = "".join(pages)
    for name in pipestat_spec.__all__:
        home = getattr(getattr(pipestat_spec, name), "__module__", "pipestat_spec")
        shown = (
            f'id="{home}.{name}"',
            f'id="pipestat_spec.{name}"',
            f"<code>pipestat_spec.{name}</code>",
        )
        assert any(one in text for one in shown), f"{name} is on no page of docs/api"
