"""Paths with `{record_identifier}`, and which record a path is for (spec/writers.md)."""

from __future__ import annotations

import re
from urllib.parse import unquote

from pipestat_spec.text.file_names import PLACEHOLDER, expand_record_path

__all__ = ["NameTemplate"]

_CUT = re.compile(r"~[0-9a-f]{16}\Z")
# Bytes of a name from which on it may have been cut; the last character may have fallen away.
_LONG = 190


class NameTemplate:
    """A path, or the key of an object, with `{record_identifier}` in it."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.prefix = template.partition(PLACEHOLDER)[0]
        # As for local files, a name that begins with a dot is none that a placeholder stands for.
        parts = [re.escape(part) for part in template.split(PLACEHOLDER)]
        pattern = parts[0]
        for before, part in zip(template.split(PLACEHOLDER), parts[1:], strict=False):
            hidden = r"(?!\.)" if before == "" or before.endswith("/") else ""
            pattern += f"{hidden}([^/]+){part}"
        self._pattern = re.compile(pattern, re.DOTALL)
        self._flags_too = template.endswith(".flag")

    def key(self, identifier: str) -> str:
        """Return the path of a record."""
        return expand_record_path(self.template, identifier)

    def matches(self, key: str) -> bool:
        """Tell whether the template could name the path: flags may lie beside it."""
        return self._pattern.fullmatch(key) is not None and (
            self._flags_too or not key.endswith(".flag")
        )

    def identifier(self, key: str) -> str | None:
        """Return the only record that the path can be for; None if the content decides."""
        match = self._pattern.fullmatch(key)
        if match is None:
            return None
        name = match[1]
        if _CUT.search(name) and len(name.encode()) >= _LONG:
            return None
        try:
            identifier = unquote(name, errors="strict")
        except UnicodeDecodeError:
            return None
        return identifier if identifier and self.key(identifier) == key else None
