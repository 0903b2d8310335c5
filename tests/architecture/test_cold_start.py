"""What a short-lived command imports, and the names that the package offers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pipestat_spec
from tests import patience
from tests.environments import clean_environment

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer, description: number of reads}
  name: {type: string, description: name}
  switch: {type: boolean, description: switch}
  rate: {type: number, description: rate}
"""

CONFIGURATION = """
# where the results are
schema_path: ./schema.yaml
results_file_path: r.yaml
"""

_SCRIPT = """
import json, sys
from pipestat_spec.cli import run
sys.argv = ["pipestat-spec", *sys.argv[1:]]
try:
    code = run() or 0
except SystemExit as exit:
    code = exit.code or 0
print()
print(json.dumps([code, sorted(sys.modules)]))
"""

HEAVY = {
    "yaml",
    "pydantic",
    "jsonschema",
    "jsonschema_rs",
    "referencing",
    "importlib.metadata",
    "asyncio",
    "numpy",
    "fsspec",
    # A schema without QC rules asks for neither, and no value was refused.
    "pipestat_spec.models.schema.qc",
    "pipestat_spec.models.verdict",
    "difflib",
}


def modules_of(folder: Path, *arguments: str) -> set[str]:
    """Run one command in a fresh process; return the modules it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def test_a_report_imports_nothing_heavy(tmp_path: Path) -> None:
    first = modules_of(tmp_path, "report", "-f", "r.yaml", "-r", "s1", "-i", "n", "-v", "1")
    again = modules_of(tmp_path, "report", "-f", "r.yaml", "-r", "s2", "-i", "n", "-v", "1")
    assert not HEAVY & first
    assert not HEAVY & again


def test_a_report_to_the_address_of_a_database_needs_no_pydantic(tmp_path: Path) -> None:
    report = ("report", "-f", "r.db", "-r", "s1", "-i", "n", "-v", "1")
    assert "pydantic" not in modules_of(tmp_path, *report)
    assert "pydantic" not in modules_of(tmp_path, *report, "-n", "other")


def test_a_validated_report_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "config.yaml").write_text(CONFIGURATION)
    common = ["report", "-c", "config.yaml", "-r", "s1"]
    assert not HEAVY & modules_of(
        tmp_path, *common, "reads=12", "name=x", "switch=true", "rate=0.5"
    )


def test_a_status_change_imports_nothing_heavy(tmp_path: Path) -> None:
    arguments = ["status", "set", "-f", "r.yaml", "-r", "s1", "running"]
    assert not HEAVY & modules_of(tmp_path, *arguments)


def test_a_report_into_sqlite_waits_for_no_postgresql(tmp_path: Path) -> None:
    found = modules_of(tmp_path, "report", "-f", "r.db", "-r", "s1", "n=1")
    assert "sqlite3" in found
    assert not {"psycopg", "sqlalchemy.dialects.postgresql"} & found


@pytest.mark.parametrize(
    "arguments",
    [
        ["retrieve", "-r", "s1"],
        ["select"],
        ["history", "-r", "s1"],
        ["status", "list"],
        ["inspect"],
        ["inspect", "--data"],
        ["plugins"],
    ],
    ids=" ".join,
)
def test_an_answer_waits_for_no_pydantic(tmp_path: Path, arguments: list[str]) -> None:
    store = [] if arguments == ["plugins"] else ["-f", "r.yaml"]
    modules_of(tmp_path, "report", "-f", "r.yaml", "-r", "s1", "n=1")
    assert "pydantic" not in modules_of(tmp_path, *arguments, *store, "--format", "json")


def test_importing_the_package_is_free() -> None:
    script = "import sys; import pipestat_spec; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    ours = [name for name in done.stdout.split() if name.startswith("pipestat_spec")]
    assert ours == ["pipestat_spec", "pipestat_spec._version"]


def test_public_names_are_pinned() -> None:
    assert sorted(pipestat_spec.__all__) == [
        "PipestatDualManager",
        "PipestatError",
        "PipestatManager",
        "ProjectPipestatManager",
        "SPEC_VERSION",
        "SamplePipestatManager",
        "__version__",
        "diff",
        "hookimpl",
    ]
    for name in pipestat_spec.__all__:
        assert getattr(pipestat_spec, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        pipestat_spec.no_such_name  # noqa: B018
