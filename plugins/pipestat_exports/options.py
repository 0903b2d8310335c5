"""What a caller can say about an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.plugins.exporter_options import refuse_unknown, wrong_option
from pipestat_spec.text.file_names import encode_component

__all__ = ["Options", "read_options"]

Read = TypeVar("Read", bound="Options")


@dataclass(frozen=True)
class Options:
    """How a table is made.

    `level` is sample or project. `columns` names the columns beside `record_identifier` (None:
    the status and all results); `flatten` gives objects a column for each key. `missing` stands
    in text formats for what was not reported. `header` False leaves out the line with the columns'
    names, where a format has one. `types` writes the columns' types beside a CSV or TSV file.
    """

    level: Level = "sample"
    columns: tuple[str, ...] | None = None
    flatten: bool = False
    missing: str = "NA"
    header: bool = True
    types: bool = False

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise wrong_option("level", self.level, f"use {' or '.join(LEVELS)}")
        if self.columns is not None and not all(isinstance(name, str) for name in self.columns):
            raise wrong_option("columns", self.columns, "give a list of names")
        if not str(self.missing).isprintable():
            raise wrong_option("missing", self.missing, "give a short text such as NA")
        for name in ("flatten", "header", "types"):
            if not isinstance(getattr(self, name), bool):
                raise wrong_option(name, getattr(self, name), "use true or false")

    def file(self, output: Path, namespace: str, suffix: str) -> Path:
        """Return the file to write: `output`, or `{pipeline}_table` with the suffix in it."""
        if output.is_dir():
            return output / f"{encode_component(namespace)}_table{suffix}"
        return output


def read_options(options: Mapping[str, Any], kind: type[Read]) -> Read:
    """Return the options of a mapping; raises PipestatSummarizeError that names the wrong one."""
    refuse_unknown(options, [field.name for field in fields(kind)], "a table")
    values = dict(options)
    if isinstance(values.get("columns"), str):
        raise wrong_option("columns", values["columns"], "give a list of names")
    if values.get("columns") is not None:
        values["columns"] = tuple(values["columns"])
    return kind(**values)
