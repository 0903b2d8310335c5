"""Frozen dataclasses for the path of a report: `dataclass`, `field` and `replace`.

They do what those of `dataclasses` do, as far as the classes here use it. Python's module imports
`inspect`, and compiles six methods for each class; here one, `__init__`, when the class is first
made use of (docs/adr/0003). `dataclasses.fields` and `dataclasses.replace` know these classes too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace

__all__ = ["dataclass", "field", "replace"]

_MISSING = object()


class _Field:
    """One field: its default, if any, or what makes one."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(
        self,
        default: Any = _MISSING,
        factory: Callable[[], Any] | None = None,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.default, self.factory, self.repr, self.compare = default, factory, repr, compare

    def arguments(self) -> dict[str, Any]:
        """Return what `dataclasses.field` takes for it."""
        made: dict[str, Any] = {"repr": self.repr, "compare": self.compare}
        if self.factory is not None:
            made["default_factory"] = self.factory
        elif self.default is not _MISSING:
            made["default"] = self.default
        return made


class _Fields:
    """`__dataclass_fields__`, made when someone asks for it."""

    def __get__(self, _: object, owner: type) -> Any:
        import dataclasses

        made = [
            (name, owner.__annotations__[name], dataclasses.field(**one.arguments()))
            for name, one in _fields_of(owner).items()
        ]
        standard = dataclasses.make_dataclass(owner.__name__, made, frozen=True)
        fields = vars(standard)["__dataclass_fields__"]
        setattr(owner, "__dataclass_fields__", fields)  # noqa: B010
        return fields


def _fields_of(kind: Any) -> dict[str, _Field]:
    found: dict[str, _Field] = kind.__frozen_fields__
    return found


if not TYPE_CHECKING:

    def field(*, default=_MISSING, default_factory=None, repr=True, compare=True):
        """Describe a field as `dataclasses.field` does."""
        return _Field(default, default_factory, repr, compare)

    def dataclass(*, frozen, slots=False, eq=True, init=True):
        """Make a class a frozen dataclass, as `dataclasses.dataclass` does."""
        assert frozen

        def made(cls: type) -> type:
            return _dataclass(cls, slots, eq, init)

        return made

    def replace(instance, /, **changes):
        """Return a copy of any dataclass's instance with other values of some fields."""
        kind = type(instance)
        for name in kind.__match_args__:
            if name not in changes:
                changes[name] = getattr(instance, name)
        return kind(**changes)


def _dataclass(cls: type, slots: bool, eq: bool, init: bool) -> type:
    given = dict(vars(cls))
    fields: dict[str, _Field] = {}
    for name in given["__annotations__"]:
        value = given.get(name, _MISSING)
        fields[name] = value if isinstance(value, _Field) else _Field(value)
        if slots or fields[name].default is _MISSING:
            given.pop(name, None)
        else:
            given[name] = fields[name].default
    for name in ("__dict__", "__weakref__"):
        given.pop(name, None)
    if slots:
        given["__slots__"] = tuple(fields)
    given["__match_args__"] = tuple(fields)
    given["__frozen_fields__"] = fields
    given["__dataclass_fields__"] = _Fields()
    given.update(__setattr__=_set, __delattr__=_delete, __reduce__=_reduce)
    given.setdefault("__repr__", _repr)
    if eq:
        given.update(__eq__=_equal, __hash__=_hash)
    made = type(cls)(cls.__name__, cls.__bases__, given)
    if init:
        setattr(made, "__init__", _first_init(made))  # noqa: B010
    return made


def _first_init(cls: Any) -> Callable[..., None]:
    """Return an `__init__` that puts a compiled one into its place."""

    def __init__(self: object, *args: Any, **kwargs: Any) -> None:
        made = cls.__init__ = _compiled_init(cls)
        made(self, *args, **kwargs)

    return __init__


def _compiled_init(cls: type) -> Callable[..., None]:
    parameters, lines = ["self"], []
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": _MISSING}
    for name, one in _fields_of(cls).items():
        value = name
        if one.factory is not None:
            scope[f"_make_{name}"] = one.factory
            parameters.append(f"{name}=_missing")
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif one.default is not _MISSING:
            scope[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f" _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    exec(f"def __init__({', '.join(parameters)}):\n{''.join(lines)}", scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _refusal(said: str) -> AttributeError:
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(said)


def _set(_: object, name: str, __: object) -> None:
    raise _refusal(f"cannot assign to field {name!r}")


def _delete(_: object, name: str) -> None:
    raise _refusal(f"cannot delete field {name!r}")


def _compared(self: object) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name, one in _fields_of(self).items() if one.compare)


def _equal(self: object, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: object) -> int:
    return hash(_compared(self))


def _repr(self: object) -> str:
    shown = (
        f"{name}={getattr(self, name)!r}" for name, one in _fields_of(self).items() if one.repr
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: object) -> tuple[type, tuple[Any, ...]]:
    return type(self), tuple(getattr(self, name) for name in _fields_of(self))
