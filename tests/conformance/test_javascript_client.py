"""The client in JavaScript, written from spec/: a conformant reader and emitter, typed, tested."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.conformance.clients import JAVASCRIPT, Client, javascript_client
from tests.conformance.suite_runs import run_suite
from tests.environments import MissingPart
from tests.legs import leave_out
from tests.report.browsers import Browser, MissingBrowser, open_chromium, open_firefox

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    try:
        return javascript_client(tmp_path_factory.mktemp("client"))
    except MissingPart as missing:
        leave_out("node", str(missing), "apt-get install nodejs npm")


@pytest.mark.slow
def test_it_is_conformant_in_all_that_it_claims(client: Client, tmp_path: Path) -> None:
    report = run_suite(tmp_path, "--exec", client.command)
    assert report["outcome"] == "conformant"
    assert set(report["claimed_profiles"]) == {"reader", "emitter"}


def test_its_own_tests_pass(client: Client) -> None:
    client.run("node", "--test")


def test_its_types_are_right(client: Client) -> None:
    client.run("node_modules/.bin/tsc", "--noEmit")


def test_what_browsers_import_needs_no_node() -> None:
    sources = {path.name: path.read_text("utf-8") for path in (JAVASCRIPT / "src").glob("*.js")}
    reached, left = set(), ["index.js"]
    while left:
        name = left.pop()
        reached.add(name)
        assert "'node:" not in sources[name], name
        left += [other for other in sources.keys() - reached if f"'./{other}'" in sources[name]]
    assert {"results.js", "emit.js", "yaml.js"} <= reached


PAGE = """\
<!doctype html>
<script type="importmap">{"imports": {"yaml": "/node_modules/yaml/browser/index.js"}}</script>
<script type="module">
  import { Results, reportDocument } from '/src/index.js'
  const results = new Results(await (await fetch('results.yaml')).bytes())
  const values = results.retrieve('s1')
  document.title = `${results.status('s1')} ${reportDocument({ record: 's2', results: values })}`
</script>
"""


@pytest.mark.browser
@pytest.mark.parametrize("opened", [open_chromium, open_firefox])
def test_it_reads_and_writes_in_a_browser(client: Client, opened: Callable[[], Browser]) -> None:
    (client.folder / "page.html").write_text(PAGE, "utf-8")
    (client.folder / "results.yaml").write_text(
        "ns: {s1: {n: 010, meta: {status: failed}}}", "utf-8"
    )
    try:
        browser = opened()
    except MissingBrowser as missing:
        leave_out("browser", str(missing), "apt-get install chromium chromium-driver firefox-esr")
    with serving(client.folder) as address:
        browser.window.go(f"{address}/page.html")
        title = browser.until("return document.title")
    browser.close()
    assert title.startswith("failed {")
    assert json.loads(title.removeprefix("failed "))["results"] == {"n": 8}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves modules as what they are, and says nothing."""

    extensions_map: ClassVar = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_its_readme_runs(client: Client) -> None:
    text = (JAVASCRIPT / "README.md").read_text("utf-8")
    script, printed = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("js", "text"))
    (client.folder / "readme.mjs").write_text(script, "utf-8")
    assert client.run("node", "readme.mjs") == printed
