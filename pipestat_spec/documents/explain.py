"""What pydantic refuses, in the words of this package: the key, what is wrong, what mends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from pipestat_spec.errors import PipestatError
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["checked", "explain"]

_T = TypeVar("_T")
# What a value of each kind is not; the braces are filled from the error's own data.
_EXPECTED = {
    **dict.fromkeys(("bool_parsing", "bool_type"), "true or false"),
    **dict.fromkeys(("dict_type", "model_attributes_type", "model_type"), "an object"),
    **dict.fromkeys(
        ("int_from_float", "int_parsing", "int_parsing_size", "int_type"), "an integer"
    ),
    **dict.fromkeys(("float_parsing", "float_type"), "a number"),
    "finite_number": "a finite number",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "an array",
    "literal_error": "one of {expected}",
    "string_too_long": "a string with {max_length} or fewer characters",
    "string_too_short": "a string with {min_length} or more characters",
    "string_type": "a string",
}


def checked(rule: Callable[[Any], _T]) -> Callable[[Any], _T]:
    """Return `rule` with its PipestatError turned into errors that pydantic collects."""

    def check(value: Any) -> _T:
        try:
            return rule(value)
        except PipestatError as error:
            problems = [
                PydanticCustomError("pipestat", "{problem}", {"problem": problem})
                for problem in error.problems
            ]
        details = [InitErrorDetails(type=problem, input=None) for problem in problems]
        raise ValidationError.from_exception_data("", details)

    return check


def explain(
    error: ValidationError, model: type[BaseModel], at: Sequence[str] = (), *, secret: bool = False
) -> list[str]:
    """Return one line for each problem of a document of `model`.

    `at` are the keys that lead to the document. With `secret` no line shows what was given.
    """
    return [
        _line(detail, model, at, None if secret else shorten(repr(detail["input"])))
        for detail in error.errors(include_url=False)
    ]


def _line(
    detail: ErrorDetails, model: type[BaseModel], at: Sequence[str], given: str | None
) -> str:
    key = ".".join((*at, *map(str, detail["loc"])))
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"the key {key!r} is missing"
    if kind == "extra_forbidden":
        inside = len(detail["loc"]) > 1
        mend = "remove it" if inside else _known(str(detail["loc"][-1]), model)
        return f"unknown key {shorten(key)!r}; {mend}"
    if kind in _EXPECTED:
        return f"{key}: {given or 'the value'} is not {_EXPECTED[kind].format_map(context)}"
    message = detail["msg"]
    if kind == "value_error":
        message = str(context["error"])
    elif kind not in ("document", "pipestat"):
        message = message[:1].lower() + message[1:] + (f", not {given}" if given else "")
    return message if not key or message.startswith(("result ", key)) else f"{key}: {message}"


def _known(name: str, model: type[BaseModel]) -> str:
    known = [field.alias or key for key, field in model.model_fields.items()]
    near = nearest(name, known) or next((k for k in known if k.startswith(name)), None)
    return f"did you mean {near!r}?" if near else "known keys are " + ", ".join(known)
