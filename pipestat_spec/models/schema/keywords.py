"""Which keywords of JSON Schema 2020-12 hold schemas, and the walks over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipestat_spec.models.schema.types import SchemaPath

__all__ = [
    "IN_PLACE",
    "MAX_APPLIED",
    "ONE_SCHEMA",
    "SCHEMA_LISTS",
    "SCHEMA_MAPS",
    "parts",
    "subschemas",
]

# Keywords whose value is a schema, a list of schemas, a mapping to schemas.
# fmt: off
ONE_SCHEMA = frozenset((
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items",
    "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
))
SCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
SCHEMA_MAPS = frozenset(("dependentSchemas", "patternProperties", "properties"))
# What is in these is applied to the very value that the schema itself is applied to.
IN_PLACE = frozenset((
    "allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then",
))
# fmt: on
# Schemas that may apply to one and the same value, each as often as references lead to it.
MAX_APPLIED = 10_000


def parts(schema: object) -> Iterator[tuple[SchemaPath, object]]:
    """Yield the schemas directly in a schema, each with the way to it; `$defs` too."""
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        if key in ONE_SCHEMA:
            yield (key,), value
        elif key in SCHEMA_LISTS and isinstance(value, list):
            yield from (((key, str(i)), item) for i, item in enumerate(value))
        elif (key in SCHEMA_MAPS or key == "$defs") and isinstance(value, Mapping):
            yield from (((key, str(name)), item) for name, item in value.items())


def subschemas(schema: object, path: SchemaPath = ()) -> Iterator[tuple[SchemaPath, object]]:
    """Yield a schema and all that is in it, each with the way to it."""
    yield path, schema
    for inside, part in parts(schema):
        yield from subschemas(part, (*path, *inside))
