"""The options of a backend: its own section of a configuration (spec/configuration.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipestat_spec.documents.explain import explain
from pipestat_spec.errors import MissingConfigDataError

__all__ = ["Options", "parse_options"]

_Model = TypeVar("_Model", bound=BaseModel)


class Options(BaseModel):
    """The model to derive a plugin's options from: immutable, unknown keys are refused.

    Texts of numbers and booleans are accepted, since `${VAR}` gives texts. A password is a
    `SecretStr`; no error shows a value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def parse_options(
    model: type[_Model], section: Mapping[str, Any], backend: str, where: str
) -> _Model:
    """Return the section of a backend, checked; `where` names the configuration in errors.

    Raises MissingConfigDataError with every problem.
    """
    try:
        return model.model_validate(section)
    except ValidationError as error:
        problems = [f"{where}: {line}" for line in explain(error, model, (backend,), secret=True)]
        raise MissingConfigDataError("\n".join(problems), problems=problems) from None
