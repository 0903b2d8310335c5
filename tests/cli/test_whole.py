"""The command line as a whole: help, wrong usage, plugins' commands, warnings, completion."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pipestat_spec
from pipestat_spec import hookimpl
from pipestat_spec.cli import dispatch, reference
from pipestat_spec.cli.dispatch import COMMANDS, build_parser
from pipestat_spec.installing import install_hint
from pipestat_spec.plugins.entry_points import EntryPoint
from pipestat_spec.plugins.loading import load_plugins
from tests.cli.runs import Run
from tests.repository import REPOSITORY


def test_version(run: Run) -> None:
    done = run("--version")
    assert pipestat_spec.__version__ in done.out
    assert f"(specification {pipestat_spec.SPEC_VERSION})" in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(run: Run, name: str) -> None:
    done = run(*name.split(), "--help")
    assert done.err == ""
    assert done.out.startswith(f"usage: pipestat-spec {name} ")
    assert "examples:\n  " in done.out
    # An example is a call of this command; the options that it uses exist.
    parser = build_parser(name)
    known = {string for action in parser.actions() for string in action.option_strings}
    for line in done.out.partition("examples:\n")[2].splitlines():
        assert f"pipestat-spec {name} " in f"{line} "
        options = [word for word in line.split() if word.startswith("-") and word != "-"]
        assert set(options) <= known


def test_help_tells_of_environment_variables(run: Run) -> None:
    out = " ".join(run("report", "--help").out.split())
    for name in (
        "CONFIG",
        "RESULTS_FILE",
        "RESULTS_SCHEMA",
        "STATUS_SCHEMA",
        "RECORD_IDENTIFIER",
        "PROJECT_NAME",
        "PIPELINE_TYPE",
        "PIPELINE_NAME",
    ):
        assert f"PIPESTAT_{name}" in out


def test_the_overview_names_every_command(run: Run) -> None:
    out = run("--help").out
    for name, command in COMMANDS.items():
        assert f"  {name} " in out
        assert command.help in out
    assert "status clear" in run("status", "--help").out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "no command is given"),
        (["reprot"], "did you mean 'report'?"),
        (["--verison"], "unknown option --verison"),
        (["zzz"], "'pipestat-spec --help'"),
        (["report", "--reslts-file", "x"], "--reslts-file"),
        (["select", "--limit", "many"], "--limit"),
        (["select", "--format", "xml"], "xml"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], part: str) -> None:
    done = run(*arguments, code=2)
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert part in done.err


def test_debug_shows_the_traceback(run: Run, folder: Path, capsys: Any) -> None:
    arguments = ["report", "-f", "missing/../r.yaml", "-r", "", "a=1"]
    assert "Traceback" not in run(*arguments, code=1).err
    for debugged in (["--debug", *arguments], [*arguments, "--debug"]):
        from pipestat_spec.cli import main

        assert main(debugged) == 1
        err = capsys.readouterr().err
        assert "Traceback" in err
        assert "InvalidIdentifierError" in err


def test_an_unforeseen_failure_is_one_line(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("first line\nsecond line")

    run("report", "-r", "s1", "reads=1")
    monkeypatch.setattr("pipestat_spec.store.Store.select", fail)
    done = run("select", code=1)
    assert done.err == (
        "error: unexpected RuntimeError: first line second line (--debug shows where)\n"
    )


def test_interruption(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipestat_spec.cli import main

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run("report", "-r", "s1", "reads=1")
    monkeypatch.setattr("pipestat_spec.store.Store.select", interrupt)
    assert main(["select"]) == 130


# Plugins


class Plugin(ModuleType):
    """A plugin module that exists in this process only."""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Load one plugin in place of those that are installed, beside the built-in ones."""
    module = Plugin("acme")
    point = EntryPoint("acme", "acme_plugin", "acme_distribution")
    built_in = [
        EntryPoint("memory", "pipestat_spec.memory", "pipestat_spec"),
        EntryPoint("yaml", "pipestat_yaml.plugin", "pipestat_spec"),
    ]
    monkeypatch.setitem(__import__("sys").modules, "acme_plugin", module)
    found: list[Any] = []

    def plugins() -> Any:
        if not found:
            found.append(load_plugins([*built_in, point]))
        return found[0]

    for place in ("plugins.loading", "plugins.observers", "opening"):
        monkeypatch.setattr(f"pipestat_spec.{place}.plugins", plugins)
    return module


def test_a_plugin_adds_a_command(run: Run, plugin: Plugin) -> None:
    def configure(parser: Any) -> None:
        parser.add_argument("--times", type=int, default=1)
        parser.set_defaults(run=lambda args: print("hello " * args.times) or 0)

    @hookimpl
    def register_commands(add: Any) -> None:
        add("hello", "say hello", configure)
        add("report", "take the place of report", configure)

    plugin.register_commands = register_commands  # type: ignore[attr-defined]
    assert run("hello", "--times", "2").out == "hello hello \n"
    done = run("--help")
    assert "  hello  " in done.out
    assert done.err == "warning: plugin 'acme': there is a command 'report' already\n"
    assert "hello" in run("completion", "bash").out
    assert "did you mean 'hello'?" in run("helo", code=2).err
    listed = json.loads(run("plugins", "--format", "json").out)["records"]
    assert [p for p in listed if p["plugin"] == "acme"] == [
        {
            "plugin": "acme",
            "distribution": "acme_distribution",
            "backends": [],
            "exporters": [],
            "commands": ["hello"],
            "observes": [],
            "error": None,
        }
    ]


def test_a_plugin_whose_commands_fail_disturbs_nobody(run: Run, plugin: Plugin) -> None:
    @hookimpl
    def register_commands(add: Any) -> None:
        raise RuntimeError("broken")

    plugin.register_commands = register_commands  # type: ignore[attr-defined]
    done = run("--help")
    assert done.err == "warning: plugin 'acme' adds no commands: RuntimeError: broken\n"
    assert "  report  " in done.out


def test_a_command_that_is_shipped_apart_names_its_distribution(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipestat_spec.cli.dispatch.plugin_commands", list)
    assert install_hint("pipestat-conformance") in run("conformance", "run", code=2).err


def test_warnings_of_any_library_are_lines(run: Run, store: Path, plugin: Plugin) -> None:
    @hookimpl
    def result_reported(event: Any) -> None:
        logging.getLogger("other.library").warning("slow\nserver")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old setting", stacklevel=1)
        raise RuntimeError("observer broken")

    plugin.result_reported = result_reported  # type: ignore[attr-defined]
    done = run("report", "-r", "s1", "reads=1")
    assert done.err.splitlines() == [
        "warning: slow server",
        "warning: old setting",
        "warning: an observer plugin failed: RuntimeError: observer broken",
        "s1: reported reads",
    ]
    assert "result_reported" in run("plugins").out


def test_the_list_of_plugins(run: Run, plugin: Plugin) -> None:
    @hookimpl
    def register_comands(add: Any) -> None:
        pass

    plugin.register_comands = register_comands  # type: ignore[attr-defined]
    lines = run("plugins").out.splitlines()
    assert lines[0].split() == ["plugin", "distribution", "backends", "error"]
    assert lines[2].split() == ["memory", "pipestat_spec", "memory"]
    assert "'register_comands' is not a hook" in lines[4]
    csv = run("plugins", "--format", "csv").out
    assert csv.splitlines()[0] == ("plugin,distribution,backends,exporters,commands,observes,error")


# Completion


def complete(script: Path, line: str) -> list[str]:
    """Return what bash would offer at the end of a line."""
    words = line.split(" ")
    test = (
        f"source {script}\n"
        f"COMP_WORDS=({' '.join(repr(word) for word in words)})\n"
        f"COMP_CWORD={len(words) - 1}\n"
        '_pipestat_spec\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", test],
        capture_output=True,
        text=True,
        check=True,
        cwd=script.parent,
    )
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_completion_in_bash(run: Run, folder: Path) -> None:
    script = folder / "completion.sh"
    script.write_text(run("completion", "bash").out)
    (folder / "a results.yaml").touch()
    assert complete(script, "pipestat-spec re") == ["report", "retrieve", "remove"]
    assert complete(script, "pipestat-spec status ") == ["set", "get", "clear", "list"]
    assert complete(script, "pipestat-spec status set --mes") == ["--message"]
    assert complete(script, "pipestat-spec select --format ") == [
        "table",
        "json",
        "yaml",
        "csv",
        "tsv",
        "markdown",
        "jsonl",
        "parquet",
        "xlsx",
    ]
    assert complete(script, "pipestat-spec report -p p") == ["project"]
    assert "--results-file" in complete(script, "pipestat-spec report -")
    assert complete(script, "pipestat-spec report -f a") == ["a results.yaml"]
    assert set(complete(script, "pipestat-spec completion ")) >= {"bash", "zsh", "fish"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_names_of_a_store_are_completed(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = store.parent / "completion.sh"
    script.write_text(run("completion", "bash").out)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    odd = "s 1 $(touch ran)"
    for record in (odd, "s2", "t1"):
        run("report", "-r", record, "reads=1")
    assert complete(script, "pipestat-spec retrieve -r ") == [odd, "s2", "t1"]
    assert complete(script, "pipestat-spec retrieve -r s") == [odd, "s2"]
    assert complete(script, "pipestat-spec select --columns reads,GC") == ["reads,GC content"]
    assert complete(script, "pipestat-spec history -i re") == ["reads"]
    assert complete(script, "pipestat-spec history pr") == ["prune"]
    assert complete(script, "pipestat-spec history --outp") == ["--output"]
    assert complete(script, "pipestat-spec history prune --ke") == ["--keep"]
    assert complete(script, "pipestat-spec select --status fa") == ["failed"]
    assert complete(script, "pipestat-spec status set w") == ["waiting"]
    assert complete(script, "pipestat-spec select --verdict ") == [
        "fail",
        "warn",
        "pass",
        "not judged",
    ]
    assert complete(script, "pipestat-spec status list --verdict no") == ["not judged"]
    assert "--message" in complete(script, "pipestat-spec status set --m")
    run("report", "-f", "other.yaml", "-r", "z", "own:=1", "-s", "schema.yaml")
    assert complete(script, "pipestat-spec retrieve -f other.yaml -r ") == ["z"]
    assert complete(script, "pipestat-spec retrieve -c nothing.yaml -r ") == []
    assert not (store.parent / "ran").exists()


def test_help_of_a_command(run: Run, folder: Path) -> None:
    for words in (["select"], ["status", "set"], ["status"]):
        assert run("help", *words).out == run(*words, "--help").out
    assert run("help").out == run("--help").out
    assert "did you mean 'select'?" in run("help", "selct", code=2).err


def test_what_was_probably_meant(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1")
    assert "there is no option --wher; did you mean '--where'?" in (
        run("select", "--wher", "reads > 1", code=2).err
    )
    assert "did you mean 'failed'?" in run("select", "--status", "faild", code=1).err


def test_doctor(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1")
    answer = json.loads(run("doctor", "--format", "json").out)
    found = {entry["what"]: entry for entry in answer["records"]}
    assert found["locks"]["state"] == "ok"
    assert found["store"]["detail"] == f"{store}: records: 1 at sample level, 0 at project level"
    assert found["plugin yaml"]["state"] == "ok"
    assert "extra report" in found
    assert "there yet" in run("doctor", "-f", "new/r.yaml").out
    done = run("doctor", "-f", "postgresql://nobody@127.0.0.1:1/none", code=1)
    assert done.err == f"error: 1 of {len(found) - 1} findings failed\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_in_other_shells(run: Run, folder: Path, shell: str) -> None:
    script = folder / f"completion.{shell}"
    script.write_text(run("completion", shell).out)
    for name in COMMANDS:
        assert name.split()[0] in script.read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True)


# The reference page


def test_the_reference_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().err


def test_the_reference_page_has_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = reference.reference()
    assert text == (REPOSITORY / "docs" / "cli.md").read_text("utf-8")
    for name in dispatch.COMMANDS:
        assert f"\n## {name}\n" in text
        for action in build_parser(name).actions():
            for string in action.option_strings:
                assert f"`{string}`" in text or string in ("-h", "--help")
    assert os.environ["COLUMNS"] == "40"
