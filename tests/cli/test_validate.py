"""`validate`: every problem is named on a line of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runs import Run


def test_a_schema_alone(run: Run, folder: Path) -> None:
    done = run("validate", "-s", "schema.yaml")
    assert done == (0, "", f"valid: {folder / 'schema.yaml'}\n")
    assert run("validate", "-q", "-s", "schema.yaml") == (0, "", "")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("reads: {type: integr}", "reads"),
        ("reads: {type: integer}\nstatus: 3", "status"),
        ("samples:\n  reads: {type: string, minLength: x}", "minLength"),
        ("samples:\n  plot: {$ref: '#/$defs/none'}", "none"),
        ("meta: {type: integer}", "'meta' cannot name a result"),
        ("a: [", "line"),
        ("reads: {type: integer, atol: -1}", "reads.atol"),
        ("o: {type: object, properties: {k: {type: number, better: hihger}}}", "write higher"),
    ],
)
def test_a_wrong_schema(run: Run, folder: Path, text: str, part: str) -> None:
    (folder / "wrong.yaml").write_text(text)
    done = run("validate", "-s", "wrong.yaml", code=1)
    (line,) = done.out.splitlines()
    assert line.startswith(str(folder / "wrong.yaml"))
    assert part in line
    assert done.err == "error: 1 problem\n"


def test_a_missing_schema(run: Run, folder: Path) -> None:
    assert "did you mean schema.yaml?" in run("validate", "-s", "schemas.yaml", code=1).out


def test_two_wrong_schemas(run: Run, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("reads: {type: integr}")
    (folder / "statuses.yaml").write_text("done: {description: done, color: [0, 0, 256]}")
    done = run("validate", "-s", "wrong.yaml", "--status-schema", "statuses.yaml", code=1)
    assert len(done.out.splitlines()) == 2
    assert "done.color" in done.out


def test_a_wrong_configuration(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text("result_file_path: r.yaml\n")
    done = run("validate", "-c", "c.yaml", code=1)
    assert "did you mean 'results_file_path'" in done.out


def test_stored_records(run: Run, store: Path) -> None:
    store.write_text(
        "rnaseq:\n"
        "  sample:\n"
        "    s1: {reads: twelve, rate: 0.5, plot: {path: p.png}, other: 1}\n"
        "    s2: {reads: 12, other: 2}\n"
        "  project:\n"
        "    project: {total: many}\n"
    )
    done = run("validate", code=1)
    lines = done.out.splitlines()
    assert [line.rpartition(": result")[0] or line for line in lines] == [
        "sample 's1'",
        "sample 's1'",
        "project 'project'",
    ]
    assert "'reads'" in lines[0]
    assert "title" in lines[1]
    assert "'total'" in lines[2]
    assert done.err.splitlines() == [
        "warning: result 'other' is not in the output schema at sample level",
        "error: 3 problems",
    ]
    found = json.loads(run("validate", "--format", "json", code=1).out)["records"]
    assert [(p["level"], p["record"], p["result"]) for p in found] == [
        ("sample", "s1", "reads"),
        ("sample", "s1", "plot"),
        ("project", "project", "total"),
    ]
    only = run("validate", "-p", "project", code=1)
    assert len(only.out.splitlines()) == 1


def test_required_results_and_statuses(run: Run, folder: Path) -> None:
    (folder / "required.yaml").write_text(
        "properties:\n"
        "  pipeline_name: p\n"
        "  samples:\n"
        "    type: object\n"
        "    required: [reads, name]\n"
        "    properties: {reads: {type: integer}, name: {type: string}}\n"
    )
    common = ["-f", "r.yaml", "-s", "required.yaml"]
    run("report", *common, "-r", "s1", "reads=1", "--status", "failed")
    run("report", *common, "-r", "s2", "reads=1", "name=x")
    assert run("validate", *common, code=1).out == (
        "sample 's1': the required result 'name' is missing\n"
    )
    run("report", *common, "-r", "s1", "name=y")
    assert "2 records of 'p'" in run("validate", *common).err


def test_a_broken_file_is_one_problem(run: Run, store: Path) -> None:
    store.write_text("rnaseq: [\n")
    done = run("validate", code=1)
    assert len(done.out.splitlines()) == 1


# Every problem at once


def problems(run: Run, *arguments: str) -> list[str]:
    """Return the lines that a refusal prints, each one once."""
    done = run("validate", *arguments, code=1)
    lines = done.out.splitlines()
    assert len(set(lines)) == len(lines)
    assert done.err.splitlines()[-1] == f"error: {len(lines)} problem" + "s" * (len(lines) > 1)
    return lines


WRONG_SCHEMA = """
properties:
  pipeline_name: ""
  sampels: {type: object, properties: {x: {type: integer}}}
  samples:
    type: object
    required: reads
    properties:
      reads: {type: integr}
      meta: {type: strng}
      name: {description: nothing}
      deep:
        type: object
        properties:
          one: {type: text}
          two: {type: array, items: {type: ["string", "nothing"]}}
          three: [1]
      rate: {$ref: "#/$defs/shared"}
      other: {$ref: "#/$defs/shared"}
      lost: {$ref: "#/$defs/lost"}
      text: {type: string, minLength: x, pattern: "("}
      fine: {type: integer}
  status:
    done: {description: 3, color: [0, 0]}
    "a b": {description: x, color: [0, 0, 0]}
$defs:
  shared: {type: object, properties: {deeper: {type: flaot}}}
"""


def test_every_problem_of_an_output_schema(run: Run, folder: Path) -> None:
    path = folder / "wrong.yaml"
    path.write_text(WRONG_SCHEMA)
    lines = problems(run, "-s", "wrong.yaml")
    assert all(line.startswith(f"{path}: ") for line in lines)
    results = "properties.samples.properties"
    assert sorted(line.removeprefix(f"{path}: ").partition(": ")[0] for line in lines) == sorted(
        [
            "properties.pipeline_name",
            "properties.sampels",
            "properties.samples.required",
            f"{results}.reads.type",
            f"{results}.meta",
            f"{results}.meta.type",
            f"{results}.name",
            f"{results}.deep.properties.one.type",
            f"{results}.deep.properties.two.items.type",
            f"{results}.deep.properties.three",
            "$defs.shared.properties.deeper.type",
            f"{results}.lost.$ref",
            f"{results}.text.minLength",
            f"{results}.text.pattern",
            "properties.status",
            "properties.status",
            "properties.status",
        ]
    )
    answer = json.loads(run("validate", "-s", "wrong.yaml", "--format", "json", code=1).out)
    found = answer["records"]
    assert {p["result"] for p in found if "minLength" in p["problem"]} == {"text"}
    # Whoever uses the file meets the first of them.
    used = run("report", "-f", "r.yaml", "-s", "wrong.yaml", "-r", "s1", "fine=1", code=1)
    assert used.err.removeprefix("error: ").rstrip() in lines


def test_every_problem_of_a_status_schema(run: Run, folder: Path) -> None:
    path = folder / "statuses.yaml"
    path.write_text(
        "done: {description: 3, color: [0, 0, 256]}\n"
        "a/b: {description: x, color: [0, 0, 0]}\n"
        "late: {description: x, color: [0, 0, 0]}\n"
        "too_late: {description: x}\n"
        "odd: [1]\n"
    )
    lines = problems(run, "--status-schema", "statuses.yaml")
    assert [line.removeprefix(f"{path}: ")[:24] for line in lines] == [
        "done.description: missin",
        "done.color: [0, 0, 256] ",
        "'a/b' cannot be a status",
        "too_late.color: None is ",
        "odd: a status is a mappi",
    ]


def test_two_statuses_that_look_alike(run: Run, folder: Path) -> None:
    entry = "{description: x, color: [0, 0, 0]}"
    (folder / "statuses.yaml").write_text(
        f"done: {entry}\nwell_done: {entry}\nhalf_done: {entry}\n"
    )
    lines = problems(run, "--status-schema", "statuses.yaml")
    assert ["'well_done' ends in" in lines[0], "'half_done' ends in" in lines[1]] == [True, True]


def test_every_problem_of_a_configuration_and_of_what_it_names(run: Run, folder: Path) -> None:
    path = folder / "c.yaml"
    path.write_text(
        "schema_path: wrong.yaml\n"
        "status_schema_path: statuses.yaml\n"
        "result_file_path: r.yaml\n"
        "layout: rows\n"
        "multi_pipelines: perhaps\n"
        "database: {user: '${NO_USER}', password: '${NO_PASSWORD}'}\n"
        "storage_options: hunter2\n"
    )
    (folder / "wrong.yaml").write_text("reads: {type: integr}\nrate: {type: numbr}\n")
    (folder / "statuses.yaml").write_text("done: {description: 3, color: [0, 0, 0]}\n")
    lines = problems(run, "-c", "c.yaml")
    assert [line.partition(": ")[0] for line in lines] == [
        *[str(path)] * 6,
        *[str(folder / "wrong.yaml")] * 2,
        str(folder / "statuses.yaml"),
    ]
    for line, part in zip(
        lines,
        [
            "'result_file_path'; did you mean 'results_file_path'?",
            "layout: 'rows'",
            "multi_pipelines: 'perhaps'",
            "database.user: the environment variable NO_USER is not set",
            "database.password: the environment variable NO_PASSWORD is not set",
            "storage_options: ",
            "reads.type",
            "rate.type",
            "done.description",
        ],
        strict=True,
    ):
        assert part in line
    assert "hunter2" not in "".join(lines)


def test_every_problem_of_a_backends_section(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text(
        "pephub_path: a/b:c\npephub: {tokne: hunter2, retries: many, timeout: 0}\n"
    )
    path = folder / "c.yaml"
    assert problems(run, "-c", "c.yaml") == [
        f"{path}: pephub.timeout: the value is not greater than 0.0",
        f"{path}: pephub.retries: the value is not an integer",
        f"{path}: unknown key 'pephub.tokne'; did you mean 'token'?",
    ]


# Report documents


def test_documents_alone(run: Run, folder: Path) -> None:
    document = {"pipestat_report": "1.0", "record_identifier": "s1", "results": {"reads": "x"}}
    (folder / "a.pipestat.json").write_text(json.dumps(document))
    assert run("validate", "a.pipestat.json").err == "valid: 1 report document\n"
    line = "a.pipestat.json: result 'reads': "
    assert problems(run, "-s", "schema.yaml", "a.pipestat.json")[0].startswith(line)
    assert problems(run, "nothing.pipestat.json") == [
        "nothing.pipestat.json: cannot be read: there is no such file"
    ]


def test_every_problem_of_documents(run: Run, store: Path, folder: Path) -> None:
    store.write_text("rnaseq: [\n")  # not looked at
    one: dict[str, Any] = {
        "pipestat_report": "2.0",
        "record_identifier": "",
        "results": {"meta": 1, "id": 2, "reads": 1},
        "sorce": {},
    }
    two: dict[str, Any] = {
        "pipestat_report": "1.0",
        "record_identifier": "s1",
        "namespace": "atacseq",
        "results": {"reads": "many", "rate": "high", "name": "x", "extra": 1},
        "status": "done",
    }
    fine = {"pipestat_report": "1.0", "record_identifier": "s2", "results": {"reads": 1}}
    (folder / "out").mkdir()
    (folder / "out" / "a.pipestat.jsonl").write_text("\n".join(map(json.dumps, (one, two, fine))))
    (folder / "out" / "b.pipestat.json").write_text("{")
    lines = problems(run, "out")
    assert [line.partition(": ")[0] for line in lines] == [
        *["out/a.pipestat.jsonl"] * 5,
        "out/b.pipestat.json",
        *["out/a.pipestat.jsonl"] * 4,
    ]
    for line, part in zip(
        lines,
        [
            "line 1: pipestat_report: version '2.0'",
            "line 1: record_identifier: ",
            "line 1: results: 'meta' cannot name a result",
            "line 1: results: 'id' cannot name a result",
            "line 1: unknown key 'sorce'; did you mean 'source'?",
            "not JSON",
            "line 2: namespace: 'atacseq' is not 'rnaseq'",
            "line 2: status 'done' is not defined",
            "line 2: result 'reads'",
            "line 2: result 'rate'",
        ],
        strict=True,
    ):
        assert part in line
    done = run("validate", "out", code=1)
    assert "warning: result 'extra' is not in the output schema at sample level\n" in done.err


def test_a_wrong_schema_comes_before_the_values_of_documents(run: Run, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("reads: {type: integr}")
    document = {"pipestat_report": "1.0", "record_identifier": "s1", "results": {"reads": "x"}}
    (folder / "a.pipestat.json").write_text(json.dumps([document, {}]))
    lines = problems(run, "-s", "wrong.yaml", "a.pipestat.json")
    assert lines[0].startswith(str(folder / "wrong.yaml"))
    assert all(line.startswith("a.pipestat.json: document 2: ") for line in lines[1:])
    assert len(lines) == 3
