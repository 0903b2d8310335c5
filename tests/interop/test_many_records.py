"""A file of 1,500 records: each is found, filters and pages see them all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager

COUNT = 1500
NAMES = [f"sample_{number}" for number in range(COUNT)]


def values(number: int) -> dict[str, Any]:
    group = ("a", "b", "c")[number % 3]
    return {"number": number, "group": group, "nested": {"half": number / 2}}


@pytest.fixture(scope="module", params=["records", "levels", "written by PyYAML"])
def psm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PipestatManager]:
    path = tmp_path_factory.mktemp("many") / "results.yaml"
    foreign = request.param.startswith("written")
    layout = None if foreign else request.param
    if foreign:
        records = {name: values(number) for number, name in enumerate(NAMES)}
        path.write_text(yaml.dump({"p": records}, Dumper=yaml.CSafeDumper))
    with PipestatManager(results_file_path=path, pipeline_name="p", layout=layout) as manager:
        if not foreign:
            numbers = list(range(COUNT))
            random.Random(1).shuffle(numbers)
            manager.report_many({NAMES[number]: values(number) for number in numbers})
        yield manager


def names(page: Any) -> list[str]:
    return [record["record_identifier"] for record in page["records"]]


def test_each_is_retrieved(psm: PipestatManager) -> None:
    for number, name in enumerate(NAMES):
        assert psm.retrieve_one(name, "number") == number
    assert psm.count_records() == len(psm) == COUNT
    assert list(psm) == sorted(NAMES)


def test_filters_see_all(psm: PipestatManager) -> None:
    last = {"key": "number", "operator": "ge", "value": COUNT - 5}
    page = psm.select_records(filter_conditions=[last])
    assert sorted(names(page)) == sorted(NAMES[-5:])
    assert page["total_size"] == 5
    page = psm.select_records(where="group = 'b' and nested.half >= 700", limit=10)
    wanted = sorted(NAMES[n] for n in range(COUNT) if n % 3 == 1 and n / 2 >= 700)
    assert page["total_size"] == len(wanted) == 33
    assert names(page) == wanted[:10]
    (one,) = psm.select_records(where=f"record_identifier = '{NAMES[1499]}'")["records"]
    assert one == {**values(1499), "record_identifier": NAMES[1499]}


@pytest.mark.parametrize("limit", [500, 350, 1, 1500, 2500])
def test_cursors_meet_each_match_once(psm: PipestatManager, limit: int) -> None:
    # One record a page is 1,500 searches of 1,500 records; a filter keeps it short.
    where = "number < 15" if limit == 1 else None
    total = 15 if limit == 1 else COUNT
    met: list[str] = []
    cursor = None
    while True:
        page = psm.select_records(limit=limit, cursor=cursor, where=where)
        assert page["total_size"] == total
        assert len(page["records"]) <= limit
        met += names(page)
        cursor = page["next_page_token"]
        if cursor is None:
            break
        assert len(page["records"]) == limit
    assert met == sorted(NAMES[:total])


def test_other_listings(psm: PipestatManager) -> None:
    assert psm.select_distinct("group") == [("a",), ("b",), ("c",)]
    page = psm.retrieve_many([NAMES[5], NAMES[1250], "no such record"])
    assert names(page) == sorted([NAMES[5], NAMES[1250]])
    assert sum(1 for _ in psm.iter_records()) == COUNT
    assert len(list(psm.iter_records(limit=10, cursor=NAMES[1000]))) == 10
