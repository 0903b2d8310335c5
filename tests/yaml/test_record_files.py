"""Results paths with `{record_identifier}`: one file for each record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_yaml.plugin import YamlFactory

from pipestat_spec.backend import Capability
from tests.yaml.stores import Stored, settings_for

Open = Callable[..., Stored]
NAMES = ["../../evil", "a/b", "é ü", "no", "1e3", "b", "b_x", "x" * 255, "\U0001f600" * 255, ".h"]


@pytest.mark.parametrize(
    "template",
    [
        "out/{record_identifier}/results.yaml",
        "out/{record_identifier}.yaml",
        "out/{record_identifier}/{record_identifier}_r.yaml",
        "out [1]/r_{record_identifier}",
    ],
)
@pytest.mark.parametrize("layout", ["records", "levels"])
def test_each_record_has_a_file(stored: Open, template: str, layout: str, tmp_path: Path) -> None:
    store = stored(template, layout=layout)
    assert store.names() == []
    for number, name in enumerate(NAMES):
        store.report(name, {"n": number})
        store.set_status(name, "running")
        store.set_status(name, "completed")
    assert store.names() == sorted(NAMES)
    assert store.names(after="a/b", limit=2) == ["b", "b_x"]
    assert store.backend.count("sample") == len(NAMES)  # type: ignore[attr-defined]
    for number, name in enumerate(NAMES):
        assert store.results(name) == {"n": number}
        assert store.status(name) == "completed"
        store.report(name, {"n": -number})
        assert len(store.history(name)) == (number > 0)
    everything = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all((tmp_path / template.split("/")[0]) in path.parents for path in everything)
    assert len([path for path in everything if path.suffix == ".flag"]) == len(NAMES)
    assert not [path for path in everything if path.suffix == ".tmp"]
    for name in NAMES:
        store.remove(name)
    assert store.names() == []
    assert not list(tmp_path.rglob("*.flag"))


def test_a_flag_lies_beside_its_records_file(stored: Open, tmp_path: Path) -> None:
    store = stored("{record_identifier}/results.yaml")
    store.set_status("s1", "running")
    assert {path.name for path in (tmp_path / "s1").iterdir()} == {
        "results.yaml", ".results.yaml.lock", "demo_s1_running.flag"
    }  # fmt: skip
    # One folder of statuses for all records, in the part of the path that they share.
    assert {path.name for path in tmp_path.iterdir()} == {
        "s1", ".{record_identifier}%2Fresults.yaml.status"
    }  # fmt: skip
    other = stored(
        "{record_identifier}/results.yaml", config={"flag_file_dir": str(tmp_path / "f")}
    )
    other.set_status("s2", "failed")
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["demo_s2_failed.flag"]


def test_files_that_belong_to_no_record_do_not_count(stored: Open, tmp_path: Path) -> None:
    store = stored("{record_identifier}/results.yaml")
    store.report("s1", {"n": 1})
    store.report("s2", {"n": 2})
    # pipestat aggregates, and it puts a second record into the file of the first.
    (tmp_path / "aggregate").mkdir()
    (tmp_path / "aggregate" / "results.yaml").write_text("demo: {s1: {n: 8}, s2: {n: 9}}\n")
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "results.yaml").write_text("demo: {s3: {n: 3}, s4: {n: 4}}\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "results.yaml").write_text("")
    (tmp_path / "folder" / "results.yaml").mkdir(parents=True)
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "results.yaml").write_text("title: x\nproperties: {a: {b: 1}}\n")
    settings = settings_for(store.path)
    assert YamlFactory().namespaces(settings) == ["demo"]
    assert store.names() == ["s1", "s2", "s3"]
    assert [dict(r.results) for r in store.backend.scan("sample")] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert store.read("s4") is None
    store.report("s3", {"n": 5})
    assert "s4" in (tmp_path / "s3" / "results.yaml").read_text()


def test_files_of_other_namespaces_are_passed_over_or_refused(stored: Open, tmp_path: Path) -> None:
    first = stored("{record_identifier}.yaml", multi_namespaces=True)
    second = stored("{record_identifier}.yaml", namespace="other", multi_namespaces=True)
    first.report("s1", {"n": 1})
    second.report("s1", {"n": 2})
    second.report("s2", {"n": 3})
    assert (first.names(), second.names()) == (["s1"], ["s1", "s2"])
    assert (first.results("s1"), second.results("s1")) == ({"n": 1}, {"n": 2})
    settings = settings_for(tmp_path / "{record_identifier}.yaml")
    assert YamlFactory().namespaces(settings) == ["demo", "other"]


def test_a_batch_over_several_files_is_not_claimed_atomic(stored: Open) -> None:
    single, several = stored(), stored("{record_identifier}.yaml")
    assert Capability.ATOMIC_BATCH in single.backend.capabilities
    assert Capability.ATOMIC_BATCH not in several.backend.capabilities


def test_project_level_records_have_files_too(stored: Open, tmp_path: Path) -> None:
    store = stored("{record_identifier}/results.yaml", layout="levels")
    store.report("s1", {"n": 1})
    store.report("project", {"t": 1}, level="project")
    assert store.names() == ["s1"]
    assert store.names("project") == ["project"]
    assert sorted(os.listdir(tmp_path)) == ["project", "s1"]


def test_records_in_the_wrong_file_are_named_once(
    stored: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = stored("{record_identifier}.yaml")
    (tmp_path / "s1.yaml").write_text("demo: {s1: {n: 1}, s2: {n: 2}, s3: {n: 3}}\n")
    assert store.names() == ["s1"]
    assert store.names() == ["s1"]
    assert store.read("s2") is None
    [message] = [record.getMessage() for record in caplog.records]
    assert "s1.yaml also holds record 's2' (2 in all)" in message


def test_flags_are_no_results_files(stored: Open) -> None:
    store = stored("out/{record_identifier}")
    store.report("s1", {"n": 1})
    store.set_status("s1", "running")
    assert store.names() == ["s1"]
    assert store.status("s1") == "running"
