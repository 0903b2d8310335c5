"""The requirement catalogue: one entry for every rule of the specification."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipestat_conformance.data_files import catalogue_file, protocol_schema, rules_file

__all__ = ["CatalogueError", "Requirement", "load_catalogue", "parse_catalogue", "rule_texts"]


class CatalogueError(Exception):
    """The catalogue is wrong; the text names the entry."""


@dataclass(frozen=True)
class Requirement:
    """One rule: how binding it is, where it stands, where it comes from, how it is tested."""

    id: str
    title: str
    level: str
    section: str
    basis: str
    since: str
    testability: str
    profiles: Sequence[str]
    capability: str | None = None
    reason: str | None = None

    @property
    def binding(self) -> bool:
        """Whether conformance depends on it."""
        return self.level == "must"


@cache
def load_catalogue() -> Mapping[str, Requirement]:
    """Return the requirements by id, in the order of the file; raises CatalogueError."""
    import yaml

    file = catalogue_file()
    try:
        # The parser in C takes a tenth of the time, where PyYAML has it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(file.read_text(encoding="utf-8"), loader)
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"requirements.yaml: {error}") from None
    return parse_catalogue(document)


def parse_catalogue(document: Any) -> Mapping[str, Requirement]:
    """Check a catalogue; raises CatalogueError."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(protocol_schema("requirements")))
    for problem in validator.iter_errors(document):
        entry = document[problem.absolute_path[0]] if problem.absolute_path else {}
        name = entry.get("id", "?") if isinstance(entry, dict) else "?"
        raise CatalogueError(f"requirements.yaml: {name}: {problem.message}")
    requirements: dict[str, Requirement] = {}
    for entry in document:
        if entry["id"] in requirements:
            raise CatalogueError(f"requirements.yaml: {entry['id']} is there twice")
        requirements[entry["id"]] = Requirement(**entry)
    return requirements


@cache
def rule_texts() -> Mapping[str, str]:
    """Return the text of each rule of the specification by its id, as `rules.json` holds it."""
    texts: dict[str, str] = json.loads(rules_file().read_text(encoding="utf-8"))
    return texts
