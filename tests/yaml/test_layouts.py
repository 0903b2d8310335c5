"""Which layout a file gets or keeps, and what a layout cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.domain.changes import report_results
from pipestat_spec.errors import LayoutError, MissingConfigDataError, PipestatDataError
from pipestat_spec.models.record import RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from tests.yaml.stores import Stored

Open = Callable[..., Stored]
WITH_PROJECT = parse_output_schema(
    {
        "pipeline_name": "demo",
        "samples": {"n": {"type": "integer", "description": "n"}},
        "project": {"total": {"type": "integer", "description": "t"}},
    }
)
WITHOUT_PROJECT = parse_output_schema(
    {"pipeline_name": "demo", "samples": {"n": {"type": "integer", "description": "n"}}}
)


def without_meta(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: without_meta(value) for key, value in tree.items() if key != "meta"}
    return tree


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ({}, {"demo": {"s1": {"n": 1}}}),
        ({"schema": WITHOUT_PROJECT}, {"demo": {"s1": {"n": 1}}}),
        ({"schema": WITH_PROJECT}, {"demo": {"project": {}, "sample": {"s1": {"n": 1}}}}),
        ({"layout": "levels"}, {"demo": {"project": {}, "sample": {"s1": {"n": 1}}}}),
        ({"layout": "records", "schema": WITH_PROJECT}, {"demo": {"s1": {"n": 1}}}),
    ],
)
def test_layout_of_a_new_file(stored: Open, settings: dict[str, Any], written: Any) -> None:
    store = stored(**settings)
    assert not store.path.exists()
    store.report("s1", {"n": 1})
    assert without_meta(store.raw()) == written


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_source_of_another_kind_of_value_is_stored(stored: Open, layout: str) -> None:
    store = stored(layout=layout)
    for again in (1, True, 1.0, [0], [0.0]):
        store.report("s1", {"n": again}, source={"again": again})
        record = store.read("s1")
        assert record is not None
        assert repr(record.source) == repr({"again": again})


@pytest.mark.parametrize(
    "content", ["", "# nothing yet\n", "demo:\n", "demo: {}\n", "---\n", "\ufeff"]
)
@pytest.mark.parametrize("layout", ["records", "levels"])
def test_an_empty_file_counts_as_new(
    stored: Open, content: str, layout: str, tmp_path: Path
) -> None:
    (tmp_path / "results.yaml").write_text(content)
    store = stored(layout=layout)
    assert store.names() == []
    store.report("s1", {"n": 1})
    records = store.raw()["demo"]
    assert "s1" in (records["sample"] if layout == "levels" else records)


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("demo: {s1: {n: 1}}", "records"),
        ("demo: {sample: {s1: {n: 1}}}", "levels"),
        ("demo: {sample: {}}", "levels"),
        ("demo: {sample: null}", "levels"),
        ("demo: {project: {}, sample: {}}", "levels"),
        ("demo: {project: {all: {n: 1}}}", "levels"),
        ("demo: {sample: {n: 1}}", "records"),
        ("demo: {sample: {plot: {path: x}}, s1: {n: 1}}", "records"),
        ("demo: {sample: {s1: {n: 1}}, other: {n: 1}}", "records"),
    ],
)
def test_a_writer_keeps_the_layout(stored: Open, content: str, layout: str, tmp_path: Path) -> None:
    (tmp_path / "results.yaml").write_text(content + "\n")
    before = yaml.safe_load(content)["demo"]
    store = stored(schema=WITH_PROJECT if layout == "records" else None)
    store.report("new", {"n": 5})
    after = without_meta(store.raw()["demo"])
    if layout == "levels":
        assert after.keys() == {"sample", "project"}
        assert after["sample"].pop("new") == {"n": 5}
        assert after == {level: before.get(level) or {} for level in ("project", "sample")}
    else:
        assert after.pop("new") == {"n": 5}
        assert after == before
    assert store.vouched()


@pytest.mark.parametrize(
    ("content", "asked"), [("demo: {s1: {n: 1}}", "levels"), ("demo: {sample: {}}", "records")]
)
def test_a_setting_that_contradicts_the_file_is_refused(
    stored: Open, content: str, asked: str, tmp_path: Path
) -> None:
    (tmp_path / "results.yaml").write_text(content)
    with pytest.raises(LayoutError, match=f"say '{asked}'.*pipestat-spec convert") as caught:
        stored(layout=asked)
    assert caught.value.code == "layout"
    assert (tmp_path / "results.yaml").read_text() == content


def test_an_unknown_layout_is_refused(stored: Open) -> None:
    with pytest.raises(MissingConfigDataError, match="'columns'") as caught:
        stored(layout="columns")
    assert caught.value.code == "config"


def test_project_level_needs_levels(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    with pytest.raises(LayoutError, match="pipestat-spec convert"):
        store.report("all", {"total": 1}, level="project")
    with pytest.raises(LayoutError, match="pipestat-spec convert"):
        store.set_status("all", "running", level="project")
    assert store.path.read_bytes() == before
    assert store.beside() == {"results.yaml", ".results.yaml.lock"}
    assert store.read("all", "project") is None
    assert store.read("s1", "project") is None
    assert store.names("project") == []
    assert store.backend.count("project") == 0  # type: ignore[attr-defined]


def test_a_file_that_begins_with_the_project_level_gets_levels(stored: Open) -> None:
    store = stored()
    store.backend.update_many(  # type: ignore[attr-defined]
        [
            (key, report_results(key, {"n": 1}, overwrite=True))
            for key in (RecordKey("sample", "s1"), RecordKey("project", "all"))
        ]
    )
    assert without_meta(store.raw()) == {
        "demo": {"project": {"all": {"n": 1}}, "sample": {"s1": {"n": 1}}}
    }
    asked = stored("asked.yaml", layout="records")
    with pytest.raises(LayoutError, match="holds no project-level results"):
        asked.report("all", {"n": 1}, level="project")
    assert not asked.path.exists()


def test_the_layout_that_a_store_has(stored: Open) -> None:
    store, levels = stored(), stored("levels.yaml", layout="levels")
    assert store.backend.layout is None  # type: ignore[attr-defined]
    assert levels.backend.layout is None  # type: ignore[attr-defined]
    store.report("s1", {"n": 1})
    levels.report("s1", {"n": 1})
    assert store.backend.layout == "records"  # type: ignore[attr-defined]
    assert levels.backend.layout == "levels"  # type: ignore[attr-defined]
    levels.remove("s1")
    assert levels.backend.layout == "levels"  # type: ignore[attr-defined]


def test_both_levels_in_one_file(stored: Open) -> None:
    store = stored(layout="levels")
    store.report("all", {"total": 1}, level="project")
    store.report("s1", {"n": 1})
    store.report("all", {"n": 2})
    assert store.results("all", "project") == {"total": 1}
    assert store.results("all") == {"n": 2}
    assert store.names() == ["all", "s1"]
    assert store.names("project") == ["all"]
    store.remove("all", level="project")
    assert without_meta(store.raw()) == {
        "demo": {"project": {}, "sample": {"s1": {"n": 1}, "all": {"n": 2}}}
    }
    assert store.vouched()


@pytest.mark.parametrize("name", ["sample", "project"])
def test_record_names_that_a_records_file_cannot_hold(stored: Open, name: str) -> None:
    store = stored()
    with pytest.raises(LayoutError, match=name):
        store.report(name, {"n": {"x": 1}})
    assert not store.path.exists()
    levels = stored("levels.yaml", layout="levels")
    levels.report(name, {"n": {"x": 1}})
    assert levels.results(name) == {"n": {"x": 1}}


def test_another_namespace_is_refused_and_named(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    with pytest.raises(LayoutError, match=r"'demo', not 'other'.*multi_pipelines"):
        stored(namespace="other")
    assert store.path.read_bytes() == before


def test_several_namespaces(stored: Open) -> None:
    first = stored()
    first.report("s1", {"n": 1})
    second = stored(namespace="other", multi_namespaces=True, layout="levels")
    second.report("s1", {"n": 2})
    first.report("s2", {"n": 3})
    second.report("all", {"n": 4}, level="project")
    assert without_meta(first.raw()) == {
        "demo": {"s1": {"n": 1}, "s2": {"n": 3}},
        "other": {"project": {"all": {"n": 4}}, "sample": {"s1": {"n": 2}}},
    }
    assert first.names() == ["s1", "s2"]
    assert second.names() == ["s1"]
    assert first.vouched()


def test_namespaces_of_a_store(stored: Open, tmp_path: Path) -> None:
    from pipestat_yaml.plugin import YamlFactory

    from tests.yaml.stores import settings_for

    (tmp_path / "results.yaml").write_text("zeta: {s1: {n: 1}}\nalpha:\n_note: x\n")
    settings = settings_for(tmp_path / "results.yaml")
    assert YamlFactory().namespaces(settings) == ["alpha", "zeta"]
    assert YamlFactory().namespaces(settings_for(tmp_path / "none.yaml")) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("demo: 5\n", "namespace 'demo' holds no records, but 5"),
        ("demo: [1]\n", "namespace 'demo' holds no records, but [1]"),
        ("demo: {s1: 5}\n", "record 's1' of namespace 'demo' holds no results, but 5"),
        ("- 1\n", "mapping of namespaces, not [1]"),
        ("text\n", "mapping of namespaces, not 'text'"),
    ],
)
def test_content_that_is_no_results_file(
    stored: Open, tmp_path: Path, content: str, problem: str
) -> None:
    (tmp_path / "results.yaml").write_text(content)
    with pytest.raises(PipestatDataError, match=re.escape(problem)):
        stored()
    assert (tmp_path / "results.yaml").read_text() == content


def test_the_order_is_that_of_code_points(stored: Open) -> None:
    names = ["b", "a", "B", "é", "z", "10", "9", "\U0001f600", "\ufb01", "a/b", "a b"]
    store = stored()
    for name in names:
        store.report(name, {"n": 1})
    wanted = ["10", "9", "B", "a", "a b", "a/b", "b", "z", "é", "\ufb01", "\U0001f600"]
    assert store.names() == wanted
    assert store.names(after="a") == wanted[4:]
    assert store.names(after="a.", limit=2) == ["a/b", "b"]
    assert store.names(limit=0) == []
    assert store.backend.count("sample") == len(names)  # type: ignore[attr-defined]
