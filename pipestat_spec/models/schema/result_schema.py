"""One result's schema: self-contained JSON Schema 2020-12 (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipestat_spec.models.schema.expand import Expander, describe_no_mapping
from pipestat_spec.models.schema.types import (
    OBJECT_TYPES,
    VALIDATION_KEYWORDS,
    SchemaPath,
    admitted_types,
    is_result_definition,
    schema_error,
)
from pipestat_spec.problems import Problems

if TYPE_CHECKING:
    from pipestat_spec.models.schema.qc import QcCheck

__all__ = ["ResultSchema", "in_place", "parse_result_schema"]

# Keywords that hold values, in which nothing is a reference.
_DATA = frozenset({"const", "default", "enum", "examples"})


@dataclass(frozen=True, eq=False)
class ResultSchema:
    """What one result may be.

    `schema` validates on its own; `declared` is what the author wrote. `types` are the
    JSON types admitted at the top (`file` and `image` are objects), None when the schema
    does not tell. `exact_type` is the one that `type`, references resolved, names alone.
    `only_types` says that nothing beyond the type is asked. `object_type`
    is `file` or `image` for a result that is one. `definitions` maps the references in
    `schema` to what they lead to. `qc` are its QC rules. Two are equal when they are one object.
    """

    identifier: str
    schema: Mapping[str, Any]
    declared: Mapping[str, Any]
    types: frozenset[str] | None = None
    exact_type: str | None = None
    description: str | None = None
    highlight: bool = False
    index: bool = False
    object_type: str | None = None
    only_types: bool = False
    source: str | None = None
    path: SchemaPath = ()
    definitions: Mapping[str, Any] = field(default_factory=dict, repr=False)
    template: ResultSchema | None = field(default=None, repr=False)
    qc: tuple[QcCheck, ...] = ()

    @property
    def title(self) -> str | None:
        """The author's title of the result."""
        title = self.declared.get("title")
        return title if isinstance(title, str) else None

    def named(self, identifier: str) -> ResultSchema:
        """Return the same schema for another result; `template` is the one it came from."""
        return replace(self, identifier=identifier, template=self.template or self)

    @property
    def written_out(self) -> dict[str, Any]:
        """The schema with references followed; one that leads back to itself stays."""
        writer = _Writer(self.definitions)
        own = {key: value for key, value in self.schema.items() if key != "$defs"}
        whole: dict[str, Any] = writer.written(own)
        return {**whole, "$defs": self.schema["$defs"]} if writer.is_recursive else whole

    @cached_property
    def has_images(self) -> bool:
        """Whether the result is an image or holds images."""
        return _mentions_image(self.schema)

    @cached_property
    def plain_class(self) -> type | None:
        """The class of those values that are stored as given, whatever they are; or None."""
        if not self.only_types or self.has_images:
            return None
        return _CLASSES.get(self.exact_type or "")


_CLASSES: Mapping[str, type] = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
}


class _Writer:
    """Puts in the place of references what they lead to, each written once.

    `is_recursive`: one led back to itself, and stays.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._written: dict[str, Mapping[str, Any] | None] = {}
        self.is_recursive = False

    def written(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self.written(item) for item in part]
        if not isinstance(part, Mapping):
            return part
        own = {key: value if key in _DATA else self.written(value) for key, value in part.items()}
        reference = part.get("$ref")
        if not isinstance(reference, str) or reference not in self._definitions:
            return own
        if reference not in self._written:
            self._written[reference] = None
            self._written[reference] = self.written(self._definitions[reference])
        target = self._written[reference]
        if target is None:
            self.is_recursive = True
            return own
        del own["$ref"]
        return {**target, **own}


def _mentions_image(part: object) -> bool:
    if isinstance(part, Mapping):
        return part.get("object_type") == "image" or any(map(_mentions_image, part.values()))
    return isinstance(part, list) and any(map(_mentions_image, part))


def in_place(schemas: Iterable[object], definitions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the schemas and those that they apply to the same value, each once."""
    found: dict[int, Mapping[str, Any]] = {}
    waiting = list(schemas)[::-1]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, Mapping) and id(schema) not in found:
            found[id(schema)] = schema
            parts = [definitions.get(schema.get("$ref", ""))]
            for key in ("allOf", "anyOf", "oneOf"):
                branches = schema.get(key)
                parts += branches if isinstance(branches, list) else []
            parts += [schema.get("then"), schema.get("else")]
            waiting += parts[::-1]
    return list(found.values())


def _holds_records(declared: Mapping[str, Any]) -> bool:
    """Tell the records of a results file, which are taken for a definition by mistake."""
    return any(isinstance(value, Mapping) and "meta" in value for value in declared.values())


def parse_result_schema(
    identifier: str,
    declared: object,
    document: Mapping[str, Any],
    source: str | None,
    path: SchemaPath,
    problems: Problems,
) -> ResultSchema:
    """Return the schema of one result, with the definitions of `document` that it needs.

    Raises SchemaError for an unknown type, a reference that leads nowhere or elsewhere,
    and a definition that defines nothing; `problems` may collect them.
    """
    if not isinstance(declared, Mapping):
        raise schema_error(source, path, *describe_no_mapping(declared))
    with problems:
        if not is_result_definition(declared) and not declared.keys() & {"const", "type"}:
            raise schema_error(
                source,
                path,
                "the result has no type",
                "is it a results file? Name it with -f (in Python results_file_path)"
                if _holds_records(declared)
                else "add one, for example type: integer (or $ref, anyOf, oneOf, allOf, enum, "
                "const)",
            )
    expander = Expander(document, declared, source, path, problems)
    try:
        schema = expander.expand_result(declared, path)
    except RecursionError:
        raise schema_error(source, path, "too many references in a row") from None
    top = expander.chain(schema)
    qc: tuple[QcCheck, ...] = ()
    if expander.checks:
        from pipestat_spec.models.schema.qc import result_checks

        qc = result_checks([declared, *top], expander.checks, source, path, problems)
    types = next((part["type"] for part in top if "type" in part), None)
    return ResultSchema(
        identifier,
        schema,
        declared,
        types=admitted_types(schema, expander.by_reference),
        exact_type=types if isinstance(types, str) else None,
        description=next((d for s in top if isinstance(d := s.get("description"), str)), None),
        highlight=declared.get("highlight") is True,
        index=declared.get("index") is True,
        object_type=next((t for s in top for t in OBJECT_TYPES if s.get("object_type") == t), None),
        only_types=not VALIDATION_KEYWORDS & (schema.keys() - {"type"}),
        source=source,
        path=path,
        definitions=expander.by_reference,
        qc=qc,
    )
