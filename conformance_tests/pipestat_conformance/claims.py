"""What a target may claim, and the probes that hold it to its claims.

Capabilities and profiles are the closed lists of spec/core.md and spec/README.md. A store on a
server may not be able to name every record, such as one with a slash (PS-ID-001): it declares a
regular expression of what it refuses; vectors with such a record are left out as `unsupported`, and
probes see to it that the store does refuse what it says. It may not declare more than is odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipestat_conformance.special_values import decode
from pipestat_conformance.vectors import Opening, Step, Vector

__all__ = [
    "CAPABILITIES",
    "EXCLUDED_BY",
    "PROFILES",
    "TRIAL_PROFILES",
    "ClaimError",
    "check_claims",
    "optional_profile",
    "probes",
    "refused_identifier",
    "refuses_too_much",
    "with_needed",
]

CAPABILITIES = (
    "concurrent-writers",
    "durable",
    "history",
    "status",
    "status-times",
    "times",
    "source",
    "project-level",
    "multi-namespace",
    "unnamed-namespace",
    "native-query",
    "atomic-batch",
    "exact-integers",
)


# The profiles that each profile needs; its rules are those that the catalogue gives to it.
PROFILES: Mapping[str, tuple[str, ...]] = {
    "emitter": (),
    "reader": (),
    "core": (),
    "schema": ("core",),
    "documents": ("core", "schema"),
    "history": ("core",),
    "query": ("core",),
    "qc": ("core", "schema", "query"),
    "concurrent-writers": ("core",),
    "durable": ("core",),
    "exact-integers": ("core",),
    "yaml-layout": ("core", "reader"),
    "sql-layout": ("core", "schema"),
}
# Of two capabilities a store has one at most (PS-CAP-008).
EXCLUDED_BY = {"unnamed-namespace": "multi-namespace", "multi-namespace": "unnamed-namespace"}
# What these promise can only be tried, again and again, with processes.
TRIAL_PROFILES = ("concurrent-writers", "durable")


class ClaimError(Exception):
    """A target claims what is not on the closed lists, or nothing."""


def with_needed(profiles: Iterable[str]) -> tuple[str, ...]:
    """Return the profiles and those that they need, in the order of the specification."""
    found = {need for name in profiles for need in (name, *PROFILES[name])}
    return tuple(name for name in PROFILES if name in found)


def optional_profile(op: str, args: Mapping[str, object]) -> str | None:
    """Return the profile without which an operation may be answered `unsupported`, or None.

    Nothing that can be claimed promises to convert text (PS-RES-009), and to list a part of the
    records: for these it is the empty string.
    """
    if op in ("select", "distinct", "recent"):
        return "query"
    if op == "verdict":
        return "qc"
    if op == "ingest":
        return "documents"
    if op == "emit":
        return "emitter"
    if op == "report" and args.get("convert"):
        return ""
    if op == "records" and {"after", "limit"} & args.keys():
        return ""
    return None


def check_claims(
    capabilities: Iterable[str], profiles: Iterable[str], refused_identifiers: str | None = None
) -> None:
    """Raise ClaimError for an unknown name, too many refused ones, and without any profile."""
    unknown = [f"capability {name!r}" for name in capabilities if name not in CAPABILITIES]
    unknown += [f"profile {name!r}" for name in profiles if name not in PROFILES]
    if unknown:
        raise ClaimError(f"the {unknown[0]} is not on the list of the specification")
    if EXCLUDED_BY.keys() <= set(capabilities):
        both = " and ".join(EXCLUDED_BY.values())
        raise ClaimError(f"{both} exclude each other (PS-CAP-008)")
    if not tuple(profiles):
        raise ClaimError(f"no profile is claimed; profiles: {', '.join(PROFILES)}")
    if refused_identifiers is not None:
        problem = refuses_too_much(refused_identifiers)
        if problem is not None:
            raise ClaimError(problem)


_UNSUPPORTED = {"error": "unsupported"}
_PROBED: Mapping[str, tuple[str, dict[str, object]]] = {
    "history": ("history", {"record": "s1"}),
    "status": ("set_status", {"record": "s1", "status": "running"}),
    "times": ("recent", {}),
    "source": ("report", {"record": "s1", "values": {"n": 2}, "source": {"run": "r1"}}),
    "project-level": ("report", {"record": "p1", "values": {"n": 1}, "level": "project"}),
}


def probes(capabilities: Iterable[str], refused_identifiers: str | None = None) -> list[Vector]:
    """Return a vector for each capability that is not claimed: it has to answer `unsupported`.

    What the other capabilities promise has no operation of its own (PS-CAP-002). Others see to
    it that identifiers are refused that the store says it refuses.
    """
    claimed = set(capabilities)
    return _refusal_probes(refused_identifiers) + [
        Vector(
            id=f"probe.{name}",
            title=f"without the capability {name}, {op} answers unsupported",
            requirements=("PS-CAP-002",),
            opening=Opening(None, {"namespace": "ns"}),
            steps=(
                Step("1", "report", {"record": "s1", "values": {"n": 1}}),
                Step("2", op, args, _UNSUPPORTED),
            ),
        )
        for name, (op, args) in _PROBED.items()
        if name not in claimed
    ]


# What no store may refuse.
_PLAIN = ("s1", "S1", "s1_x", "a-b", "a.b", "a b", "no", "123", "50%", "a#b?c", "é")
_REFUSABLE = {"slash": "a/b", "backslash": "a\\b", "dots": "..", "colon": "a:b", "blank": " "}


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
        # A document names records that no store has to hold.
        if step.op == "emit":
            continue
        yield from _named(step.args)
        for document in step.args.get("documents") or ():
            if isinstance(document, Mapping):
                yield from _named(document, "record_identifier")


def _named(args: Mapping[str, Any], key: str = "record") -> Iterable[str]:
    records = decode(args.get("records"))
    several = records if isinstance(records, Mapping) else ()
    return [name for name in (args.get(key), *several) if isinstance(name, str)]


def _refusal_probes(pattern: str | None) -> list[Vector]:
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
        for kind, name in _REFUSABLE.items()
        if pattern is not None and re.search(pattern, name)
    ]
