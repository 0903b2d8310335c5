"""What a caller can say about a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["Options", "read_options"]


@dataclass(frozen=True)
class Options:
    """How a report is made.

    `title` stands on top (default: the output schema's title, else the pipeline's name);
    `mode` is the view that it opens on, `table` or `gallery` (None: the overview).
    `not_reported` names records that a workflow knows; those that are not in the store are
    shown as such. `thumbnails_budget` is how many bytes of pictures are embedded at most,
    `thumbnail_width` their width in pixels. `portable` makes a zip file with what is linked.
    """

    title: str | None = None
    mode: str | None = None
    not_reported: tuple[str, ...] = ()
    thumbnails_budget: int = 8_000_000
    thumbnail_width: int = 320
    portable: bool = False

    def __post_init__(self) -> None:
        if self.mode not in (None, "table", "gallery"):
            raise _wrong("mode", self.mode, "use 'table' or 'gallery'")
        if not isinstance(self.title, str | None):
            raise _wrong("title", self.title, "give text")
        for name, least in (("thumbnails_budget", 0), ("thumbnail_width", 16)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise _wrong(name, value, f"give a whole number from {least}")
        if not all(isinstance(name, str) for name in self.not_reported):
            raise _wrong("not_reported", self.not_reported, "give a list of record identifiers")


def read_options(options: Mapping[str, Any]) -> Options:
    """Return the options of a mapping; raises PipestatSummarizeError that names the wrong one."""
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else "known are " + ", ".join(known)
            raise PipestatSummarizeError(f"the report has no option {name!r}", hint=hint)
    values = dict(options)
    given = values.get("not_reported", ())
    if isinstance(given, str):
        raise _wrong("not_reported", given, "give a list of record identifiers")
    values["not_reported"] = tuple(given)
    return Options(**values)


def _wrong(name: str, value: object, hint: str) -> PipestatSummarizeError:
    return PipestatSummarizeError(f"{name}: {shorten(value, 40)} is not possible", hint=hint)
