"""What makes a test a fast one is read from its file; nobody keeps a list."""

from __future__ import annotations

import pytest

from tests.fast import TESTS, is_slow, left_out_files, starts_something
from tests.legs import leave_out


@pytest.mark.parametrize(
    ("file", "starts"),
    [
        ("domain/test_values.py", False),
        ("cli/test_reading.py", False),
        ("test_fast.py", False),
        ("manager/test_signals.py", True),  # itself
        ("cli/test_process.py", True),  # through a module of tests/
        ("sql/test_tables.py", True),  # through the conftest of its folder
        ("conformance/test_faulty_harnesses.py", True),  # by what it judges
    ],
)
def test_a_file_is_fast_when_it_imports_nothing_that_starts(file: str, starts: bool) -> None:
    assert starts_something(TESTS / file) is starts
    assert (TESTS / file in left_out_files()) is starts


@pytest.mark.slow
def test_a_test_may_be_marked(request: pytest.FixtureRequest) -> None:
    assert is_slow(request.node)


@pytest.fixture
def from_outside() -> None:
    """A fixture that could leave its leg out."""
    if not TESTS.is_dir():
        leave_out("tests", "there are none", "clone the repository")


def test_a_fixture_may_need_something_from_outside(
    request: pytest.FixtureRequest, from_outside: None
) -> None:
    assert is_slow(request.node)


def test_other_tests_are_fast(request: pytest.FixtureRequest, schema_file: object) -> None:
    assert not is_slow(request.node)
