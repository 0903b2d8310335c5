"""References inside an output schema (SPEC.md section 4): JSON pointers after a `#`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.result_types import OBJECT_TYPES
from pipestat_spec.models.schema_errors import SchemaPath, schema_error
from pipestat_spec.models.text import nearest, shorten

__all__ = ["References", "pointer", "references_in_place"]


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


def references_in_place(schema: object) -> Iterator[str]:
    """Yield the references that a schema applies to the very value that it is applied to."""
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield schema["$ref"]
    for key in ("allOf", "anyOf", "oneOf", "not", "if", "then", "else"):
        branches = schema.get(key)
        for branch in branches if isinstance(branches, list) else [branches]:
            yield from references_in_place(branch)


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
