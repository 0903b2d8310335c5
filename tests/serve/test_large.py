"""A store of more records than a page holds: parts of it, and a server that holds none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pipestat_spec import PipestatManager
from tests.report.browsers import Browser
from tests.serve.conftest import Serve
from tests.serve.servers import until

COUNT, MOST = 10_050, 10_000


@pytest.mark.browser
def test_a_large_store_is_shown_in_parts(
    serve: Serve, tmp_path: Path, new_browser: Callable[..., Browser]
) -> None:
    with PipestatManager(results_file_path=tmp_path / "r.db", pipeline_name="p") as psm:
        psm.report_many({f"s{i:05}": {"reads": i} for i in range(COUNT)})
        server = serve("r.db")
        store = "/api/v1/stores/p"
        first = server.get(f"{store}/document").json()
        assert len(first["samples"]["ids"]) == MOST
        assert first["part"] == {
            "total": COUNT,
            "where": None,
            "cursor": None,
            "next": f"s{MOST - 1:05}",
        }
        some = server.get(f"{store}/document?{urlencode({'where': 'reads < 5'})}").json()
        assert some["samples"]["ids"] == [f"s{i:05}" for i in range(5)]
        lines = server.get(f"{store}/records.jsonl").body.splitlines()
        assert [json.loads(line)["reads"] for line in lines] == list(range(COUNT))

        browser = new_browser()
        browser.window.go(str(server.link()))
        browser.until("return document.documentElement.dataset.ready !== undefined")
        told = browser.text(".part").replace("\u202f", "").replace("\u2009", "")
        assert f"{MOST} of {COUNT} records" in told
        # The filter of the page leads to what it finds in the whole store.
        browser.run("location.hash = '#records?where=reads+%3E+10040'")
        browser.until("return document.querySelector('.part a:last-of-type')")
        browser.run(
            "[...document.querySelectorAll('.part a')].find(a => a.textContent.startsWith('Next'))"
            ".click()"
        )
        browser.until(
            "return new URLSearchParams(location.search).get('cursor') === arguments[0]"
            " && document.querySelector('.part')?.textContent.startsWith('50 of')",
            f"s{MOST - 1:05}",
        )
        # What is written to the store is seen in this part too.
        psm.set_status("failed", f"s{COUNT - 1:05}")
        browser.run("location.hash = '#records?where=status+%3D+%27failed%27'")
        browser.until("return document.querySelector('#fstat b')?.textContent === '1'")
        assert browser.complaints() == []


def test_a_store_grows_beyond_what_is_looked_at_one_by_one(serve: Serve, tmp_path: Path) -> None:
    with PipestatManager(results_file_path=tmp_path / "r.db", pipeline_name="p") as psm:
        psm.report_many({f"s{i:05}": {"reads": i} for i in range(MOST)})
        server = serve("r.db")
        document = server.get("/api/v1/stores/p/document")
        assert document.json()["part"] is None
        events = server.events("p", document.headers["pipestat-cursor"])
        psm.report({"reads": 1}, "one more")
        assert next(event for event in events if event[0] != "beat")[0] == "reset"
        part = until(lambda: server.get("/api/v1/stores/p/document").json()["part"])
        assert part["total"] == MOST + 1
