"""A Frictionless data package: a folder with a CSV file for each level, and what they hold.

Values are as they were reported: no apostrophe stands before text that a spreadsheet would
compute, since programs read this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipestat_exports.cells import json_text
from pipestat_exports.dates import date_of, time_of
from pipestat_exports.export import as_text
from pipestat_exports.folders import FolderOptions, read_folder_options, write_folder
from pipestat_exports.places import Places
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.verdict import Verdict
from pipestat_spec.tables import FIELDS, MISSING, Column, Table, read_table

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_package"]

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_FILE = "datapackage.json"
# What stands for a value that is not there: the first that no string in the table is.
_NOT_REPORTED = ("NA", "not reported")
_NULL = ("null", "is null")
_CONSTRAINTS = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "string": ("minLength", "maxLength"),
}
_PLAIN = ("boolean", "integer", "number", "string")


def export_package(source: Source, output: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write the folder `output` and return it; raises PipestatSummarizeError."""
    options = read_folder_options(given, "a data package", FolderOptions)
    write_folder(output, _FILE, options.replace, lambda folder: _fill(folder, source))
    return [output]


def _fill(folder: Path, source: Source) -> None:
    schema = source.schema
    resources = []
    for level in source.levels:
        declared = schema.levels[level] if schema else None
        fields = ("record_identifier", "status")
        with read_table(source.scan(level), declared, fields=fields) as table:
            if table.count or (declared and declared.results) or level == "sample":
                resources.append(_resource(folder, source, level, table))
    package: dict[str, Any] = {"$schema": _PROFILE, "name": _slug(source.namespace)}
    for key in ("title", "description"):
        if text := getattr(schema, key, None):
            package[key] = text
    package["resources"] = resources
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    (folder / _FILE).write_text(text, "utf-8")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "results"


def _resource(folder: Path, source: Source, level: Level, table: Table) -> dict[str, Any]:
    declared = source.schema.levels[level] if source.schema else None
    columns = _Columns(table, Places(declared))
    with (folder / f"{level}.csv").open("wb") as file, as_text(file) as text:
        text.write(_line([column.name for column in table.columns]))
        for row in table.rows():
            cells = zip(row, table.columns, strict=True)
            text.write(_line([columns.cell(value, column) for value, column in cells]))
    words = {"status": list(source.statuses)}
    if declared is not None and declared.verdict_field is not None:
        words[declared.verdict_field] = list(map(str, Verdict))
    fields = [columns.field(column, words) for column in table.columns]
    return {
        "name": level,
        "type": "table",
        "path": f"{level}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": fields,
            "missingValues": [columns.not_reported, columns.null],
            "primaryKey": ["record_identifier"],
        },
    }


class _Columns:
    """What the columns of a table are in the words of Table Schema; all rows are read once."""

    def __init__(self, table: Table, places: Places) -> None:
        self._places = places
        formats = {
            column.name: judge
            for column in table.columns
            if column.kind == "string" and (judge := _FORMATS.get(self._format(column)))
        }
        texts: set[str] = set()
        words = (*_NOT_REPORTED, *_NULL)
        for row in table.rows():
            for value, column in zip(row, table.columns, strict=True):
                if not isinstance(value, str) or column.kind == "any":
                    continue
                if value.startswith(words):
                    texts.add(value)
                if column.name in formats and formats[column.name][1](value) is None:
                    del formats[column.name]
        self._types = {name: found[0] for name, found in formats.items()}
        self.not_reported = _unused(_NOT_REPORTED, texts)
        self.null = _unused(_NULL, texts)

    def _format(self, column: Column) -> str:
        if column.name in FIELDS:
            return "date-time" if column.name.endswith("_time") else ""
        return self._places.text(column.path, "format") or ""

    def cell(self, value: JSONValue, column: Column) -> str:
        if value is MISSING:
            return self.not_reported
        if value is None:
            return self.null
        return value if isinstance(value, str) and column.kind != "any" else json_text(value)

    def field(self, column: Column, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        kind = {"file": "object", "image": "object"}.get(column.kind, column.kind)
        kind = self._types.get(column.name, kind)
        schema = self._places.schema(column.path) or {}
        field: dict[str, Any] = {"name": column.name, "type": kind}
        for key in ("title", "description"):
            if text := self._places.text(column.path, key):
                field[key] = text
        if column.name == "record_identifier":
            constraints: dict[str, Any] = {"required": True, "unique": True}
        elif column.name in words and not schema:
            constraints = {"enum": words[column.name]}
        else:
            constraints = _constraints(column, kind, schema)
        return {**field, "constraints": constraints} if constraints else field


def _constraints(column: Column, kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the schema asks of the values, in so far as Table Schema has a word for it."""
    found = {key: schema[key] for key in _CONSTRAINTS.get(kind, ()) if key in schema}
    members = [value for value in schema.get("enum", ()) if value is not None]
    if members and column.kind in _PLAIN:
        found["enum"] = members
    pattern = schema.get("pattern")
    if kind == "string" and isinstance(pattern, str) and _is_known_to_python(pattern):
        # The whole value has to match here, and in JSON Schema any part of it.
        found["pattern"] = rf"[\s\S]*(?:{pattern})[\s\S]*"
    return found


def _is_known_to_python(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


_FORMATS: Mapping[str, tuple[str, Any]] = {
    "date": ("date", date_of),
    "date-time": ("datetime", time_of),
}


def _unused(words: Sequence[str], texts: set[str]) -> str:
    more = (f"{words[-1]} {number}" for number in count(2))
    return next(word for word in chain(words, more) if word not in texts)


def _line(cells: Sequence[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(text: str) -> str:
    if any(character in text for character in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text
