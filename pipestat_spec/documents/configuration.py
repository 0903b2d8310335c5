"""The configuration as a pydantic model, made from the table of its keys (SPEC.md section 13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema

from pipestat_spec.configuration import parse_config
from pipestat_spec.documents.fields import checked
from pipestat_spec.models.config import KEYS, LOOPER_KEYS, Config, Kind
from pipestat_spec.models.layout import LAYOUTS
from pipestat_spec.models.record import LEVELS, Level

__all__ = ["ConfigDocument"]

_TYPES: dict[Kind, Any] = {
    "string": str,
    "path": str,
    "address": str,
    "boolean": bool,
    "mapping": dict[str, Any],
    "level": Level,
    "layout": Literal["records", "levels"],
}
# What a file may say; variables stand for any of these as text.
_JSON_SCHEMAS: dict[Kind, dict[str, Any]] = {
    "string": {"type": ["string", "number", "null"]},
    "path": {"type": ["string", "null"]},
    "address": {"type": ["string", "null"]},
    "boolean": {"type": ["boolean", "string", "null"]},
    "mapping": {"type": ["object", "null"]},
    "level": {"enum": [*LEVELS, None]},
    "layout": {"enum": [*LAYOUTS, None]},
}


class _ConfigDocument(BaseModel):
    """Settings by key, and the sections of backends by name.

    The validation context may hold `path` (the file that relative paths refer to),
    `backends` (names that a section can have) and `environment`.
    """

    model_config = ConfigDict(
        frozen=True, extra="allow", title="Configuration", hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, document: Any, info: ValidationInfo) -> Any:
        context = info.context or {}

        def parse(document: Any) -> Config:
            return parse_config(
                document,
                context.get("path"),
                backends=context.get("backends", ()),
                environment=context.get("environment"),
            )

        config = checked(parse)(document)
        return {**config.values, **config.sections}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        properties: dict[str, Any] = {
            name: {"description": key.description, **_JSON_SCHEMAS[key.kind]}
            for name, key in KEYS.items()
        }
        for name in sorted(LOOPER_KEYS - KEYS.keys()):
            properties[name] = {"description": "a key of looper's own, passed over"}
        schema["properties"] = properties
        # The section of a backend stands under its name.
        schema["additionalProperties"] = {"type": "object"}
        return reference

    def to_config(self) -> Config:
        """Return the settings as the run time holds them."""
        values = {key: getattr(self, key) for key in KEYS if key in self.model_fields_set}
        return Config(values, dict(self.model_extra or {}))

    @classmethod
    def from_config(cls, config: Config) -> _ConfigDocument:
        """Return the document of checked settings."""
        settings = {**config.values, **config.sections}
        return cls.model_construct(set(settings), **settings)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # Keys only: a value may be a password.
        return [(None, key) for key in sorted(self.model_fields_set)]


_FIELDS: dict[str, Any] = {
    name: (_TYPES[key.kind] | None, Field(None, description=key.description))
    for name, key in KEYS.items()
}
ConfigDocument: type[_ConfigDocument] = create_model(
    "ConfigDocument", __base__=_ConfigDocument, __doc__=_ConfigDocument.__doc__, **_FIELDS
)
