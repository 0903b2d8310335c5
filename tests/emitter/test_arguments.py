"""The command line of `pipestat-emit`: what the document says, and what is refused."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipestat_spec.engines.emitter import EMITTER
from tests.emitter.programs import Emitter

TIME = "2026-01-31T12:00:00Z"


def test_the_document_of_every_option(emit: Emitter) -> None:
    arguments = (
        "--namespace rnaseq s1 reads:=10 --level project -m why --status=failed note=x --attempt 3"
        f" --source engine=slurm --source=lane:=[1] --source task=77_3 --time {TIME}"
    ).split()
    assert emit("-o", "-", *arguments).decode() == (
        '{"pipestat_report": "1.0", "namespace": "rnaseq", "level": "project", '
        '"record_identifier": "s1", "results": {"reads": 10, "note": "x"}, '
        '"texts": ["note"], "status": "failed", "status_message": "why", '
        '"time": "2026-01-31T12:00:00Z", '
        '"source": {"attempt": 3, "engine": "slurm", "lane": [1], "task": "77_3"}}\n'
    )


def test_a_status_alone_and_a_result_alone(emit: Emitter) -> None:
    start = {"pipestat_report": "1.0", "record_identifier": "s1", "time": TIME}
    at = ("--time", TIME)
    assert emit.document("s1", "--status", "running", *at) == {**start, "status": "running"}
    assert emit.document("s1", "a=", *at) == {**start, "results": {"a": ""}, "texts": ["a"]}
    message = emit.document("s1", "--status", "failed", "--status-message=", *at)
    assert message == {**start, "status": "failed", "status_message": ""}


def test_the_time_is_now(emit: Emitter) -> None:
    before = datetime.now(UTC)
    said = emit.document("s1", "a=1", env={"TZ": "America/New_York"})["time"]
    assert said.endswith("Z")
    moment = datetime.fromisoformat(said)
    assert before - timedelta(seconds=1) < moment < datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("arguments", "results"),
    [
        (["a=b=c"], {"a": "b=c"}),
        (["a:b=c"], {"a:b": "c"}),
        (["a:b:=1"], {"a:b": 1}),
        (["a=:=1"], {"a": ":=1"}),
        (["a=@file"], {"a": "@file"}),
        (["a= x "], {"a": " x "}),
        (["GC content=1"], {"GC content": "1"}),
        (["ä/\"\\'$(x)*=1"], {"ä/\"\\'$(x)*": "1"}),
        (["@=1", "*=2", "a]=3"], {"@": "1", "*": "2", "a]": "3"}),
        (["--set", "a=b", "=c"], {"a=b": "=c"}),
        (["--set", "a:", "--status"], {"a:": "--status"}),
        (["--set-json", "a=b:", "[1]"], {"a=b:": [1]}),
        (["--", "-a=1", "--b:=2"], {"-a": "1", "--b": 2}),
        (["n=-5", "m:=-5"], {"n": "-5", "m": -5}),
    ],
)
def test_names_with_odd_characters(
    emit: Emitter, arguments: list[str], results: dict[str, Any]
) -> None:
    assert emit.document("s1", *arguments)["results"] == results


def test_records_with_odd_names(emit: Emitter) -> None:
    for name in ("-s1", "a=b", 's "1"/\\', "s" * 255, "é" * 255, "--status"):
        assert emit.document("--status", "running", "--", name)["record_identifier"] == name


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "no record is given"),
        (["--status", "failed"], "no record is given"),
        (["s1"], "give a result or --status"),
        (["s1", "reads"], "'reads' is not NAME=TEXT or NAME:=JSON"),
        (["s1", "=x"], "'=x' is not NAME=TEXT or NAME:=JSON"),
        (["s1", ":=1"], "':=1' is not NAME=TEXT or NAME:=JSON"),
        (["s1", "a=1", "--colour", "red"], "unknown option '--colour'"),
        (["s1", "-x=1"], "unknown option '-x=1'"),
        (["s1", "a=1", "--status"], "--status needs a value"),
        (["s1", "--status", "--level", "sample"], "--status needs a value"),
        (["s1", "-o", "-m", "x"], "-o needs a value"),
        (["s1", "--set", "a"], "--set needs a name and a value"),
        (["s1", "a=1", "-m", "x"], "--status-message needs --status"),
        (["s1", "a=1", "a=2"], "result 'a' is given twice"),
        (["s1", "a=1", "--set-json", "a", "2"], "result 'a' is given twice"),
        (
            ["s1", "a=1", "--attempt", "1", "--source", "attempt:=1"],
            "source 'attempt' is given twice",
        ),
        (["", "a=1"], "the record identifier is empty"),
        (["s1", "a=1", "--namespace="], "the namespace is empty"),
        (["s1", "--status="], "the status is empty"),
        (["s1", "a=1", "--output="], "--output is empty"),
        (["s1", "a=1", "--level", "samples"], "--level is sample or project"),
    ],
)
def test_wrong_use_ends_with_2(emit: Emitter, arguments: list[str], problem: str) -> None:
    said = emit(*arguments, code=2).decode()
    assert said == f"{problem}; see 'pipestat-emit --help'"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["s\n1", "a=1"], "the record identifier holds a control character"),
        (["s\x85", "a=1"], "the record identifier holds a control character"),
        (["s" * 256, "a=1"], "the record identifier is longer than 255 characters"),
        (["s1", "a\tb=1"], "the name of result 'a?b' holds a control character"),
        (["s1", "k" * 256 + "=1"], f"the name of result '{'k' * 57}...' is longer than 255"),
        (["s1", "status=done"], "'status' cannot name a result; choose another name"),
        (["s1", "id:=1"], "'id' cannot name a result; choose another name"),
        (["s1", "--status", "a b"], "'a b' is no status; use up to 64 letters, digits, _ . and -"),
        (["s1", "--status", "s" * 65], f"'{'s' * 57}...' is no status"),
        (["s1", "--status", "failed\n"], "'failed?' is no status"),
        (["s1", "a=1", "--attempt", "0"], "the attempt is not a number from 1"),
        (["s1", "a=1", "--attempt", "two"], "the attempt is not a number from 1"),
        (["s1", "a=1", "--source", "attempt:=[1]"], "the attempt is not a number from 1"),
        (["s1", "a=1", "--source", "run:=5"], "source 'run' is not a string; write run=TEXT"),
        (["s1", "a=1", "--time", "yesterday"], "'yesterday' is not a time like 2026-01-31T12:"),
        (["s1", "a=1", "--time", "2026-01-31T12:00:00"], "'2026-01-31T12:00:00' is not a time"),
    ],
)
def test_what_ingest_would_refuse_ends_with_1(
    emit: Emitter, arguments: list[str], problem: str
) -> None:
    assert emit(*arguments, code=1).decode().startswith(problem)
    assert emit(*arguments, "-o", "s1.pipestat.json", code=1).decode().startswith(problem)
    assert list(emit.cwd.iterdir()) == []


def test_help_and_version(emit: Emitter) -> None:
    for option in ("-h", "--help"):
        assert emit(option).startswith(b"usage: pipestat-emit RECORD [NAME=TEXT")
    assert emit("--version") == b"pipestat-emit 1.0\n"


@pytest.mark.parametrize("options", ["-Ceuo pipefail", "-Cefuvo pipefail", "-o posix", "-m"])
def test_options_of_the_caller_do_no_harm(emit: Emitter, options: str) -> None:
    # Exported SHELLOPTS and BASHOPTS hand the options on to the bash of the emitter.
    script = (
        "shopt -s nocasematch nullglob failglob extglob; export SHELLOPTS BASHOPTS IFS=ae1\n"
        """pipestat-emit s1 -o s1.pipestat.json reads:='[1e5, true]' 'note=* a & \\ "q"' 2>/dev/null
        ! pipestat-emit s1 x:=TRUE 2>/dev/null
        pipestat-emit s1 -o s1.pipestat.json reads:='[1e5, true]' --time 2026-01-31T12:00:00Z \\
            'note=* a & \\ "q"' 2>/dev/null"""
    )
    done = emit.bash(script, *options.split())
    assert done.returncode == 0, done.stderr
    assert (emit.cwd / "s1.pipestat.json").read_text() == (
        '{"pipestat_report": "1.0", "record_identifier": "s1", "results": {"reads": [1e5, true], '
        '"note": "* a & \\\\ \\"q\\""}, "texts": ["note"], "time": "2026-01-31T12:00:00Z"}\n'
    )


def test_an_error_ends_a_script_that_ends_on_errors(emit: Emitter) -> None:
    done = emit.bash("pipestat-emit s1 n:=oops; echo still here", "-Ceuo", "pipefail")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: result 'n': not JSON: 'oops' is no value; a string needs quotes\n"


def test_sourcing_changes_nothing_for_the_caller(emit: Emitter) -> None:
    done = emit.bash(
        "before=$(set; shopt); . pipestat-emit s1 a=1; code=$?; "
        'set -- $code; record=mine; . pipestat-emit s2 a=1 >/dev/null; echo "$1 $record $-"',
        "-Ceuo",
        "pipefail",
    )
    document, state = done.stdout.splitlines()
    assert '"record_identifier": "s1"' in document
    assert state.startswith("0 mine ")
    assert set("Ceu") <= set(state.split()[2])


def test_another_shell_is_told_to_use_bash(emit: Emitter) -> None:
    done = subprocess.run(
        ["/bin/sh", EMITTER, "s1", "a=1"], env=emit.environment(), capture_output=True, text=True
    )
    # Where sh is bash there is nothing to say.
    if done.returncode:
        assert done.stderr == "error: pipestat-emit needs bash; call it by its name, not with sh\n"
        assert (done.returncode, done.stdout) == (2, "")
    else:
        assert '"results": {"a": "1"}' in done.stdout
