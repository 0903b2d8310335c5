"""What a caller can say about a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipestat_spec.plugins.exporter_options import refuse_unknown, wrong_option

__all__ = ["Options", "read_options"]


@dataclass(frozen=True)
class Options:
    """How a report is made.

    `title` stands on top (default: the output schema's title, else the pipeline's name);
    `mode` is the view that it opens on, `table` or `gallery` (None: the overview).
    `not_reported` names records that a workflow knows; those that are not in the store are
    shown as such. `thumbnails_budget` is how many bytes of pictures are embedded at most,
    `thumbnail_width` their width in pixels. `fetch_images` makes them of images at addresses
    too. `portable` makes a zip file with what is linked.
    """

    title: str | None = None
    mode: str | None = None
    not_reported: tuple[str, ...] = ()
    thumbnails_budget: int = 8_000_000
    thumbnail_width: int = 320
    fetch_images: bool = False
    portable: bool = False

    def __post_init__(self) -> None:
        if self.mode not in (None, "table", "gallery"):
            raise wrong_option("mode", self.mode, "use 'table' or 'gallery'")
        if not isinstance(self.title, str | None):
            raise wrong_option("title", self.title, "give text")
        for name, least in (("thumbnails_budget", 0), ("thumbnail_width", 16)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise wrong_option(name, value, f"give a whole number from {least}")
        if not all(isinstance(name, str) for name in self.not_reported):
            raise wrong_option(
                "not_reported", self.not_reported, "give a list of record identifiers"
            )


def read_options(options: Mapping[str, Any]) -> Options:
    """Return the options of a mapping; raises PipestatSummarizeError that names the wrong one."""
    refuse_unknown(options, [field.name for field in fields(Options)], "the report")
    values = dict(options)
    given = values.get("not_reported", ())
    if isinstance(given, str):
        raise wrong_option("not_reported", given, "give a list of record identifiers")
    values["not_reported"] = tuple(given)
    return Options(**values)
