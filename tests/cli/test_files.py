"""`table`, `summarize` and `link`: which files they write, and what they say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.runs import Run


@pytest.fixture
def two(run: Run, store: Path) -> Path:
    run("report", "-r", "s1", "reads=1200", "name=x", "--status", "completed")
    run("report", "-r", "s2", "reads=0", 'align={"rate": 0.9}', "--status", "failed", "-m", "no")
    return store.parent


def test_the_summaries(run: Run, two: Path) -> None:
    done = run("table")
    names = ["rnaseq_stats_summary.tsv", "rnaseq_objs_summary.yaml"]
    names.append("rnaseq_stats_summary.types.json")
    assert done.out.splitlines() == [str(two / name) for name in names]
    lines = (two / names[0]).read_text().splitlines()
    head = "Sample Index,Record Identifier,Pipeline Type,reads,rate,ok,name,note,GC content"
    assert lines[0].split("\t") == head.split(",")
    assert lines[2] == "2\ts2\tsample\t0\tNA\tNA\tNA\tNA\tNA"
    assert (two / names[1]).read_text() == "s2:\n  align:\n    rate: 0.9\n"
    assert run("table", "--output-dir", "new").out.startswith("new/rnaseq_stats_summary.tsv\n")


def test_a_table_as_the_ending_says(run: Run, two: Path) -> None:
    run("report", "-r", "s3", "reads=7")
    done = run(
        *("table", "-o", "t.csv", "--where", "reads < 1000", "--sort", "reads:desc"),
        *("--columns", "reads,align.rate,status_message", "--missing", "-"),
    )
    assert done.out == "t.csv\n"
    assert (two / "t.csv").read_text() == (
        "record_identifier,reads,align.rate,status_message\ns3,7,-,-\ns2,0,0.9,no\n"
    )
    run("table", "-o", "odd.txt", "--format", "jsonl", "--columns", "reads", "--flatten")
    assert (two / "odd.txt").read_text().splitlines()[0] == (
        '{"record_identifier": "s1", "reads": 1200}'
    )
    run("table", "-o", "p.csv", "-p", "project")
    assert (two / "p.csv").read_text() == "record_identifier,status,total\n"
    assert "no exporter writes 't.doc'" in run("table", "-o", "t.doc", code=1).err
    run("table", "--format", "csv", code=2)
    run("table", "-o", "t.csv", "--output-dir", ".", code=2)


def test_the_report(run: Run, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("summarize").out == f"{two}/rnaseq_report.html\n"
    (two / "known.txt").write_text("s1\ns8\n\ns9 \n")
    run("summarize", "-o", "r.html", "--records", "known.txt", "--title", "<Mine>")
    text = (two / "r.html").read_text("utf-8")
    assert "<h2>Not reported</h2>\n<p>s8, s9</p>" in text
    assert "<h1>&lt;Mine&gt;</h1>" in text
    monkeypatch.setattr("sys.stdin", io.StringIO("s7\n"))
    done = run("summarize", "--records", "-", "--portable", "--output-dir", "out")
    assert done.out == "out/rnaseq_report.zip\n"
    assert run("summarize", "-o", "z.zip", "--mode", "gallery").out == "z.zip\n"
    assert (two / "z.zip").read_bytes()[:2] == b"PK"
    assert "none.txt" in run("summarize", "--records", "none.txt", code=1).err


def test_links(run: Run, two: Path) -> None:
    (two / "p.png").write_text("picture")
    run("report", "-r", "s1", 'plot={"path": "p.png", "title": "t"}')
    run("report", "-r", "s2", 'plot={"path": "none.png", "title": "t"}')
    run("report", "-r", "s3", 'plot={"path": "s3://b/p.png", "title": "t"}')
    done = run("link", "--link-dir", "links")
    assert done.out == f"{two}/links\n"
    assert done.err.splitlines() == [
        f"warning: no such file: s2: {two}/none.png",
        "not on this machine, left out: s3: s3://b/p.png",
        "links: 1 made, 0 there already, 0 removed",
    ]
    assert (two / "links" / "plot" / "s1_plot_p.png").read_text() == "picture"
    assert run("link", "-q", "--copy").out == f"{two}/rnaseq_links\n"
    copy = two / "rnaseq_links" / "plot" / "s1_plot_p.png"
    assert copy.is_file()
    assert not copy.is_symlink()
