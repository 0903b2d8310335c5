"""Identifiers as parts of file names (spec/writers.md)."""

from __future__ import annotations

import re

__all__ = ["PLACEHOLDER", "cut_component", "encode_component", "expand_record_path"]

# Stands in a results path for the record whose file it is.
PLACEHOLDER = "{record_identifier}"
_LONGEST_COMPONENT = 200
_ENCODED = '[/\\\\%:*?"<>|\\x00-\\x1f\\x7f-\\x9f]|^\\.'


def expand_record_path(template: str, identifier: str) -> str:
    """Return the path of one record's file."""
    return template.replace(PLACEHOLDER, encode_component(identifier))


def encode_component(identifier: str) -> str:
    """Return an identifier as part of a file name: escaped, and cut when it is long."""
    return cut_component(re.sub(_ENCODED, _percent, identifier), identifier)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def cut_component(text: str, hashed: str) -> str:
    """Return at most 200 bytes: the text, or its beginning and a hash of `hashed`."""
    if len(text) * 4 <= _LONGEST_COMPONENT:
        return text
    data = text.encode()
    if len(data) <= _LONGEST_COMPONENT:
        return text
    from hashlib import sha256

    digest = sha256(hashed.encode()).hexdigest()[:16]
    kept = data[: _LONGEST_COMPONENT - len(digest) - 1].decode(errors="ignore")
    return f"{kept}~{digest}"
