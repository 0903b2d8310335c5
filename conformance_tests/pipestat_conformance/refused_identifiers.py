"""Record identifiers that a store says it cannot hold (SPEC.md section 3.2).

A store on a server may not be able to name every record, such as one with a slash. It declares
a regular expression; vectors with such a record are left out as `unsupported`, and probes see
to it that the store does refuse what it says. It may not declare more than is odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipestat_conformance.vectors import Opening, Step, Vector

__all__ = ["refusal_probes", "refused_identifier", "refuses_too_much"]

# What no store may refuse.
_PLAIN = ("s1", "S1", "s1_x", "a-b", "a.b", "a b", "no", "123", "50%", "a#b?c", "é")
_PROBED = {"slash": "a/b", "backslash": "a\\b", "dots": "..", "colon": "a:b", "blank": " "}


def refuses_too_much(pattern: str) -> str | None:
    """Return what is wrong with a declared pattern, or None."""
    try:
        found = next((name for name in _PLAIN if re.search(pattern, name)), None)
    except re.error as error:
        return f"the pattern {pattern!r} is no regular expression: {error}"
    return None if found is None else f"the pattern {pattern!r} refuses the record {found!r}"


def refused_identifier(vector: Vector, pattern: str | None) -> str | None:
    """Return a record identifier of a vector that the store cannot hold, or None."""
    if pattern is None or vector.id.startswith("probe."):
        return None
    return next((name for name in _records(vector) if re.search(pattern, name)), None)


def _records(vector: Vector) -> Iterator[str]:
    for step in vector.steps:
        yield from _named(step.args)
        for document in step.args.get("documents") or ():
            if isinstance(document, Mapping):
                yield from _named(document, "record_identifier")


def _named(args: Mapping[str, Any], key: str = "record") -> Iterable[str]:
    records = args.get("records")
    several = records if isinstance(records, Mapping) else ()
    return [name for name in (args.get(key), *several) if isinstance(name, str)]


def refusal_probes(pattern: str | None) -> list[Vector]:
    """Return a vector for each kind of identifier that the pattern says is refused."""
    refused = {"error": "validation"}
    return [
        Vector(
            id=f"probe.identifier.{kind}",
            title=f"the record {name!r}, which the store says it cannot hold, is refused",
            requirements=("PS-ID-001", "PS-GUA-005"),
            opening=Opening(None, {"namespace": "ns"}),
            steps=(
                Step("1", "report", {"record": "s1", "values": {"n": 1}}),
                Step("2", "report", {"record": name, "values": {"n": 1}}, refused),
                Step("3", "retrieve", {"record": name}, refused),
                Step("4", "remove", {"record": name}, refused),
                Step("5", "records", {}, {"result": ["s1"]}),
            ),
        )
        for kind, name in _PROBED.items()
        if pattern is not None and re.search(pattern, name)
    ]
