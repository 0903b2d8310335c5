"""What a caller can say about an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["Options", "read_options"]


@dataclass(frozen=True)
class Options:
    """How a table is made.

    `level` is sample or project. `columns` names the columns beside `record_identifier` (None:
    the status and all results); `flatten` gives objects a column for each key. `missing` stands
    in text formats for what was not reported. `types` writes the columns' types beside a CSV or
    TSV file.
    """

    level: Level = "sample"
    columns: tuple[str, ...] | None = None
    flatten: bool = False
    missing: str = "NA"
    types: bool = False

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise _wrong("level", self.level, f"use {' or '.join(LEVELS)}")
        if self.columns is not None and not all(isinstance(name, str) for name in self.columns):
            raise _wrong("columns", self.columns, "give a list of names")
        if not str(self.missing).isprintable():
            raise _wrong("missing", self.missing, "give a short text such as NA")
        for name in ("flatten", "types"):
            if not isinstance(getattr(self, name), bool):
                raise _wrong(name, getattr(self, name), "use true or false")


def read_options(options: Mapping[str, Any]) -> Options:
    """Return the options of a mapping; raises PipestatSummarizeError that names the wrong one."""
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else "known are " + ", ".join(known)
            raise PipestatSummarizeError(f"a table has no option {name!r}", hint=hint)
    values = dict(options)
    if isinstance(values.get("columns"), str):
        raise _wrong("columns", values["columns"], "give a list of names")
    if values.get("columns") is not None:
        values["columns"] = tuple(values["columns"])
    return Options(**values)


def _wrong(name: str, value: object, hint: str) -> PipestatSummarizeError:
    return PipestatSummarizeError(f"{name}: {shorten(value, 40)} is not possible", hint=hint)
