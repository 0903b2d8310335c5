"""The benchmarks' program: figures are told when they are measured, and outlive an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import figures
from benchmarks.figures import Figure


def first(folder: Path) -> Iterator[Figure]:
    yield Figure("one", 2.0, "ms", floor=1.0, reference=30.0, target="at most 3 ms", met=True)
    yield Figure("two", 5.5, "MB", runs={"ours": [5.5]})


def broken(folder: Path) -> Iterator[Figure]:
    yield Figure("three", 1.0, "ms")
    raise RuntimeError("the server ended")


@pytest.mark.parametrize(
    "module",
    [
        "cold",
        "warm",
        "sql",
        "pytest_start",
        "snakemake_start",
        "remote",
        "reports",
        "growth",
        "comparisons",
        "live",
    ],
)
def test_what_is_measured_is_there(module: str) -> None:
    import_module(f"benchmarks.{module}")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (program, figures):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setattr(program, "PARTS", {"broken": broken, "first": first})


@pytest.mark.usefixtures("parts")
def test_an_error_leaves_the_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert program.main([]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:3] == [
        "three: 1.00 ms",
        "one: 2.00 ms; 2.0 x the floor; pipestat 15.0 x ours; at most 3 ms  met",
        "two: 5.50 MB",
    ]
    assert (
        err.splitlines()[-1] == "error: the part 'broken' broke off: RuntimeError: the server ended"
    )
    (kept,) = tmp_path.glob("*.json")
    assert [one["name"] for one in json.loads(kept.read_text())["figures"]] == [
        "three",
        "one",
        "two",
    ]


@pytest.mark.usefixtures("parts")
def test_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["first"]) == 0
    assert "three" not in capsys.readouterr().out
    assert program.main(["frist"]) == 2
    assert "there are broken, first" in capsys.readouterr().err
