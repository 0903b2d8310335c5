"""Deliberately faulty implementations: the gate on the suite itself.

`python -m conformance_selfcheck.mutants` shows which rules catch which mutant.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from pipestat_conformance.targets.target import Target

from conformance_selfcheck.mutants.mutation import REGISTRY, Mutant

__all__ = ["SPECIAL", "Mutant", "all_mutants", "find_mutant"]

_FAMILIES = (
    "values",
    "identifiers",
    "records",
    "schema",
    "results",
    "history",
    "status",
    "query",
    "pages",
    "qc",
    "documents",
    "yaml_layout",
    "yaml_metadata",
    "yaml_writing",
    "yaml_reading",
    "yaml_status",
    "writer_protocol",
    "guarantees",
    "careless",
    "careless_values",
    "careless_stores",
    "processes",
    "sql_layout",
    "sql_columns",
    "sql_queries",
    "sql_entries",
)
# They break more than a rule; none of them may come out conformant.
SPECIAL = ("null", "always-unsupported", "claims-everything")


@cache
def all_mutants() -> Mapping[str, Mutant]:
    """Return the mutants by name, in the order of their families."""
    for family in _FAMILIES:
        import_module(f"conformance_selfcheck.mutants.{family}")
    return REGISTRY


def find_mutant(name: str) -> Target:
    """Return a mutant, or one of `SPECIAL`, as a target; raises LookupError."""
    if name in SPECIAL:
        from conformance_selfcheck.mutants.special import special_target

        return special_target(name)
    mutant = all_mutants().get(name)
    if mutant is None:
        raise LookupError(f"there is no mutant {name!r}")
    return mutant.make()
