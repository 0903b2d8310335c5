"""The client in JavaScript, written from spec/: a conformant reader and emitter, typed, tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.clients import JAVASCRIPT, Client, javascript_client
from tests.conformance.suite_runs import run_suite
from tests.environments import MissingPart
from tests.legs import leave_out

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


def test_its_readme_runs(client: Client) -> None:
    text = (JAVASCRIPT / "README.md").read_text("utf-8")
    script, printed = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("js", "text"))
    (client.folder / "readme.mjs").write_text(script, "utf-8")
    assert client.run("node", "readme.mjs") == printed
