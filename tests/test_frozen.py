"""Frozen dataclasses of our own do what those of Python do, and Python's functions know them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from pipestat_spec import frozen


@frozen.dataclass(frozen=True)
class Plain:
    """Fields of every kind."""

    one: int
    two: str = "b"
    made: dict[str, int] = frozen.field(default_factory=dict)
    hidden: list[int] = frozen.field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.one < 0:
            raise ValueError("negative")


@frozen.dataclass(frozen=True, slots=True)
class Slotted:
    one: int
    two: str | None = None


@frozen.dataclass(frozen=True, eq=False)
class Unequal:
    one: int


def test_fields_are_set_and_stay() -> None:
    plain = Plain(1)
    assert (plain.one, plain.two, plain.made, plain.hidden) == (1, "b", {}, [])
    assert plain.made is not Plain(1).made
    assert Plain(one=1, two="c").two == "c"
    for change in (lambda: setattr(plain, "one", 2), lambda: delattr(plain, "one")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    with pytest.raises(ValueError, match="negative"):
        Plain(-1)


@pytest.mark.parametrize("arguments", [((), {}), ((1, "b", {}, [], 5), {}), ((1,), {"three": 3})])
def test_wrong_arguments_are_refused(arguments: tuple[Any, Any]) -> None:
    given, named = arguments
    with pytest.raises(TypeError):
        Plain(*given, **named)


def test_values_make_them_equal() -> None:
    assert Plain(1, hidden=[1]) == Plain(1, hidden=[2])
    assert Plain(1) != Plain(2)
    assert Slotted(1) == Slotted(1)
    assert Slotted(1) != Plain(1)
    assert len({Slotted(1), Slotted(1), Slotted(2)}) == 2
    assert Unequal(1) != Unequal(1)


def test_what_they_look_like() -> None:
    assert repr(Plain(1, hidden=[2])) == "Plain(one=1, two='b', made={})"
    assert not hasattr(Slotted(1), "__dict__")


@pytest.mark.parametrize("value", [Plain(1, "c", {"a": 1}), Slotted(1, "x")])
def test_copies_are_equal(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value
    assert copy.copy(value) == value


@pytest.mark.parametrize("replace", [frozen.replace, dataclasses.replace])
def test_both_replace_both(replace: Any) -> None:
    standard = dataclasses.make_dataclass("Standard", [("one", int), ("two", str)], frozen=True)
    for kind in (Plain, Slotted, standard):
        found = replace(kind(1, "b"), one=2)
        assert (type(found), found.one, found.two) == (kind, 2, "b")


def test_python_knows_the_fields() -> None:
    assert [one.name for one in dataclasses.fields(Plain)] == ["one", "two", "made", "hidden"]
    assert dataclasses.asdict(Plain(1)) == {"one": 1, "two": "b", "made": {}, "hidden": []}
