"""A third-party plugin that fails is named, and everything else works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import pipestat_spec

BROKEN = {
    "raises": "raise RuntimeError('no licence found\\nsecond line')",
    "leaves": "import sys; sys.exit('leaving')",
    "misses": "import no_such_library_at_all",
    "syntax": "def (",
    "misspelt": "from pipestat_spec.plugins.hookspecs import hookimpl\n"
    "@hookimpl\ndef register_backend(register): pass\n",
    "rivals": "from pipestat_spec.plugins.hookspecs import hookimpl\n"
    "from pipestat_spec.memory import MemoryFactory\n"
    "@hookimpl\ndef register_backends(register): register(MemoryFactory())\n",
}
WORKING = """
from pipestat_spec.plugins.hookspecs import hookimpl
from pipestat_spec.memory import MemoryFactory

class Factory(MemoryFactory):
    name = "mine"

@hookimpl
def register_backends(register):
    register(Factory())
"""


def install(site: Path, name: str, module: str) -> None:
    """Lay a distribution with one plugin module into a folder of the path."""
    (site / f"third_party_{name}.py").write_text(module)
    info = site / f"third_party_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: third-party-{name}\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(f"[pipestat_spec]\n{name} = third_party_{name}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_named_and_the_rest_works(folder: Path, site: Path, name: str) -> None:
    install(site, name, BROKEN[name])
    install(site, "fine", WORKING)
    variables: dict[str, Any] = {"PYTHONPATH": str(site)}
    listed = pipestat_spec("plugins", cwd=folder, code=None, **variables)
    (line,) = [line for line in listed.stdout.splitlines() if line.split()[:1] == [name]]
    assert "Error" in line or "SystemExit" in line
    assert "Traceback" not in listed.stdout + listed.stderr
    assert "yaml" in listed.stdout
    assert "fine" in listed.stdout

    common = ["-f", "results.yaml", "-r", "s1"]
    done = pipestat_spec("report", *common, "n:=1", cwd=folder, **variables)
    assert "Traceback" not in done.stderr
    pipestat_spec("status", "set", *common, "running", cwd=folder, **variables)
    done = pipestat_spec("retrieve", *common, "--format", "json", cwd=folder, **variables)
    answer = json.loads(done.stdout)
    assert answer["n"] == 1
    script = "--backend", "mine", "-r", "s1"
    pipestat_spec("report", *script, "n:=1", cwd=folder, **variables)


def test_asking_for_its_backend_says_why_there_is_none(folder: Path, site: Path) -> None:
    install(site, "raises", BROKEN["raises"])
    done = pipestat_spec(
        *("report", "--backend", "raises", "-r", "s1", "n:=1"),
        cwd=folder,
        code=1,
        PYTHONPATH=str(site),
    )
    assert done.stderr.count("\n") == 1
    assert "raises" in done.stderr
    assert "no licence found" in done.stderr


def test_what_is_loaded_can_be_restricted(folder: Path, site: Path) -> None:
    install(site, "raises", BROKEN["raises"])
    variables: dict[str, Any] = {"PYTHONPATH": str(site), "PIPESTAT_PLUGINS": "yaml,memory"}
    listed = pipestat_spec("plugins", cwd=folder, **variables)
    assert "raises" not in listed.stdout
    assert "yaml" in listed.stdout
