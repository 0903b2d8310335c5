"""Statuses that the name of a flag could not tell apart."""

from __future__ import annotations

import pytest

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.schema.status_schema import parse_status_schema
from tests.work import is_linear

ENTRY = {"description": "x", "color": [0, 0, 0]}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["done", "well_done"], "'well_done' ends in '_done'"),
        (["well_done", "done"], "'well_done' ends in '_done'"),
        (["b", "a__b"], "'a__b' ends in '_b'"),
        (["b_c", "a_b_c"], "'a_b_c' ends in '_b_c'"),
        (["x" * 62, "a_" + "x" * 62], "' ends in '_xxx"),
        (["1", "a_1"], "'a_1' ends in '_1'"),
    ],
)
def test_one_that_ends_in_another(names: list[str], told: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_status_schema(dict.fromkeys(names, ENTRY))
    assert told in caught.value.message


@pytest.mark.parametrize(
    "names", [["done", "undone"], ["done", "done_"], ["a_b", "a"], ["a-b", "b"]]
)
def test_others_are_told_apart(names: list[str]) -> None:
    assert list(parse_status_schema(dict.fromkeys(names, ENTRY))) == names


def test_many_statuses() -> None:
    assert is_linear(lambda n: parse_status_schema({f"a_b_c{i}": ENTRY for i in range(n)}))
