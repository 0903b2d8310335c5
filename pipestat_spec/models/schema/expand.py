"""Writing out one result's schema, so that it validates on its own (spec/schema.md)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.schema.keywords import (
    IN_PLACE,
    MAX_APPLIED,
    ONE_SCHEMA,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    parts,
)
from pipestat_spec.models.schema.types import (
    JSON_TYPES,
    OBJECT_TYPES,
    QC,
    VALIDATION_KEYWORDS,
    SchemaPath,
    declared_types,
    is_result_definition,
    schema_error,
)
from pipestat_spec.problems import Problems
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "Expander",
    "References",
    "describe_no_mapping",
    "pointer",
]


class References:
    """Finds what the references of one result lead to."""

    def __init__(
        self,
        document: Mapping[str, Any],
        result: Mapping[str, Any],
        source: str | None,
        path: SchemaPath,
    ) -> None:
        self._source = source
        # A definition may also stand inside the result that refers to it, as tools write it.
        self._roots = ((document, ()), (result, path))

    def resolve(self, reference: object, path: SchemaPath) -> tuple[object, SchemaPath]:
        """Return what the reference at `path` leads to, and where; raises SchemaError."""
        if not isinstance(reference, str):
            raise schema_error(
                self._source, path, f"{shorten(repr(reference))} is not a reference", "quote it"
            )
        own = self._roots[0][0].get("$id")
        local = reference.removeprefix(own) if isinstance(own, str) and own else reference
        if not local.startswith("#/"):
            problem = (
                f"the reference {shorten(repr(reference))} leads out of this file"
                if not local.startswith("#")
                else f"the reference {shorten(repr(reference))} is no pointer to a definition"
            )
            raise schema_error(self._source, path, problem, "copy it to $defs and use #/$defs/NAME")
        segments = [_unescape(part) for part in local[2:].split("/")]
        for root, base in self._roots:
            found, target = _walk(root, segments)
            if found == len(segments):
                return target, (*base, *segments)
        raise self._dangling(reference, segments, path)

    def _dangling(self, reference: str, segments: list[str], path: SchemaPath) -> SchemaError:
        found, place = _walk(self._roots[0][0], segments)
        known = list(map(str, place)) if isinstance(place, Mapping) else []
        near = nearest(segments[found], known)
        base = "#/" + "".join(f"{_escape(part)}/" for part in segments[:found])
        if segments[-1] in OBJECT_TYPES and near is None:
            hint = f"write type: {segments[-1]}"
        elif near:
            hint = f"did you mean {base}{_escape(near)}?"
        elif "$defs" in self._roots[0][0] or found:
            hint = f"{base[:-1]} holds " + (shorten(", ".join(known), 120) or "nothing")
        else:
            hint = "define it under $defs at the top of the file"
        problem = f"the reference {shorten(repr(reference))} leads nowhere"
        return schema_error(self._source, path, problem, hint)


def _walk(root: object, segments: list[str]) -> tuple[int, object]:
    """Return how many of the segments lead on, and where to."""
    place = root
    for count, segment in enumerate(segments):
        if isinstance(place, Mapping) and segment in place:
            place = place[segment]
        elif isinstance(place, list) and segment.isdecimal() and int(segment) < len(place):
            place = place[int(segment)]
        else:
            return count, place
    return len(segments), place


def _unescape(segment: str) -> str:
    if "%" in segment:
        from urllib.parse import unquote

        segment = unquote(segment)
    return segment.replace("~1", "/").replace("~0", "~")


def _escape(segment: str) -> str:
    if segment.isidentifier() and segment.isascii():
        return segment
    from urllib.parse import quote

    return quote(segment.replace("~", "~0").replace("/", "~1"), safe="~!$&'()*+,;=:@")


def pointer(name: str) -> str:
    """Return the reference to a definition by its name."""
    return "#/$defs/" + _escape(name)


# fmt: off
# Definitions are gathered at the top; names for other documents have no use in there.
_DROPPED = frozenset((
    "$anchor", "$defs", "$dynamicAnchor", "$id", "$recursiveAnchor", "$schema", "$vocabulary",
    "definitions",
))
# fmt: on
# Annotations that JSON Schema wants in one form only; in another one they are left out.
_ANNOTATIONS: Mapping[str, type] = {
    **dict.fromkeys(("$comment", "description", "format", "title"), str),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), bool),
    "examples": list,
}
_MAX_DEPTH = 100


class Expander:
    """Copies one result's schema: shorthands written out, definitions gathered."""

    def __init__(
        self,
        document: Mapping[str, Any],
        result: Mapping[str, Any],
        source: str | None,
        path: SchemaPath,
        problems: Problems,
    ) -> None:
        self.source = source
        self.definitions: dict[str, Any] = {}
        self.by_reference: dict[str, Any] = {}
        # QC rules at the result and inside its schema, each with its place.
        self.checks: list[tuple[SchemaPath, object]] = []
        self._references = References(document, result, source, path)
        self._problems = problems
        self._names: dict[SchemaPath, str] = {}
        self._taken: set[str] = set()
        self._waiting: deque[tuple[str, object, SchemaPath]] = deque()

    def expand_result(self, result: Mapping[Any, Any], path: SchemaPath) -> dict[str, Any]:
        """Return the schema of a result, with all that its references lead to in `$defs`."""
        schema = self._mapping(result, path, 0)
        while self._waiting:
            name, target, where = self._waiting.popleft()
            self.definitions[name] = self._expand(target, where, 0)
            self.by_reference[pointer(name)] = self.definitions[name]
        with self._problems:
            self._refuse_circles(schema, path)
        return {**schema, "$defs": self.definitions} if self.definitions else schema

    def _expand(self, schema: object, path: SchemaPath, depth: int) -> dict[str, Any] | bool:
        if isinstance(schema, bool):
            return schema
        with self._problems:
            if not isinstance(schema, Mapping):
                raise schema_error(self.source, path, *describe_no_mapping(schema))
            return self._mapping(schema, path, depth)
        return True

    def _mapping(self, schema: Mapping[Any, Any], path: SchemaPath, depth: int) -> dict[str, Any]:
        if depth > _MAX_DEPTH:
            raise schema_error(
                self.source, path[:8], f"the depth is more than {_MAX_DEPTH}", "use $defs"
            )
        expanded: dict[str, Any] = {}
        types: tuple[str, ...] = ()
        if "type" in schema:
            with self._problems:
                types = declared_types(schema["type"], self.source, (*path, "type"))
                expanded["type"] = _type_keyword(types)
            if sum(name == "object" or name in OBJECT_TYPES for name in types) > 1:
                return self._alternatives(schema, types, path, depth)
        if "image" in (*types, schema.get("object_type")):
            schema = _with_thumbnail_path(schema)
        for shorthand in OBJECT_TYPES:
            schema = _with_properties(schema, shorthand) if shorthand in types else schema
        for key, value in schema.items():
            if not isinstance(key, str):
                raise schema_error(
                    self.source, path, f"the key {key!r} is not a string", "quote it"
                )
            if key == QC:
                self.checks.append(((*path, key), value))
            wanted = _ANNOTATIONS.get(key)
            misused = wanted is not None and not isinstance(value, wanted)
            if key != "type" and key not in _DROPPED and not misused:
                with self._problems:
                    expanded[key] = self._keyword(key, value, (*path, key), depth + 1)
        return expanded

    def _alternatives(
        self, schema: Mapping[Any, Any], types: tuple[str, ...], path: SchemaPath, depth: int
    ) -> dict[str, Any]:
        """Write out a list of types that holds several objects: each one by itself."""
        beside = {key: value for key, value in schema.items() if key not in VALIDATION_KEYWORDS}
        shared = {key: schema[key] for key in schema if key in VALIDATION_KEYWORDS}
        plain = [name for name in types if name not in OBJECT_TYPES]
        shorthands = [name for name in types if name in OBJECT_TYPES]
        branches = [
            self._mapping({**shared, "type": one}, path, depth + 1)
            for one in (*shorthands, *([plain] if plain else []))
        ]
        object_type = "image" if "image" in shorthands else "file"
        return {
            "object_type": object_type,
            **self._mapping(beside, path, depth),
            "anyOf": branches,
        }

    def _keyword(self, key: str, value: Any, path: SchemaPath, depth: int) -> Any:
        if key == "$ref":
            return self._reference(value, path)
        if key == "pattern":
            self._check_pattern(value, path)
        if key in ("$dynamicRef", "$recursiveRef"):
            raise schema_error(self.source, path, f"{key} is not supported", "use $ref")
        if key in SCHEMA_MAPS:
            if not isinstance(value, Mapping):
                raise schema_error(
                    self.source,
                    path,
                    f"{shorten(repr(value))} is not a mapping",
                    "map names to schemas",
                )
            if key == "patternProperties":
                for pattern in value:
                    self._check_pattern(pattern, path)
            return {
                self._name(name, path): self._expand(item, (*path, str(name)), depth)
                for name, item in value.items()
            }
        if key in SCHEMA_LISTS and not isinstance(value, list):
            problem = f"{shorten(repr(value))} is not a list"
            raise schema_error(
                self.source, path, problem, "list schemas, for example [{type: string}]"
            )
        if isinstance(value, list) and (key in SCHEMA_LISTS or key == "items"):
            return [self._expand(item, (*path, str(i)), depth) for i, item in enumerate(value)]
        return self._expand(value, path, depth) if key in ONE_SCHEMA else value

    def _check_pattern(self, pattern: object, path: SchemaPath) -> None:
        from pipestat_spec.text.patterns import PatternError, translated

        if isinstance(pattern, str):
            try:
                translated(pattern)
            except PatternError as error:
                raise schema_error(self.source, path, str(error), error.hint) from None

    def _name(self, name: object, path: SchemaPath) -> str:
        if isinstance(name, str):
            return name
        raise schema_error(self.source, path, f"the name {name!r} is not a string", "quote it")

    def _reference(self, reference: object, path: SchemaPath) -> str:
        target, where = self._references.resolve(reference, path)
        name = self._names.get(where)
        if name is None:
            name = self._free_name(where)
            self._names[where] = name
            self._waiting.append((name, target, where))
        return pointer(name)

    def _free_name(self, where: SchemaPath) -> str:
        name = where[-1]
        number = 2
        while name in self._taken:
            name = f"{where[-1]}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def _refuse_circles(self, schema: object, path: SchemaPath) -> None:
        """Refuse references that never end, or hardly ever.

        These lead back without a step into the value, or lead to the same definitions again and
        again: `a` twice to `b`, `b` twice to `c`.
        """
        places = {pointer(name): where for where, name in self._names.items()}
        known: dict[str, int] = {}

        def applied(place: object, where: SchemaPath, above: tuple[str, ...]) -> int:
            """Return how many schemas a schema applies to one value."""
            if not isinstance(place, Mapping):
                return 1
            found = 1 + sum(
                applied(part, where, above)
                for inside, part in parts(place)
                if inside[0] in IN_PLACE
            )
            if "$ref" in place:
                found += followed(place["$ref"], where, above)
            if found > MAX_APPLIED:
                raise schema_error(
                    self.source,
                    where,
                    f"more than {MAX_APPLIED} schemas apply to one value",
                    "refer to a definition once, not in several branches",
                )
            return found

        def followed(reference: str, where: SchemaPath, above: tuple[str, ...]) -> int:
            if reference in above:
                raise schema_error(
                    self.source, where, "the reference leads back to itself", "define a type there"
                )
            if reference not in known:
                inside = (*above, reference)
                known[reference] = applied(self.by_reference[reference], places[reference], inside)
            return known[reference]

        applied(schema, path, ())

    def chain(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return `schema` and what it refers to, one after the other."""
        chain = [schema]
        while isinstance(target := self.by_reference.get(chain[-1].get("$ref", "")), Mapping):
            chain.append(target)
        return chain


def describe_no_mapping(value: object) -> tuple[str, str]:
    """Return the problem of a value in the place of a schema, and what mends it."""
    if value is None:
        return "nothing is defined here", "add a type, for example {type: integer}"
    kind = value if value in (*JSON_TYPES, *OBJECT_TYPES) else "integer"
    example = "{type: " + str(kind) + "}"
    return f"{shorten(repr(value))} is not a schema", (
        f"write {example}" if kind is value else f"write a mapping such as {example}"
    )


def _type_keyword(types: tuple[str, ...]) -> str | list[str]:
    plain = list(dict.fromkeys("object" if name in OBJECT_TYPES else name for name in types))
    return plain[0] if len(plain) == 1 else plain


def _with_properties(schema: Mapping[Any, Any], shorthand: str) -> dict[Any, Any]:
    """Write out a `file` or `image`, keeping what the author adds to it."""
    names, required = OBJECT_TYPES[shorthand]
    written = schema.get("properties", {})
    if not isinstance(written, Mapping):
        return dict(schema)  # refused where properties are expanded
    own = dict(written)
    more = schema.get("required", [])
    if not isinstance(more, list):
        return dict(schema)  # refused when the keywords are checked
    properties = {name: _string_property(own.pop(name, {})) for name in names}
    return {
        "object_type": shorthand,
        **schema,
        "properties": {**properties, **own},
        "required": [*required, *(name for name in more if name not in required)],
    }


def _with_thumbnail_path(schema: Mapping[Any, Any]) -> dict[Any, Any]:
    """Call the thumbnail of an image by one name: the published text knows two."""
    renamed = dict(schema)
    own, required = schema.get("properties"), schema.get("required")
    if isinstance(own, Mapping) and "thumbnail" in own:
        rest = {name: value for name, value in own.items() if name != "thumbnail"}
        renamed["properties"] = {"thumbnail_path": own["thumbnail"], **rest}
    if isinstance(required, list) and "thumbnail" in required:
        names = ("thumbnail_path" if name == "thumbnail" else name for name in required)
        renamed["required"] = list(dict.fromkeys(names))
    return renamed


def _string_property(declared: object) -> object:
    if isinstance(declared, str):  # some authors write a description in place of a schema
        return {"type": "string", "description": declared}
    if isinstance(declared, Mapping) and not is_result_definition(declared):
        return {"type": "string", **declared}
    return declared
