"""Files before and after: foreign parsers read them, and what differs is told."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.interchange.independent_yaml import (
    YamlProblem,
    read_both,
    written_as_asked,
)
from pipestat_conformance.stores import template
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.target import Target
from pipestat_conformance.verdicts import Verdict

from tests.conformance.conftest import tiny, vector

InProcess = Callable[[Target], Executor]
GOLDEN = "ns:\n  s1:\n    n: 1\n"
FLAGS = {
    "id": "sample.flags",
    "requirements": ["PS-YAML-036"],
    "files": {"results.yaml": GOLDEN, "ns_s1_running.flag": "running"},
    "steps": [
        {"op": "get_status", "args": {"record": "s1"}, "expect": {"result": "running"}},
        {"op": "set_status", "args": {"record": "s1", "status": "completed"}},
    ],
    "after": {
        "files": {
            "results.yaml": {"$yaml": {"ns": {"s1": {"n": 1, "meta": {"$any": True}}}}},
            "ns_s1_completed.flag": {"$text": "completed"},
            "ns_s1_running.flag": {"$absent": True},
        },
        "only": ["results.yaml", ".results.yaml.lock", ".results.yaml.status/*", "*.flag"],
    },
}


def changed(**changes: Any) -> Any:
    return vector({**FLAGS, **changes})


def after(**files: Any) -> Any:
    return {"files": {name.replace("__", "."): expected for name, expected in files.items()}}


def test_yaml_passes_through_both_drivers(
    in_process: InProcess, out_of_process: Callable[[list[str]], Executor]
) -> None:
    result = in_process(find_target("yaml")).run(vector(FLAGS))
    assert result.verdict is Verdict.PASS, result.problem
    program = [sys.executable, "-m", "pipestat_conformance.serve", "--backend", "yaml"]
    result = out_of_process(program).run(vector(FLAGS))
    assert result.verdict is Verdict.PASS, result.problem


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            after(results__yaml={"$yaml": {"ns": {"s1": {"n": 1.0, "meta": {"$any": True}}}}}),
            "expected number 1.0",
        ),
        (after(results__yaml={"$yaml": {"ns": {}}}), "unexpected key 's1'"),
        (after(missing__yaml={"$yaml": {}}), "missing.yaml is missing; in the folder"),
        (after(results__yaml={"$absent": True}), "was to be absent"),
        (after(ns_s1_completed__flag={"$text": "completed\n"}), "holds b'completed'"),
        (after(results__yaml={"$mode": "600"}), "has the mode"),
        (after(results__yaml={"$symlink": "x"}), "symbolic link"),
        ({"only": ["results.yaml"]}, "was left in the folder"),
        ({"bytes_unchanged": ["ns_s1_running.flag"]}, "was to keep its bytes"),
    ],
)
def test_a_folder_that_is_other_than_it_has_to_be(
    in_process: InProcess, expected: Any, said: str
) -> None:
    result = in_process(find_target("yaml")).run(changed(after=expected))
    assert result.verdict is Verdict.FAIL
    assert result.problem is not None
    assert said in result.problem.message


def test_kinds_of_files(in_process: InProcess) -> None:
    failed = base64.b64encode(b"failed").decode()
    files = {
        "real/results.yaml": {"text": GOLDEN, "mode": "640"},
        "results.yaml": {"symlink": "real/results.yaml"},
        "flags/ns_s1_running.flag": {"text": "running", "mtime": 1700000000},
        "flags/ns_s1_failed.flag": {
            "base64": failed,
            "mtime": 1800000000,
        },
    }
    status = {"op": "get_status", "args": {"record": "s1"}, "expect": {"result": "failed"}}
    change = {"op": "report", "args": {"record": "s1", "values": {"m": 2}}}
    expected = after(
        results__yaml={"$symlink": "real/results.yaml"},
        **{
            "real/results__yaml": {"$mode": "640", "$yaml": {"ns": {"s1": {"$includes": {"m": 2}}}}}
        },
    )
    result = in_process(find_target("yaml")).run(
        changed(
            files=files,
            settings={"namespace": "ns", "flag_file_dir": "flags"},
            steps=[status, change],
            after=expected,
        )
    )
    assert result.verdict is Verdict.PASS, result.problem


def test_another_program_may_change_files_in_between(in_process: InProcess) -> None:
    value = {"op": "value", "args": {"record": "s1", "result": "n"}}
    steps = [
        {**value, "expect": {"result": 1}},
        {
            "op": "put_file",
            "args": {"name": "results.yaml", "file": GOLDEN.replace("n: 1", "n: 7")},
        },
        {**value, "expect": {"result": 7}},
        {"op": "remove_file", "args": {"name": "results.yaml"}},
        {**value, "expect": {"error": "not-found"}},
    ]
    result = in_process(find_target("yaml")).run(changed(steps=steps, after={}))
    assert result.verdict is Verdict.PASS, result.problem


def test_a_folder_of_flags_is_below_the_store(in_process: InProcess) -> None:
    steps = [{"op": "set_status", "args": {"record": "s1", "status": "failed"}}]
    expected = {"files": {"flags/ns_s1_failed.flag": {"$text": "failed"}}}
    settings = {"namespace": "ns", "flag_file_dir": "flags"}
    result = in_process(find_target("yaml")).run(
        changed(steps=steps, settings=settings, after=expected)
    )
    assert result.verdict is Verdict.PASS, result.problem


def test_local_times_are_those_of_the_vector(
    in_process: InProcess, out_of_process: Callable[[list[str]], Executor]
) -> None:
    old = {"pipestat_created_time": "2026-01-31 13:00:00"}
    document = {
        "id": "sample.zone",
        "requirements": ["PS-YAML-013"],
        "files": {"results.yaml": ""},
        "timezone": "Etc/GMT-5",
        "steps": [
            {
                "op": "put_file",
                "args": {
                    "name": "results.yaml",
                    "file": f"ns:\n  sample:\n    s1: {{n: 1, meta: {old}}}\n",
                },
            },
            {
                "op": "describe",
                "args": {"record": "s1"},
                "expect": {"result": {"$includes": {"created": "2026-01-31T08:00:00.000000Z"}}},
            },
        ],
    }
    program = [sys.executable, "-m", "pipestat_conformance.serve", "--backend", "yaml"]
    for executor in (in_process(find_target("yaml")), out_of_process(program)):
        result = executor.run(vector(document))
        assert result.verdict is Verdict.PASS, result.problem


def test_a_store_without_a_path_is_no_verdict(tmp_path: Path) -> None:
    driver = InProcessDriver(find_target("memory"), {"snapshot": str(tmp_path / "probe")})
    executor = Executor(driver, template({"snapshot": "{tmp}/m"}), tmp_path)
    assert executor.run(vector(FLAGS)).verdict is Verdict.ERROR


def test_a_target_that_writes_no_yaml_fails(
    out_of_process: Callable[[list[str]], Executor],
) -> None:
    report = {"op": "report", "args": {"record": "s1", "values": {"n": 1}}}
    yaml = after(results__yaml={"$yaml": {"ns": {"s1": {"n": 1, "meta": {"$any": True}}}}})
    result = out_of_process(tiny()).run(changed(files={}, steps=[report], after=yaml))
    assert result.verdict is Verdict.FAIL


# The rules for writing


@pytest.mark.parametrize(
    "text",
    [
        'a: "12:30"\nb: plain text\nc: 1\nd: -0.0\ne: 1.0e+22\nf: [null, true, "no"]\n"1": {}\n',
        'a: "x\\u2028y\\n\\t\\"\\\\"\nb: "é😀"\n',
        "# comment\nns:\n  s1: {}\n",
    ],
)
def test_text_that_is_written_as_asked(text: str) -> None:
    written_as_asked(text.encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: no", "'no' is written plain"),
        ("a: 12:30", "written plain"),
        ("a: 1e3", "written plain"),
        ("a: 2024-01-01", "written plain"),
        ("E5: 1", "written plain"),
        ("a: ~", "written plain"),
        ("a: True", "written plain"),
        ("a: 1.", "written plain"),
        ("a: 1e22", "written plain"),
        ("a: 01", "written plain"),
        ("a: 'x'", "neither plain nor"),
        ("a: |\n  x", "neither plain nor"),
        ('a: "\\x41"', "to be written"),
        ('a: "\u2028"', "to be written"),
        ('a: "x\n  y"', "to be written"),
        ("a: &x 1\nb: *x", "anchor"),
        ("a: !!str x", "tag"),
        ("%YAML 1.2\n---\na: b", "directive"),
        ("a: b\n---\nc: d", "more than one document"),
        ("\ufeffa: b", "byte order mark"),
    ],
)
def test_text_that_is_not(text: str, said: str) -> None:
    with pytest.raises(YamlProblem, match=said):
        written_as_asked(text.encode())


def test_both_parsers_are_asked() -> None:
    read = dict(read_both(b"a: 012\nb: no\n"))
    assert [document["b"] for document in read.values()] == [False, "no"]
    assert [document["a"] for document in read.values()] == [10, 12]
    with pytest.raises(YamlProblem, match=r"ruamel\.yaml cannot read it"):
        list(read_both(b"a: 1\na: 2\n"))
