"""`diff`: operands, gates, and what is printed in each format."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipestat_spec.differences.markdown import LONGEST
from pipestat_spec.documents.json_schemas import FOLDER, file_name
from tests.cli.runs import Run

OLD = """
pipeline_name: rnaseq
samples:
  reads: {type: integer, better: higher}
  rate: {type: number, atol: 0.01}
  name: {type: string}
"""
NEW = OLD.replace("name:", "label:").replace("pipeline_label", "pipeline_name")
BOTH = ["golden.yaml", "results.yaml", "-s", "old.yaml", "-s", "new.yaml"]


@pytest.fixture
def stores(run: Run, folder: Path) -> Path:
    """`golden.yaml` and `results.yaml`, with `old.yaml` and `new.yaml` as their schemas."""
    (folder / "old.yaml").write_text(OLD)
    (folder / "new.yaml").write_text(NEW)
    golden = ["-f", "golden.yaml", "-s", "old.yaml"]
    results = ["-f", "results.yaml", "-s", "new.yaml"]
    run("report", *golden, "-r", "s1", "reads=100", "rate=0.5", "name=a", "--status", "completed")
    run("report", *golden, "-r", "s2", "reads=100", "rate=0.5", "name=b", "--status", "completed")
    run("report", *golden, "-r", "s3", "reads=1")
    run("report", *results, "-r", "s1", "reads=90", "rate=0.505", "label=a", "--status", "failed")
    run("report", *results, "-r", "s2", "reads=110", "rate=0.6", "label=b", "--status", "completed")
    return folder


@pytest.mark.usefixtures("stores")
def test_the_text(run: Run) -> None:
    done = run("diff", *BOTH)
    words = [line.split() for line in done.out.splitlines()]
    assert words[0] == ["golden.yaml", "→", "results.yaml"]
    assert "2 records in both: 0 the same, 2 changed; 0 added, 1 removed; 2 worse" in done.out
    assert ["s1", "completed", "failed", "worse"] in words
    assert ["s3"] in words
    assert ["s1", "reads", "100", "90", "-10", "-10", "%", "worse"] in words
    assert ["s2", "rate", "0.5", "0.6", "+0.1", "+20", "%"] in words
    assert ["s2", "reads", "100", "110", "+10", "+10", "%", "better"] in words
    # Within its tolerance.
    assert not any(row[:2] == ["s1", "rate"] for row in words)
    assert ["removed", "name", "string"] in words
    assert ["added", "label", "string"] in words
    assert "probably now label: equal values" in done.out
    assert "probably once name: equal values" in done.out
    assert done.out.index("worse\n") < done.out.index("Numbers that changed")
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ([], 0),
        (["changed"], 3),
        (["worse"], 3),
        (["removed"], 3),
        (["worse,removed"], 3),
        (["removed", "worse"], 3),
    ],
)
def test_a_gate_is_asked_for(run: Run, conditions: list[str], code: int) -> None:
    options = [word for condition in conditions for word in ("--fail-on", condition)]
    plain = run("diff", *BOTH).out
    from pipestat_spec.cli import main

    assert main(["diff", *BOTH, *options]) == code
    assert main(["diff", "golden.yaml", "golden.yaml", *options]) == 0
    assert plain


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("conditions", "code"), [("worse", 0), ("removed", 0), ("worse,removed", 0), ("changed", 3)]
)
def test_a_gate_that_does_not_hold(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], conditions: str, code: int
) -> None:
    from pipestat_spec.cli import main

    run("report", "-f", "more.yaml", "--pipeline-name", "rnaseq", "-r", "s1", "a=1")
    run("report", "-f", "less.yaml", "--pipeline-name", "rnaseq", "-r", "s1", "a=1", "b=1")
    assert main(["diff", "more.yaml", "less.yaml", "--fail-on", conditions]) == code
    told = capsys.readouterr().err
    assert told == ("fails: something changed\n" if code else "")


@pytest.mark.usefixtures("stores")
def test_json_fits_its_schema(run: Run) -> None:
    found = json.loads(run("diff", *BOTH, "--format", "json").out)
    schema = json.loads((FOLDER / file_name("diff")).read_text("utf-8"))
    Draft202012Validator(schema).validate(found)
    assert (found["changed"], found["worse"], found["removed"]) == (True, True, True)
    level = found["levels"]["sample"]
    assert level["records"] == {
        "before": 3,
        "after": 2,
        "same": 0,
        "changed": 2,
        "added": [],
        "removed": ["s3"],
    }
    assert level["renamed"] == {"name": "label"}
    assert level["results"][0] == {
        "record_identifier": "s1",
        "result": "reads",
        "difference": "changed",
        "trend": "worse",
        "before": 100,
        "after": 90,
        "delta": -10,
        "percent": -10.0,
    }
    gone = next(one for one in level["results"] if one["difference"] == "removed")
    assert "after" not in gone
    assert [(s["difference"], s["name"]) for s in found["schema"]] == [
        ("removed", "name"),
        ("added", "label"),
    ]


@pytest.mark.usefixtures("stores")
def test_html_fetches_nothing_and_runs_nothing(run: Run, folder: Path) -> None:
    run("report", "-f", "golden.yaml", "-r", "<script>x</script>", "reads=1")
    run("diff", *BOTH, "-o", "diff.html")
    page = (folder / "diff.html").read_text("utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    of_style = "sha256-" + b64encode(sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src '{of_style}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert " style=" not in page
    assert '<tr class="worse"><td>s1</td><td>reads</td>' in page


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize("words", [["--format", "markdown"], ["--format", "md"]])
def test_markdown(run: Run, words: list[str]) -> None:
    text = run("diff", *BOTH, *words).out
    assert text.startswith("### `golden.yaml → results.yaml`\n")
    assert "| `s1` | `reads` | `100` | `90` | `-10` | `-10 %` | ❗ worse |" in text.splitlines()


def test_data_is_no_markup(run: Run, folder: Path) -> None:
    for name, value in (("a.yaml", "x"), ("b.yaml", "@me | `y` <b> #1")):
        run("report", "-f", name, "--pipeline-name", "p", "-r", "@a|b", f"n={value}")
    text = run("diff", "a.yaml", "b.yaml", "--format", "markdown").out
    row = text.splitlines()[-1]
    assert row == '| `@a\\|b` | `n` | `"x"` | ``"@me \\| `y` <b> #1"`` |'


@pytest.mark.parametrize("limit", [None, 0, 300])
def test_markdown_fits_into_a_comment(folder: Path, limit: int | None, run: Run) -> None:
    from pipestat_spec import PipestatManager

    for name, number in (("a.yaml", 1), ("b.yaml", 2)):
        psm = PipestatManager(results_file_path=name, pipeline_name="p")
        psm.report_many(
            {f"{i:03}" + "x" * 240: {"n": number, "t": f"{number}"} for i in range(400)}
        )
    given = [] if limit is None else ["--limit", str(limit)]
    text = run("diff", "a.yaml", "b.yaml", "--format", "markdown", *given).out
    assert len(text) <= LONGEST < 65_536
    shown = [len(re.findall(rf"^\| `\d+x+` \| `{name}`", text, re.MULTILINE)) for name in "nt"]
    left_out = [int(count) for count in re.findall(r"^_and (\d+) more_$", text, re.MULTILINE)]
    assert [a + b for a, b in zip(shown, left_out, strict=True)] == [400, 400]
    assert shown[0] == (20 if limit is None else shown[1])
    # One row more of each kind would be too much.
    assert limit is None or len(text) + 2 * 300 > LONGEST


def test_two_namespaces_of_one_store(run: Run, folder: Path) -> None:
    for name, number in (("old", 1), ("new", 2)):
        run("report", "-f", "r.db", "--pipeline-name", name, "-r", "s1", f"n:={number}")
    names = ["--pipeline-name", "old", "--pipeline-name", "new"]
    done = run("diff", "r.db", *names)
    assert done.out.splitlines()[0] == "r.db, old → r.db, new"
    assert ["s1", "n", "1", "2", "+1", "+100", "%"] in [
        row.split() for row in done.out.splitlines()
    ]
    done = run("diff", "r.db", "r.db", *names[:2])
    assert "no differences" in done.out
    assert (
        "holds no namespace 'odd'"
        in run("diff", "r.db", "--pipeline-name", "odd", "--at", "2026-01-01", code=1).err
    )
    assert "several namespaces: new, old" in run("diff", "r.db", "r.db", code=1).err


def test_the_configured_store_now_and_then(run: Run, folder: Path) -> None:
    (folder / "pipestat.yaml").write_text("results_file_path: r.yaml\npipeline_name: p\n")
    run("report", "-r", "s1", "n:=1")
    entry = json.loads(run("select", "--columns", "pipestat_modified_time", "--format", "json").out)
    then = entry["records"][0]["pipestat_modified_time"]
    run("report", "-o", "-r", "s1", "n:=2")
    for arguments in ([], ["pipestat.yaml"], ["r.yaml"]):
        found = json.loads(run("diff", *arguments, "--at", then, "--format", "json").out)
        assert found["before"]["time"] == then
        (one,) = found["levels"]["sample"]["results"]
        assert (one["before"], one["after"]) == (1, 2)


def test_a_configuration_is_an_operand(run: Run, folder: Path) -> None:
    run("report", "-f", "a.yaml", "--pipeline-name", "p", "-r", "s1", "n:=1")
    run("report", "-f", "b.db", "--pipeline-name", "p", "-r", "s1", "n:=1")
    (folder / "b.yaml").write_text("results_file_path: b.db\npipeline_name: p\n")
    assert "no differences" in run("diff", "a.yaml", "b.yaml").out


WRONG = [
    (["nothing.yaml", "golden.yaml"], 1, "there are no results at"),
    (["golden.yaml", "nothing.yaml"], 1, "there are no results at"),
    (["golden.yaml", "results.yaml", "--pipeline-name", "rna"], 1, "holds namespace 'rnaseq'"),
    (["golden.yaml", "--at", "2020-01-01"], 1, "held no record yet at 2020-01-01"),
    (["golden.yaml", "--at", "2999-01-01"], 1, "is in the future"),
    (["golden.yaml", "--at", "noon"], 1, "'noon' is not a time"),
    (["golden.yaml", "results.yaml", "--tolerance", "rate=x"], 1, "rate: 'x' is no tolerance"),
    (["golden.yaml", "results.yaml", "--better", "rate=up"], 1, "rate: 'up' is no direction"),
    (["golden.yaml", "results.yaml", "--tolerance", "rate"], 2, "'rate' is not RESULT=VALUE"),
    (["golden.yaml", "results.yaml", "--atol", "-1"], 2, "--atol: -1.0 is no tolerance"),
    (["golden.yaml", "results.yaml", "--rtol", "nan"], 2, "--rtol: nan is no tolerance"),
    (["golden.yaml", "results.yaml", "--limit", "-1"], 2, "--limit: -1 is no number of rows"),
    (["golden.yaml", "results.yaml", "--fail-on", "bad"], 2, "'bad' is not one of changed"),
    (["golden.yaml"], 2, "a second store is needed"),
    ([], 2, "a second store is needed"),
    (["a", "b", "c"], 2, "more than two"),
    (["golden.yaml", "--at", "1", "--at", "2", "--at", "3"], 2, "more than two"),
]


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(("arguments", "code", "text"), WRONG, ids=lambda value: str(value))
def test_what_is_wrong_is_said_in_one_line(
    run: Run, arguments: list[str], code: int, text: str
) -> None:
    done = run("diff", *arguments, code=code)
    assert done.out == ""
    assert text in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_with_numbers_that_json_lacks(run: Run, folder: Path) -> None:
    """Another program wrote `.nan`: it is told, or refused, but never a traceback."""
    text = "p:\n  s1:\n    n: {}\n"
    for name, value in (("a.yaml", ".nan"), ("b.yaml", "1.0")):
        (folder / name).write_text(text.format(value))
    done: Any = run("diff", "a.yaml", "b.yaml", "--format", "json", code=None)
    assert "unexpected" not in done.err
