"""Rules for names, by spec/core.md."""

from __future__ import annotations

import pytest

from pipestat_spec.errors import InvalidIdentifierError, PipestatDataError
from pipestat_spec.models.identifiers import check_record_identifier, check_result_identifier


@pytest.mark.parametrize(
    "name",
    [
        "s1",
        "a/b",
        "../../evil",
        "é ü",
        "no",
        "1e3",
        "b_x",
        "x" * 255,
        "😀" * 255,
        "a.b",
        '"',
        " ",
        "meta",
    ],
)
def test_record_identifiers(name: str) -> None:
    assert check_record_identifier(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 256, "a\nb", "a\x1fb", "a\x7f", "a\x85", "a\0", 1, None, "\udc80"]
)
def test_what_is_no_record_identifier(name: object) -> None:
    with pytest.raises(PipestatDataError) as caught:
        check_record_identifier(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "meta",
        "record_identifier",
        "id",
        "status",
        "project_name",
        "pipeline_name",
        "sample_name",
        "pipestat_created_time",
        "pipestat_modified_time",
        "pipestat_extended_data",
    ],
)
def test_reserved_names_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(
        InvalidIdentifierError, match=f"'{name}' cannot name a result: it|: PEPs|: databases"
    ):
        check_result_identifier(name)


def test_result_identifiers_may_hold_spaces() -> None:
    assert check_result_identifier("Name with spaces") == "Name with spaces"
