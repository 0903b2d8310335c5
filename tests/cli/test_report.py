"""`report`: what is given, what is stored, what is refused."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.runs import Run, stored


def given(store: Path, value: Any, name: str) -> None:
    found = stored(store)[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("reads", "12", 12),
        ("reads", "-12", -12),
        ("reads", "9223372036854775807", 2**63 - 1),
        ("rate", "12", 12.0),
        ("rate", "-1e-3", -0.001),
        ("ok", "false", False),
        ("tags", "[1,2]", [1, 2]),
        ("tags", "[]", []),
        ("name", "12", "12"),
        ("name", "", ""),
        ("name", "-x", "-x"),
        ("name", "--", "--"),
        ("name", "a=b", "a=b"),
        ("note", "null", None),
        ("align", '{"rate": 0.5}', {"rate": 0.5}),
        ("GC content", "41.5", 41.5),
        ("not declared", "12", "12"),
    ],
)
@pytest.mark.parametrize("form", ["options", "pair", "long"])
def test_text_takes_the_declared_type(
    run: Run, store: Path, name: str, text: str, value: Any, form: str
) -> None:
    forms = {
        "options": ["-i", name, "-v", text],
        "pair": [f"{name}={text}"],
        "long": [f"--result-identifier={name}", f"--value={text}"],
    }
    done = run("report", "-r", "s1", *forms[form])
    assert done.out == ""
    given(store, value, name)


@pytest.mark.parametrize(
    ("name", "text", "type_"),
    [
        ("reads", "twelve", "integer"),
        ("reads", "9223372036854775808", "integer"),
        ("rate", "NaN", "number"),
        ("ok", "1", "boolean"),
        ("tags", "{}", "array"),
        ("align", '{"a": 1, "a": 2', "object"),
        ("align", '{"a": 1, "a": 2}', "'a' stands twice"),
    ],
)
def test_text_that_does_not_fit_is_refused(
    run: Run, store: Path, name: str, text: str, type_: str
) -> None:
    done = run("report", "-r", "s1", "name=x", "-i", name, "-v", text, code=1)
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    for part in (repr(name), text, type_):
        assert part in done.err
    assert not store.exists()


def test_without_a_schema_text_is_text_and_json_is_json(run: Run, folder: Path) -> None:
    run("report", "-f", "r.yaml", "-r", "s1", "a=1", "b:=1", "c:=[1, null]", "d:=true", "e=@x")
    assert stored(folder / "r.yaml") == {"a": "1", "b": 1, "c": [1, None], "d": True, "e": "@x"}


def test_a_colon_counts_only_before_the_first_equals_sign(run: Run, folder: Path) -> None:
    run("report", "-f", "r.yaml", "-r", "s1", "a=b:=1", "c:d=2", "two words=3")
    assert stored(folder / "r.yaml") == {"a": "b:=1", "c:d": "2", "two words": "3"}


def test_json_comes_from_a_file(run: Run, folder: Path) -> None:
    (folder / "v.json").write_text('\ufeff{"é": [1, 2.0]}', encoding="utf-8")
    run("report", "-f", "r.yaml", "-r", "s1", "a:=@v.json")
    assert stored(folder / "r.yaml") == {"a": {"é": [1, 2.0]}}


@pytest.mark.parametrize("way", ["text", "file", "stdin"])
def test_many_results_as_json(
    run: Run, store: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '{"reads": 12, "name": "x", "plot": {"path": "p.png", "title": "t"}}'
    argument = {"text": text, "file": "@many.json", "stdin": "-"}[way]
    (store.parent / "many.json").write_text(text)
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    run("report", "-r", "s1", "--json", argument, "ok=true")
    assert stored(store) == {**json.loads(text), "ok": True}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--json", "[1]"], "not an object"),
        (["--json", "{"], "is not JSON"),
        (["--json", '{"reads": 1, "reads": 2}'], "'reads' stands twice"),
        (["--json", '{"rate": NaN}'], "rate"),
        (["rate:=-Infinity"], "-Infinity is not a JSON number; write null"),
        (["--json", "@missing.json"], "missing.json: there is no such file"),
        (["x:=nope"], "result 'x'"),
        (["x:=@missing.json"], "missing.json"),
        (["x:=" + "[" * 200_000], "the depth is too great"),
        (["x:=" + "9" * 5000], "integer"),
        (['x:="\\ud800"'], "surrogate"),
        (['x:="\\u0000"'], "NUL"),
        (["meta=1"], "'meta' cannot name a result"),
    ],
)
def test_what_is_no_value_is_refused(
    run: Run, store: Path, arguments: list[str], problem: str
) -> None:
    done = run("report", "-r", "s1", "name=x", *arguments, code=1)
    assert len(done.err.splitlines()) == 1
    assert problem in done.err
    assert not store.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-i", "reads"],
        ["-v", "1"],
        ["-i", "reads", "-v", "1", "-i", "rate"],
        ["reads"],
        ["=1"],
        [":=1"],
        ["reads=1", "reads=2"],
        ["reads=1", "-i", "reads", "-v", "1"],
        ["reads=1", "--json", '{"reads": 1}'],
        ["reads=1", "-m", "text"],
        ["reads=1", "--no-such-option"],
        ["reads=1", "--source", "engine"],
        ["reads=1", "-p", "cohort"],
        ["reads=1", "-r"],
    ],
)
def test_wrong_usage(run: Run, store: Path, arguments: list[str]) -> None:
    done = run("report", "-r", "s1", *arguments, code=2)
    assert len(done.err.splitlines()) == 1
    assert "'pipestat-spec report --help'" in done.err
    assert not store.exists()


def test_options_and_results_mix(run: Run, store: Path) -> None:
    run("report", "reads=1", "-r", "s1", "name=x", "-o", "ok=true", "-i", "rate", "-v", "-5")
    assert stored(store) == {"reads": 1, "name": "x", "ok": True, "rate": -5.0}


def test_skip_convert_keeps_text_and_refuses_another_type(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "-t", "name=12")
    given(store, "12", "name")
    done = run("report", "-r", "s1", "-t", "reads=12", code=1)
    assert "'reads'" in done.err
    assert stored(store) == {"name": "12"}


def test_json_values_are_not_converted(run: Run, store: Path) -> None:
    done = run("report", "-r", "s1", 'reads:="12"', code=1)
    assert "reads" in done.err
    assert not store.exists()


def test_an_equal_value_changes_nothing(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1", "rate=1")
    before = store.read_bytes()
    done = run("report", "-r", "s1", "rate=1.0", "reads=1")
    assert done.err == "s1: nothing changed\n"
    assert store.read_bytes() == before


def test_a_different_value_needs_the_option(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1")
    before = store.read_bytes()
    done = run("report", "-r", "s1", "reads=2", "name=new", code=1)
    assert len(done.err.splitlines()) == 1
    assert "-o" in done.err
    assert store.read_bytes() == before
    done = run("report", "-r", "s1", "-o", "reads=2", "name=new")
    assert done.err == "s1: reported reads, name\n"
    assert stored(store) == {"reads": 2, "name": "new"}


def test_a_configuration_can_turn_overwriting_on(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text("results_file_path: r.yaml\nforce_overwrite: true\n")
    run("report", "-c", "c.yaml", "-r", "s1", "a:=1")
    run("report", "-c", "c.yaml", "-r", "s1", "a:=2")
    assert stored(folder / "r.yaml") == {"a": 2}


def test_status_and_source_go_along(run: Run, store: Path) -> None:
    arguments = ["--status", "failed", "-m", "no reads", "--source", "rule=align"]
    done = run("report", "-r", "s1", "reads=0", *arguments, "--source", "attempt=2")
    assert done.err == "s1: reported reads; status failed\n"
    meta = yaml.safe_load(store.read_text())["rnaseq"]["sample"]["s1"]["meta"]
    assert meta["source"] == {"rule": "align", "attempt": 2}
    assert meta["status_message"] == "no reads"
    assert (store.parent / "rnaseq_s1_failed.flag").read_text().strip() == "failed"


def test_status_alone_is_a_report(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "--status", "running")
    assert stored(store) == {}
    done = run("report", "-r", "s1", "reads=1", "--status", "done", code=1)
    assert "'done' is not defined" in done.err
    assert stored(store) == {}


def test_the_record_comes_from_the_environment(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("report", "reads=1", code=1)
    assert "no record is named; give -r" in done.err
    monkeypatch.setenv("PIPESTAT_RECORD_IDENTIFIER", "from_env")
    run("report", "reads=1")
    assert stored(store, "from_env") == {"reads": 1}
    run("report", "-p", "project", "total=3")
    assert stored(store, "project", "project") == {"total": 3}
    run("report", "-p", "project", "-n", "cohort", "total=4")
    assert stored(store, "cohort", "project") == {"total": 4}


def test_a_configured_project_record(run: Run, folder: Path) -> None:
    config = "results_file_path: r.yaml\nlayout: levels\npipeline_type: project\n"
    (folder / "c.yaml").write_text(config + "record_identifier: all\nproject_name: cohort\n")
    run("report", "-c", "c.yaml", "a:=1")
    assert stored(folder / "r.yaml", "all", "project") == {"a": 1}


def test_an_undeclared_result_is_stored_with_a_warning(run: Run, store: Path) -> None:
    done = run("report", "-r", "s1", "readz=12")
    first, second = done.err.splitlines()
    assert first == "warning: result 'readz' is not in the output schema; did you mean 'reads'?"
    assert second == "s1: reported readz"
    assert stored(store) == {"readz": "12"}


def test_a_closed_level_refuses_it(run: Run, folder: Path) -> None:
    (folder / "closed.yaml").write_text(
        "pipeline_name: p\nsamples:\n  reads: {type: integer}\n  additionalProperties: false\n"
    )
    common = ["report", "-f", "r.yaml", "-s", "closed.yaml", "-r", "s1"]
    done = run(*common, "readz=12", code=1)
    assert "'reads'" in done.err
    assert not (folder / "r.yaml").exists()


def test_without_validation_text_that_does_not_fit_stays_text(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text(
        "results_file_path: r.yaml\nschema_path: schema.yaml\nvalidate_results: false\n"
    )
    run("report", "-c", "c.yaml", "-r", "s1", "reads=12", "rate=high")
    assert stored(folder / "r.yaml") == {"reads": 12, "rate": "high"}


def test_quiet(run: Run, store: Path) -> None:
    assert run("report", "-q", "-r", "s1", "reads=1") == (0, "", "")


@pytest.mark.parametrize("record", ["-x", "a b", "../../evil", "é ü", "no", "=", "--format"])
def test_any_record_name(run: Run, store: Path, record: str) -> None:
    run("report", f"--record-identifier={record}", "reads=1", "--status", "running")
    assert stored(store, record) == {"reads": 1}
    assert run("status", "get", f"--record-identifier={record}").out == "running\n"


def test_a_record_name_may_begin_with_a_dash(run: Run, store: Path) -> None:
    run("report", "-r", "-x", "reads=1")
    assert stored(store, "-x") == {"reads": 1}


def test_after_two_dashes_come_results_only(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "--", "-x=1", "--y=2")
    assert stored(store) == {"-x": "1", "--y": "2"}
