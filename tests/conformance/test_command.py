"""The command: exit codes, and what stands where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_conformance.actions import main

from tests.commands import pipestat_spec
from tests.conformance.conftest import tiny_command

# Vectors that the small harness can do, and one that it cannot.
GOOD, OTHER = "report.conflict.nothing-stored", "report.persist.reopen"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def conformance(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one subcommand in this process; return code, output and messages."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(list(map(str, arguments)), "conformance")
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_a_selection_that_passes(conformance: Run) -> None:
    code, output, messages = conformance(
        "run", "--exec", tiny_command(), "--vector", GOOD, "--vector", "probe.*"
    )
    assert code == 0, output
    assert "what was selected passes" in output
    assert "conformant (" not in output
    assert messages.splitlines()[-1] == "6/6"


def test_a_failure_is_shown_with_a_command_that_repeats_it(conformance: Run) -> None:
    command = tiny_command(wrong="forgets")
    code, output, _ = conformance("run", "--exec", command, "--vector", OTHER)
    assert code == 1
    assert "PS-VAL-013: On every backend a reader MUST" in output
    (line,) = [line for line in output.splitlines() if line.startswith("  repeat: ")]
    import shlex

    words = shlex.split(line.removeprefix("  repeat: "))
    code, again, _ = conformance(*words[2:])
    assert (code, again.splitlines()[:8]) == (1, output.splitlines()[:8])


def test_a_broken_harness(conformance: Run) -> None:
    code, output, _ = conformance(
        "run", "--exec", tiny_command("garbage"), "--vector", GOOD, "--timeout", "5"
    )
    assert code == 2
    assert "no verdict" in output
    code, _, messages = conformance("run", "--exec", tiny_command("crash", when="hello"))
    assert code == 2
    assert messages.startswith("error: harness: ")
    assert "the disk is on fire" in messages
    code, _, messages = conformance("run", "--exec", tiny_command("no-profile"))
    assert code == 2
    assert "no profile is claimed" in messages


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "required"),
        (["run", "--backend", "nope"], "nope"),
        (["run", "--backend", "memory", "--exec", "x"], "not allowed"),
        (["run", "--backend", "memory", "--profile", "gold"], "gold"),
        (["run", "--backend", "memory", "--vector", "no.such"], "no.such"),
        (["run", "--backend", "memory", "--store", "{"], "JSON"),
        (["run", "--backend", "memory", "--store", '{"path": "/x.yaml"}'], "{tmp}"),
        (["run", "--backend", "memory", "--known-failures", "/no/such"], "/no/such"),
        (["run", "--backend", "memory", "--timeout", "soon"], "soon"),
        (["run", "--exec", "'"], "quotation"),
        (["run", "--exec", ""], "no program"),
        (["run", "--back", "memory"], "--back"),
        (["frobnicate"], "frobnicate"),
        ([], "required"),
        (["list", "vectors", "--profile", "gold"], "gold"),
        (["compare", "/no/such", "/no/such"], "/no/such"),
    ],
)
def test_usage_errors(conformance: Run, arguments: list[str], said: str) -> None:
    code, _, messages = conformance(*arguments)
    assert code == 3
    assert said in messages
    assert messages.startswith("error: ") or "error: " in messages


def test_known_failures_and_the_exit_code(conformance: Run, tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    known.write_text(f"- {{id: {OTHER}, reason: it forgets, issue: '#1'}}\n")
    arguments = ["run", "--vector", OTHER, "--vector", GOOD, "--known-failures", known, "--exec"]
    code, output, _ = conformance(*arguments, tiny_command(wrong="forgets"))
    assert code == 1
    assert "known failures, NOT conformant" in output
    code, _, _ = conformance(*arguments, tiny_command(wrong="forgets"), "--accept-known")
    assert code == 0
    code, output, _ = conformance(*arguments, tiny_command(), "--accept-known")
    assert code == 1
    assert f"{OTHER}: passes, although" in output


def test_reports_are_written_compared_and_merged(conformance: Run, tmp_path: Path) -> None:
    selection = ["--vector", GOOD, "--vector", OTHER]
    for name, wrong in (("good", ""), ("bad", "forgets")):
        command = tiny_command(wrong=wrong)
        conformance("run", "--exec", command, *selection, "--report", tmp_path / name)
    good, bad = tmp_path / "good", tmp_path / "bad" / "report.json"
    assert conformance("compare", good, bad)[0] == 1
    code, output, _ = conformance("compare", bad, good)
    assert (code, "better" in output) == (0, True)
    code, _, _ = conformance("merge", good, bad, "--report", tmp_path / "both")
    assert code == 0
    assert (tmp_path / "both" / "matrix.html").exists()


def test_exporting_vectors(conformance: Run, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "old.json").write_text("[]")
    code, output, _ = conformance("export-vectors", tmp_path)
    assert code == 0
    assert "vectors in" in output
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    found = 0
    for file in (tmp_path / "vectors").rglob("*.json"):
        document = json.loads(file.read_text(encoding="utf-8"))
        found += len(document) if isinstance(document, list) else 1
    assert found == manifest["vectors"]
    assert not (tmp_path / "vectors" / "old.json").exists()
    for name in ("protocol/README.md", "protocol/vector.schema.json", "requirements.yaml"):
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("what", ["vectors", "requirements", "profiles", "capabilities"])
def test_lists(conformance: Run, what: str) -> None:
    code, output, _ = conformance("list", what)
    assert code == 0
    assert len(output.splitlines()) >= 8
    if what == "vectors":
        _, fewer, _ = conformance("list", what, "--profile", "durable")
        assert "trial.kill.acknowledged" in fewer.splitlines()[0]


def test_through_the_command_line_of_the_package(tmp_path: Path) -> None:
    done = pipestat_spec(
        "conformance", "run", "--backend", "memory", "--vector", GOOD, cwd=tmp_path
    )
    assert "what was selected passes" in done.stdout
    done = pipestat_spec("conformance", "run", "--nope", cwd=tmp_path, code=3)
    assert done.stderr.startswith("error: ")
    assert "exit codes: 0 conformant" in pipestat_spec("conformance", "--help", cwd=tmp_path).stdout


def test_check_harness(conformance: Run) -> None:
    code, output, _ = conformance("check-harness", "--backend", "memory")
    assert code == 0
    assert output.count("ok ") == 10
    code, output, _ = conformance("check-harness", "--exec", tiny_command("wrong-seq"))
    assert code == 2
    assert "broken  it answers operations: seq is" in output
