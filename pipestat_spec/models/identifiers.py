"""Rules for the names of records, results and namespaces (spec/core.md)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pipestat_spec.errors import InvalidIdentifierError
from pipestat_spec.text.strings import check_text, shorten

__all__ = [
    "MAX_IDENTIFIER",
    "RESERVED",
    "check_namespace",
    "check_record_identifier",
    "check_result_identifier",
]

# Characters, not bytes.
MAX_IDENTIFIER = 255

# Names that a store uses for itself, with the reason that an error gives.
RESERVED = {
    "meta": "it holds the times and the history of a record",
    "record_identifier": "it names the record",
    "id": "databases use it as the key",
    "status": "it holds the status of the run",
    "project_name": "it names the project",
    "pipeline_name": "it names the namespace",
    "sample_name": "PEPs use it to name the sample",
    "pipestat_created_time": "it holds the time of the first report",
    "pipestat_modified_time": "it holds the time of the last report",
    "pipestat_extended_data": "databases keep results in it that the schema does not name",
}


def check_record_identifier(identifier: object) -> str:
    """Return a valid record identifier; raises InvalidIdentifierError."""
    return _check(identifier, "record identifier")


def check_result_identifier(identifier: object) -> str:
    """Return a valid, not reserved result identifier; raises InvalidIdentifierError."""
    # Each of many records has the same ones.
    return _known_result(identifier) if type(identifier) is str else _result(identifier)


def _result(identifier: object) -> str:
    name = _check(identifier, "result identifier")
    if name in RESERVED:
        raise InvalidIdentifierError(
            f"{name!r} cannot name a result: {RESERVED[name]}",
            hint="choose another name",
            identifier=name,
        )
    return name


_known_result = lru_cache(maxsize=4096)(_result)


def check_namespace(identifier: object) -> str:
    """Return a valid namespace (pipeline name); raises InvalidIdentifierError."""
    return _check(identifier, "pipeline name")


def _check(identifier: object, what: str) -> str:
    if not isinstance(identifier, str):
        raise InvalidIdentifierError(
            f"{what} {shorten(identifier)} is not a string",
            hint="give a non-empty string",
            identifier=identifier,
        )
    name = check_text(str.__str__(identifier), what)
    if not name:
        raise InvalidIdentifierError(f"the {what} is empty", hint="give a non-empty string")
    if len(name) > MAX_IDENTIFIER:
        raise InvalidIdentifierError(
            f"{what} {shorten(name, 40)!r} has {len(name)} characters",
            hint=f"at most {MAX_IDENTIFIER} are allowed",
        )
    if not name.isprintable() and any(unicodedata.category(c) == "Cc" for c in name):
        raise InvalidIdentifierError(
            f"{what} {shorten(name)!r} holds a control character", hint="remove it"
        )
    return name
