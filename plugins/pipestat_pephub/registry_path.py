"""Registry paths, by which PEPhub names a project (spec/pephub.md)."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.strings import shorten

__all__ = ["DEFAULT_TAG", "RegistryPath", "parse_registry_path"]

DEFAULT_TAG = "default"
# What an address could give another meaning is in no name, dots alone included.
_NAME = r"(?!\.\.?(?:[/:]|$))[^\s/:?#%@\\\x00-\x1f\x7f]+"
_PATH = re.compile(rf"(?P<namespace>{_NAME})/(?P<project>{_NAME})(?::(?P<tag>{_NAME}))?")


class RegistryPath(NamedTuple):
    """The three names of a project."""

    namespace: str
    project: str
    tag: str = DEFAULT_TAG

    def __str__(self) -> str:
        return f"{self.namespace}/{self.project}:{self.tag}"


def parse_registry_path(text: str) -> RegistryPath:
    """Read `namespace/project` or `namespace/project:tag`; raises MissingConfigDataError."""
    found = _PATH.fullmatch(text)
    if found is None:
        raise MissingConfigDataError(
            f"pephub_path: {shorten(text)!r} names no project",
            hint="the form is namespace/project or namespace/project:tag, "
            "for example databio/example:default",
            key="pephub_path",
        )
    return RegistryPath(found["namespace"], found["project"], found["tag"] or DEFAULT_TAG)
