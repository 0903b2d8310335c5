"""URLs with `{record_identifier}`: one object for each record."""

from __future__ import annotations

import logging
from itertools import product
from typing import Any

import pytest
from pipestat_yaml.remote import object_index
from pipestat_yaml.remote.object_index import emptied_size
from pipestat_yaml.text.name_template import NameTemplate

from pipestat_spec import PipestatManager
from tests.conformance.suite_runs import FULL
from tests.remote.conftest import LISTED, Managers, Place

NAMES = ["../../evil", "a/b", "é ü", "no", "1e3", "b", "b_x", "x" * 255, "\U0001f600" * 255, ".h"]
TEMPLATES = [
    "out/{record_identifier}/results.yaml",
    "out/{record_identifier}.yaml",
    "out/{record_identifier}/{record_identifier}_r.yaml",
    "out [1]/r_{record_identifier}",
]


def at(place: Place, template: str) -> str:
    return f"s3://{place.bucket.name}/{template}"


@pytest.fixture
def many(place: Place, manager: Managers) -> PipestatManager:
    """140 records in objects of their own: more than are listed, and than are read, at once."""
    psm = manager(results_file_path=at(place, "r/{record_identifier}.yaml"))
    psm.report_many({f"s{number:03}": {"n": number} for number in range(140)})
    place.proxy.requests()
    made: PipestatManager = psm
    return made


CASES = [(template, "records", 0) for template in TEMPLATES]
CASES += [(TEMPLATES[0], "records", 100), *((TEMPLATES[1], "levels", read) for read in (0, 100))]
if FULL:
    CASES = list(product(TEMPLATES, ("records", "levels"), (0, 100)))


@pytest.mark.parametrize(("template", "layout", "read_anyway"), CASES)
def test_each_record_has_an_object(
    place: Place,
    manager: Managers,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    layout: str,
    read_anyway: int,
) -> None:
    monkeypatch.setattr(object_index, "READ_ANYWAY", read_anyway)
    psm = manager(results_file_path=at(place, template), layout=layout)
    assert psm.count_records() == 0
    for number, name in enumerate(NAMES):
        psm.report({"n": number}, name)
        psm.set_status("completed", name)
    assert [r["record_identifier"] for r in psm.select_records()["records"]] == sorted(NAMES)
    page = psm.select_records(cursor="a/b", limit=2)
    assert [r["record_identifier"] for r in page["records"]] == ["b", "b_x"]
    assert (page["total_size"], page["next_page_token"]) == (len(NAMES), "b_x")
    assert psm.count_records() == len(place.bucket.names()) == len(NAMES)
    for number, name in enumerate(NAMES):
        assert psm.retrieve_one(name, "n") == number
        assert psm.get_status(name) == "completed"
    for name in NAMES[3:]:
        psm.remove_record(name, rm_record=True)
    # The objects stay, as files do; the records are gone.
    assert len(place.bucket.names()) == len(NAMES)
    assert psm.count_records() == 3
    assert psm.select_records(limit=2)["total_size"] == 3


def test_a_page_reads_its_own_objects_only(place: Place, many: PipestatManager) -> None:
    assert many.count_records() == 140
    # Two pages of a list.
    assert place.proxy.requests() == ["GET", "GET"]
    page = many.select_records(limit=10, cursor="s099")
    assert [record["n"] for record in page["records"]] == list(range(100, 110))
    assert (page["total_size"], page["next_page_token"]) == (140, "s109")
    assert len(place.proxy.requests()) == 2 + 10
    assert many.select_records(limit=10, cursor="s129")["next_page_token"] is None
    place.proxy.requests()
    assert many.select_records(where="n >= 135", limit=2)["total_size"] == 5
    assert len(place.proxy.requests()) == 2 + 140


def test_one_record_is_one_object(place: Place, many: PipestatManager) -> None:
    many.report({"m": 1}, "s007")
    assert place.proxy.requests() == ["GET", "PUT"]
    assert many.retrieve_one("s007") == {"n": 7, "m": 1, "record_identifier": "s007"}
    assert place.proxy.requests() == ["GET"]


def test_many_records_are_a_get_and_a_put_each(place: Place, many: PipestatManager) -> None:
    many.report_many({f"s{number:03}": {"m": number} for number in range(40)})
    assert sorted(place.proxy.requests()) == ["GET"] * 40 + ["PUT"] * 40


def test_a_list_of_several_pages(place: Place, manager: Managers) -> None:
    for number in range(2 * LISTED + 5):
        place.bucket.put(f"p/s{number}.yaml", f"demo: {{s{number}: {{n: {number}}}}}\n".encode())
    psm = manager(results_file_path=at(place, "p/{record_identifier}.yaml"))
    assert psm.count_records() == 2 * LISTED + 5
    assert psm.select_records(where=f"n > {2 * LISTED + 2}")["total_size"] == 2


def test_what_is_small_is_read(
    place: Place, many: PipestatManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.remove_record("s003", rm_record=True)
    place.bucket.put("r/s251.yaml", b"demo: {s251: {n: 251}}\n")
    place.bucket.put("r/s252.yaml", b"")
    # In another object than its name says; and a name that says nothing.
    place.bucket.put("r/s253.yaml", b"demo: {s999: {n: 1}}\n")
    place.bucket.put("r/a%2fb.yaml", b"demo: {a/b: {n: 1, text: " + b"x" * 400 + b"}}\n")
    place.bucket.put("r/.hidden.yaml", b"demo: {hidden: {n: 1}}\n")
    place.bucket.put("r/deep/s1.yaml", b"demo: {deep: {n: 1}}\n")
    assert many.count_records() == 140
    names = [record["record_identifier"] for record in many.select_records()["records"]]
    assert names == sorted({f"s{n:03}" for n in range(140)} - {"s003"} | {"s251"})


def test_strangers_are_named(
    place: Place, manager: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    place.bucket.put("r/all.yaml", b"demo: {s1: {n: 8}, all: {n: 9}}\n")
    place.bucket.put("r/other.yaml", b"other: {other: {n: 8}}\n")
    psm = manager(results_file_path=at(place, "r/{record_identifier}.yaml"))
    with caplog.at_level(logging.WARNING):
        assert psm.count_records() == 1
        assert psm.count_records() == 1
    assert [record.getMessage() for record in caplog.records] == [
        f"{at(place, 'r/all.yaml')} also holds record 's1' (1 in all), which belongs into "
        "another object"
    ]
    assert [record["n"] for record in psm.select_records()["records"]] == [9]


def test_the_only_namespace_is_found(place: Place, manager: Managers) -> None:
    url = at(place, "r/{record_identifier}.yaml")
    manager(results_file_path=url).report({"n": 1}, "s1")
    place.bucket.put("r/x.yaml", b"other: {y: {n: 8}}\n")
    assert manager(results_file_path=url, pipeline_name=None).pipeline_name == "demo"


def test_both_levels(place: Place, manager: Managers) -> None:
    psm = manager(results_file_path=at(place, "{record_identifier}.yaml"), layout="levels")
    psm.report({"n": 1}, "s1")
    psm.report({"n": 2}, "p1", level="project")
    assert (psm.count_records("sample"), psm.count_records("project")) == (1, 1)
    assert psm.retrieve_one("p1", "n", level="project") == 2


@pytest.mark.parametrize(
    ("template", "key", "identifier"),
    [
        ("r/{record_identifier}.yaml", "r/s1.yaml", "s1"),
        ("r/{record_identifier}.yaml", "r/a%2Fb.yaml", "a/b"),
        ("r/{record_identifier}.yaml", "r/a%2fb.yaml", None),
        ("r/{record_identifier}.yaml", "r/%41.yaml", None),
        ("r/{record_identifier}.yaml", "r/%FF.yaml", None),
        ("r/{record_identifier}.yaml", "r/%2Eh.yaml", ".h"),
        ("{record_identifier}/{record_identifier}.yaml", "a/a.yaml", "a"),
        ("{record_identifier}/{record_identifier}.yaml", "a/b.yaml", None),
        ("r/{record_identifier}.yaml", "r/" + "x" * 183 + "~0123456789abcdef.yaml", None),
        ("r/{record_identifier}.yaml", "r/x~0123456789abcdef.yaml", "x~0123456789abcdef"),
    ],
)
def test_what_a_name_says(template: str, key: str, identifier: str | None) -> None:
    assert NameTemplate(template).identifier(key) == identifier


@pytest.mark.parametrize(
    ("template", "key", "matches"),
    [
        ("r/{record_identifier}", "r/s1", True),
        ("r/{record_identifier}", "r/.s1", False),
        ("r/.{record_identifier}", "r/.s1", True),
        ("r/{record_identifier}", "r/a/b", False),
        ("r/{record_identifier}", "r/demo_s1_running.flag", False),
        ("r/{record_identifier}.flag", "r/s1.flag", True),
        ("r/x{record_identifier}", "r/x.s1", True),
        ("{record_identifier}.y", "axy", False),
    ],
)
def test_what_a_template_matches(template: str, key: str, matches: bool) -> None:
    assert NameTemplate(template).matches(key) is matches


def test_the_size_of_an_emptied_object(place: Place, manager: Managers) -> None:
    sizes: dict[str, Any] = {}
    for layout in ("records", "levels"):
        psm = manager(results_file_path=at(place, layout), layout=layout)
        psm.report({"n": 1}, "s1")
        full = place.bucket.get(layout)
        psm.remove_record("s1", rm_record=True)
        empty = place.bucket.get(layout)
        assert full is not None
        assert empty is not None
        sizes[layout] = len(empty)
        assert len(empty) <= emptied_size("demo") < len(full)
    assert emptied_size("demo") == max(sizes.values())
