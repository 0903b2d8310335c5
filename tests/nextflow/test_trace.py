"""`ingest --nextflow-trace`: the status of each record from the rows of a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.cli import main
from pipestat_spec.engines.nextflow_trace import RunEnd, read_trace
from pipestat_spec.engines.record_expression import parse_record_expression
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import RecordKey
from pipestat_spec.opening import open_store

COLUMNS = ("process", "tag", "name", "status", "exit", "attempt", "hash")
Ingest = Callable[..., str]


def row(process: str, tag: str, status: str, attempt: int = 1, exit: str = "0") -> tuple[str, ...]:
    return process, tag, f"{process} ({tag})", status, exit, str(attempt), f"ab/{process}{attempt}"


def write(path: Path, *rows: tuple[str, ...], columns: tuple[str, ...] = COLUMNS) -> Path:
    path.write_text("".join("\t".join(line) + "\n" for line in (columns, *rows)))
    return path


def said(path: Path, record: str = "{tag}", run: str | None = None) -> dict[str, Any]:
    """Return status, message and source by record."""
    found = {}
    expression = parse_record_expression(record)
    for document in read_trace(path, expression, run, end=RunEnd(exit_code=0)):
        assert document.problem is None, document.problem
        content: Any = document.content
        assert content["pipestat_report"] == "1.0"
        rest = content["status"], content.get("status_message"), content["source"]
        found[content["record_identifier"]] = rest
    return found


def statuses(path: Path, *rows: tuple[str, ...]) -> dict[str, str]:
    return {name: status for name, (status, _, _) in said(write(path, *rows)).items()}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("NEW", "waiting"),
        ("SUBMITTED", "waiting"),
        ("RUNNING", "running"),
        ("COMPLETED", "completed"),
        ("CACHED", "completed"),
        ("FAILED", "failed"),
        ("ABORTED", "failed"),
    ],
)
def test_the_status_of_one_task(tmp_path: Path, state: str, status: str) -> None:
    assert statuses(tmp_path / "t", row("A", "s1", state)) == {"s1": status}


def test_a_record_is_what_its_tasks_together_are(tmp_path: Path) -> None:
    found = statuses(
        tmp_path / "t",
        row("A", "done", "CACHED"),
        row("B", "done", "COMPLETED"),
        row("A", "broken", "FAILED"),
        row("B", "broken", "COMPLETED"),
        row("C", "broken", "RUNNING"),
        row("A", "under way", "COMPLETED"),
        row("B", "under way", "RUNNING"),
        row("C", "under way", "SUBMITTED"),
        row("A", "between", "COMPLETED"),
        row("B", "between", "SUBMITTED"),
        row("A", "not begun", "NEW"),
        row("B", "not begun", "SUBMITTED"),
    )
    assert found == {
        "done": "completed",
        "broken": "failed",
        "under way": "running",
        "between": "running",
        "not begun": "waiting",
    }


def test_of_retries_the_last_attempt_counts_in_whatever_order(tmp_path: Path) -> None:
    rows = [
        row("A", "s1", "FAILED", 1, "3"),
        row("A", "s1", "FAILED", 2, "3"),
        row("A", "s1", "COMPLETED", 3),
        row("A", "s2", "FAILED", 1, "3"),
        row("A", "s2", "FAILED", 2, "137"),
        row("A", "s3", "FAILED", 1, "1"),
        row("A", "s3", "RUNNING", 2, "-"),
        # With -resume the attempt that succeeded is cached, without those before it.
        row("A", "s4", "CACHED", 2),
    ]
    expected = {"s1": "completed", "s2": "failed", "s3": "running", "s4": "completed"}
    assert statuses(tmp_path / "t", *rows) == expected
    assert statuses(tmp_path / "t", *reversed(rows)) == expected


def test_tasks_of_one_name_do_not_hide_each_other(tmp_path: Path) -> None:
    # Two lanes of each sample, told apart by nothing but their hash.
    found = statuses(
        tmp_path / "t",
        row("A", "both done", "FAILED", 1),
        row("A", "both done", "COMPLETED", 1),
        row("A", "both done", "COMPLETED", 2),
        row("A", "one failed", "FAILED", 1),
        row("A", "one failed", "COMPLETED", 1),
        row("A", "other cached", "CACHED", 2),
        row("A", "other cached", "FAILED", 1),
        row("A", "both tried twice", "FAILED", 1),
        row("A", "both tried twice", "FAILED", 1),
        row("A", "both tried twice", "COMPLETED", 2),
    )
    assert found == {
        "both done": "completed",
        "one failed": "failed",
        "other cached": "failed",
        "both tried twice": "failed",
    }


def test_source_and_message_are_those_of_the_task_that_decides(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t",
        row("A", "s1", "FAILED", 1, "3"),
        row("A", "s1", "FAILED", 2, "3"),
        row("B", "s1", "COMPLETED"),
        row("A", "s2", "CACHED"),
        row("B", "s2", "COMPLETED", 2),
        row("A", "s3", "ABORTED", 1, "-"),
    )
    engine = {"engine": "nextflow", "run": "r7"}
    assert said(path, run="r7") == {
        "s1": (
            "failed",
            "A failed, exit code 3, attempt 2",
            {**engine, "process": "A", "attempt": 2, "hash": "ab/A2"},
        ),
        "s2": ("completed", None, {**engine, "process": "B", "attempt": 2, "hash": "ab/B2"}),
        "s3": (
            "failed",
            "A was stopped",
            {**engine, "process": "A", "attempt": 1, "hash": "ab/A1"},
        ),
    }
    assert "run" not in said(path)["s1"][2]


def test_columns_in_any_order_and_line_ends_of_windows(tmp_path: Path) -> None:
    columns = ("hash", "workdir", "attempt", "tag", "status", "process")
    path = tmp_path / "t"
    path.write_bytes(
        "\r\n".join(
            ["\t".join(columns), "ab/1\t/w\t2\ts1\tCOMPLETED\tA", "ab/2\t/w\t1\t-\tFAILED\tB", ""]
        ).encode()
    )
    source = {"engine": "nextflow", "process": "A", "attempt": 2, "hash": "ab/1"}
    # The task without a tag is about no record.
    assert said(path) == {"s1": ("completed", None, source)}
    assert set(said(path, "{process}-{attempt}")) == {"A-2", "B-1"}
    assert set(said(path, "{process}{tag}")) == {"As1"}


@pytest.mark.parametrize(
    ("columns", "record", "problem"),
    [
        (
            ("status", "hash", "attempt"),
            "{tag}",
            "the trace has no column 'process' and no column 'tag'; put into nextflow.config: "
            "trace.fields = 'process,tag,name,status,exit,attempt,hash'",
        ),
        (
            ("process", "tag", "status", "hash", "attempt"),
            "{workdir}",
            "the trace has no column 'workdir'; put into nextflow.config: "
            "trace.fields = 'process,tag,name,status,exit,attempt,hash,workdir'",
        ),
        (COLUMNS, "{tags}", "the trace has no column 'tags'; did you mean 'tag'?"),
        (COLUMNS, "{zzz}", "the trace has no column 'zzz'; it has process, tag, name, status,"),
        ((*COLUMNS, "tag"), "{tag}", "the column 'tag' stands twice in the first line"),
        ((), "{tag}", "the file is empty; was the run stopped?"),
    ],
)
def test_missing_columns(
    tmp_path: Path, columns: tuple[str, ...], record: str, problem: str
) -> None:
    path = write(tmp_path / "t", columns=columns)
    (found,) = read_trace(path, parse_record_expression(record))
    assert found.where == str(path)
    assert found.problem is not None
    assert found.problem.startswith(problem)


def test_rows_that_cannot_be_right_are_all_named(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t",
        row("A", "s1", "COMPLETED"),
        row("A", "with\ttab", "COMPLETED"),
        row("A", "s2", "DONE"),
        (*row("A", "s3", "COMPLETED")[:5], "0", "x"),
        row("A", "s" * 256, "COMPLETED"),
        row("A", "", "COMPLETED"),
    )
    found = list(read_trace(path, parse_record_expression("{tag}")))
    problems = [document.problem for document in found if document.problem]
    starts = [
        "line 3: 9 columns, not 7; was the run stopped, or does a tag hold a tab",
        "line 4: 'DONE' is not a status of a task; known are NEW, SUBMITTED",
        "line 5: the attempt '0' is not a number from 1",
        "line 6: record identifier 'sss",
    ]
    assert len(problems) == len(starts)
    for problem, start in zip(problems, starts, strict=True):
        assert problem.startswith(start)
    assert [document.where for document in found if not document.problem] == [
        f"{path}: record 's1'"
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"tag\tstatus\n\xe9\tFAILED\n")
    expected = {"missing": "cannot be read: there is no such file", "latin": "byte 12 is not UTF-8"}
    for name, problem in expected.items():
        (found,) = read_trace(tmp_path / name, parse_record_expression("{tag}"))
        assert found.problem == problem


# The command


@pytest.fixture
def ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ingest:
    """Run `ingest` on a store in an empty folder; return what it says."""
    monkeypatch.chdir(tmp_path)
    Path("schema.yaml").write_text("pipeline_name: p\nsamples:\n  reads: {type: integer}\n")

    def run(*arguments: str, code: int = 0) -> str:
        got = main(["ingest", "-f", "results.yaml", "-s", "schema.yaml", *arguments])
        err = capsys.readouterr().err
        assert got == code, err
        return err

    return run


def record(identifier: str) -> Any:
    settings = {"results_file_path": "results.yaml", "schema_path": "schema.yaml"}
    return open_store(Config(), settings).store.read(RecordKey("sample", identifier))


def document(name: str, text: str) -> str:
    Path(f"{name}.pipestat.json").write_text(
        f'{{"pipestat_report": "1.0", "record_identifier": "{name}", {text}}}'
    )
    return f"{name}.pipestat.json"


def test_documents_bring_results_and_the_trace_the_status(ingest: Ingest) -> None:
    write(
        Path("trace.txt"),
        row("A", "s1", "COMPLETED"),
        row("B", "s1", "FAILED", 1, "9"),
        row("A", "s2", "COMPLETED"),
        row("A", "s3", "CACHED"),
    )
    # An attempt of 9 ranks above all rows, and a time above none; the trace decides anyway.
    document("s1", '"results": {"reads": 1}, "status": "completed", "source": {"attempt": 9}')
    document("s2", '"results": {"reads": 2}, "time": "2099-01-01T00:00:00Z", "status": "running"')
    document("s4", '"results": {"reads": 4}, "status": "completed", "source": {"task": "x"}')
    call = (".", "--nextflow-trace", "trace.txt", "--record", "{tag}", "--run", "r1")
    call += ("--run-exit", "0")
    assert ingest(*call) == (
        "ingested 3 documents and the trace of 3 records: 4 records changed, 0 unchanged\n"
    )
    found = {name: record(name) for name in ("s1", "s2", "s3", "s4")}
    assert {name: (one.results, one.status) for name, one in found.items()} == {
        "s1": ({"reads": 1}, "failed"),
        "s2": ({"reads": 2}, "completed"),
        "s3": ({}, "completed"),
        "s4": ({"reads": 4}, "completed"),
    }
    assert found["s1"].status_message == "B failed, exit code 9"
    assert found["s1"].source == {
        "engine": "nextflow",
        "run": "r1",
        "process": "B",
        "attempt": 1,
        "hash": "ab/B1",
    }
    assert found["s4"].source == {"task": "x"}
    files = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert ingest(*call) == (
        "ingested 3 documents and the trace of 3 records: 0 records changed, 4 unchanged\n"
    )
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == files


def test_a_later_run_takes_the_failure_away(ingest: Ingest) -> None:
    call = ("--nextflow-trace", "trace.txt", "--record", "{tag}")
    write(Path("trace.txt"), row("A", "s1", "FAILED", 1, "9"))
    ingest(*call)
    assert (record("s1").status, record("s1").status_message) == ("failed", "A failed, exit code 9")
    write(Path("trace.txt"), row("A", "s1", "COMPLETED"))
    ingest(*call)
    assert (record("s1").status, record("s1").status_message) == ("completed", None)


def test_a_bad_trace_keeps_the_documents_out_and_all_is_named(ingest: Ingest) -> None:
    document("s1", '"results": {"reads": 1}')
    document("s2", '"results": {"reads": "many"}')
    write(Path("trace.txt"), row("A", "s1", "DONE"), row("A", "s3", "COMPLETED"))
    call = (".", "--nextflow-trace", "trace.txt", "--record", "{tag}")
    told = ingest(*call, code=1).splitlines()
    assert told[0].startswith("refused: s2.pipestat.json: result 'reads'")
    assert told[1].startswith("refused: trace.txt: line 2: 'DONE' is not a status")
    assert told[2] == "error: 2 problems; nothing was ingested"
    assert record("s1") is None
    ingest(*call, "--keep-going", code=1)
    assert record("s1").results == {"reads": 1}
    assert record("s1").status is None
    assert record("s3").status == "completed"


def test_a_status_that_is_not_defined(ingest: Ingest) -> None:
    Path("schema.yaml").write_text(
        "pipeline_name: p\nsamples:\n  reads: {type: integer}\nstatus:\n"
        "  done: {description: d, color: [0, 0, 0]}\n"
    )
    write(Path("trace.txt"), row("A", "s1", "COMPLETED"))
    told = ingest("--nextflow-trace", "trace.txt", "--record", "{tag}", code=1)
    assert "trace.txt: record 's1': status 'completed' is not defined" in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to ingest: give FILE, DIR or --nextflow-trace"),
        (["--nextflow-trace", "t"], "--nextflow-trace needs --record, such as --record '{tag}'"),
        ([".", "--record", "{tag}"], "--record needs --nextflow-trace"),
        ([".", "--run", "r"], "--run needs --nextflow-trace"),
        ([".", "--run-exit", "0"], "--run-exit needs --nextflow-trace"),
    ],
)
def test_options_that_do_not_go_together(
    ingest: Ingest, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert f"error: {problem}; see" in ingest(*arguments, code=2)


def test_an_expression_without_a_name(ingest: Ingest) -> None:
    write(Path("trace.txt"))
    told = ingest("--nextflow-trace", "trace.txt", "--record", "tag", code=1)
    assert "record expression 'tag' names nothing" in told
