"""A limit of the history: on every store what it is in memory, and text where it is text."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipestat_yaml.text.stored_history import StoredHistory
from pipestat_yaml.text.trailer import read_trailer

from pipestat_spec import PipestatManager
from pipestat_spec.convert import convert
from pipestat_spec.models.record import RecordKey
from pipestat_spec.text.yaml_writer import entry_lines
from tests.commands import pipestat_spec

KEY = RecordKey("sample", "s1")
STORES: dict[str, dict[str, Any]] = {
    "memory": {"backend": "memory"},
    "one file": {"results_file_path": "{folder}/r.yaml"},
    "one file of levels": {"results_file_path": "{folder}/r.yaml", "layout": "levels"},
    "record files": {"results_file_path": "{folder}/{record_identifier}.yaml"},
    "object": {"results_file_path": "memory://{folder}/r.yaml", "unsafe_writes": True},
    "SQLite": {"results_file_path": "{folder}/r.db"},
    "SQLite of levels": {"results_file_path": "{folder}/r.db", "layout": "levels"},
}
NAMES = st.sampled_from(["n", "rate", "a: b"])
STEPS = st.lists(
    st.tuples(st.just("report"), st.dictionaries(NAMES, st.integers(0, 3), min_size=1))
    | st.tuples(st.just("silent"), st.dictionaries(NAMES, st.integers(0, 3), min_size=1))
    | st.tuples(st.just("remove"), NAMES),
    max_size=15,
)


def opened(store: str, folder: Path, **more: Any) -> PipestatManager:
    config = {
        key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for key, value in STORES[store].items()
    }
    return PipestatManager(config_dict={**config, "pipeline_name": "rna"}, **more)


def values(psm: PipestatManager) -> dict[str, list[Any]]:
    """Return the former values of the record by result, oldest first."""
    return {name: list(old.values()) for name, old in psm.retrieve_history("s1").items()}


def expected(steps: list[tuple[str, Any]], limit: int) -> dict[str, list[Any]]:
    """Return what the steps leave in the history, by the rules of the specification."""
    results: dict[str, int] = {}
    history: dict[str, list[int]] = {}

    def leave(name: str) -> None:
        history[name] = [*history.get(name, []), results[name]]
        history[name] = history[name][max(0, len(history[name]) - limit) :]

    for what, given_values in steps:
        if what == "remove":
            if given_values in results:
                leave(given_values)
                del results[given_values]
            continue
        for name, value in given_values.items():
            if what == "report" and results.get(name, value) != value:
                leave(name)
            results[name] = value
    return {name: old for name, old in history.items() if old}


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=12, deadline=None)
@given(steps=STEPS, limit=st.integers(0, 3))
def test_each_store_keeps_as_many(store: str, steps: list[tuple[str, Any]], limit: int) -> None:
    with (
        TemporaryDirectory() as folder,
        opened(store, Path(folder), history_limit=limit) as psm,
    ):
        psm.report({"kept": 1}, "s1")
        for what, given_values in steps:
            if what == "remove":
                psm.remove("s1", given_values)
            else:
                psm.report(given_values, "s1", history_enabled=what == "report")
        assert values(psm) == expected(steps, limit)


@pytest.mark.parametrize("layout", ["records", "levels"])
@pytest.mark.parametrize("trailer", [True, False])
def test_a_limit_of_a_long_history(
    tmp_path: Path, layout: Literal["records", "levels"], trailer: bool
) -> None:
    file = tmp_path / "r.yaml"
    config = {"results_file_path": str(file), "layout": layout, "pipeline_name": "rna"}
    with PipestatManager(config_dict=config) as psm:
        for number in range(12):
            psm.report({"n": number, "rate": number / 4}, "s1")
        times = list(psm.retrieve_history("s1")["n"])
    if not trailer:
        data = file.read_bytes()
        found = read_trailer(data)
        assert found is not None
        file.write_bytes(data[: found.body_end])
    with PipestatManager(config_dict=config, history_limit=3) as psm:
        psm.report({"other": 1}, "s1")
        assert len(values(psm)["n"]) == 11
        psm.report({"n": 77}, "s1")
        found_times = psm.retrieve_history("s1")["n"]
        assert list(found_times.values()) == [9, 10, 11]
        assert list(found_times)[:2] == times[-2:]
        # No more is said of the others than that they may go.
        assert values(psm)["rate"][-3:] == [2.0, 2.25, 2.5]
        psm.report({"rate": 0.5}, "s1")
        assert values(psm) == {"n": [9, 10, 11], "rate": [2.25, 2.5, 2.75]}
    assert read_trailer(file.read_bytes()) is not None


def test_lines_stay_lines() -> None:
    text = (
        '    reads:\n      "2026-01-01T00:00:00.000000Z": 1\n      "2026-01-02T00:00:00.000000Z":\n'
        '        - 2\n    rate:\n      "2026-01-01T00:00:00.000000Z": 0.5\n'
    )
    history = StoredHistory([text.encode()], 4, dict)
    assert history.of("reads") == {
        "2026-01-01T00:00:00.000000Z": 1,
        "2026-01-02T00:00:00.000000Z": [2],
    }
    assert history.of("none") == {}
    shorter = history.with_result("reads", {"2026-01-02T00:00:00.000000Z": [2]})
    assert shorter is not None
    first, *others = text.splitlines(keepends=True)
    assert b"".join(shorter.chunks).decode() == "".join([first, *others[1:]])
    gone = shorter.with_result("reads", {})
    assert gone is not None
    assert b"".join(gone.chunks).decode() == "".join(others[3:])


@pytest.mark.parametrize("count", [1, 300, 1_000])
def test_results_are_found_in_a_long_history(count: int) -> None:
    names = ["reads", "no", "x" * 1100, "rate"]
    values: dict[str, Any] = {
        name: {
            f"{number:06}": number if number % 7 else [number, "a: b"] for number in range(count)
        }
        for name in names
    }
    lines = [line for name in names for line in entry_lines(name, values[name], "    ")]
    text = "".join(f"{line}\n" for line in lines)
    history = StoredHistory([text.encode()], 4, dict)
    assert history.read() == values
    assert all(history.of(name) == values[name] for name in names)
    assert history.holds("no", "000000") is True
    assert history.holds("no", f"{count:06}") is False
    more = history.with_entries("no", {"one more": None})
    assert more is not None
    values["no"]["one more"] = None
    assert more.read() == values
    assert more.of("rate") == values["rate"]


@pytest.mark.parametrize(
    "line", ["    'reads':", "    reads: {}", "     reads:", "    reads:", "    ? reads", "    ?"]
)
def test_a_history_of_another_form_is_not_spliced(line: str) -> None:
    text = f'    reads:\n      "2026-01-01T00:00:00.000000Z": 1\n{line}\n'
    history = StoredHistory([text.encode()], 4, lambda: {"reads": {"parsed": 1}})
    assert history.with_entries("reads", {"2026-01-02T00:00:00.000000Z": 2}) is None
    assert history.read() == {"reads": {"parsed": 1}}


def test_a_copy_heeds_the_limit_of_its_target(tmp_path: Path) -> None:
    with opened("SQLite", tmp_path) as source:
        for number in range(6):
            source.report({"n": number}, "s1")
        with opened("one file", tmp_path, history_limit=2) as target:
            convert(source.store, target.store)
            assert values(target) == {"n": [3, 4]}


def test_the_command_line(tmp_path: Path) -> None:
    config = tmp_path / "pipestat.yaml"
    config.write_text("results_file_path: r.yaml\npipeline_name: rna\nhistory_limit: 1\n")
    for number in range(3):
        pipestat_spec("report", "-r", "s1", "-o", f"n={number}", cwd=tmp_path)
    with PipestatManager(config_file=config) as psm:
        assert values(psm) == {"n": ["1"]}
    told = pipestat_spec("inspect", "--format", "json", cwd=tmp_path)
    assert json.loads(told.stdout)["history_limit"] == 1
    config.write_text("results_file_path: r.yaml\nhistory_limit: few\n")
    refused = pipestat_spec("report", "-r", "s1", "n=1", cwd=tmp_path, code=1)
    (line,) = refused.stderr.splitlines()
    assert line.startswith("error: ")
    assert "history_limit: 'few'" in line
