"""A folder that MultiQC reads: general statistics, a table for each level, and the images.

MultiQC knows numbers and text. Objects have a column for each key, booleans and lists are text,
and what it would take for markup is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipestat_exports.cells import cell_text
from pipestat_exports.folders import FolderOptions, read_folder_options, write_folder
from pipestat_exports.gallery import Gallery
from pipestat_exports.places import Places
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.verdict import Judgement, Verdict
from pipestat_spec.tables import MISSING, Column, read_table
from pipestat_spec.text.file_names import encode_component

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.models.schema.output_schema import LevelSchema
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_multiqc"]

_CONFIG = "multiqc_config.yaml"
_REASONS = "reasons"
_NUMBERS = ("integer", "number")
_GENERAL = (*_NUMBERS, "boolean")
# A column of smaller numbers is shown with exponents where need be.
_SMALL = 0.001
# More general statistics than these are hidden until somebody asks for them.
_SHOWN = 15
# MultiQC's own limits, which are raised where a store is larger.
_TABLE_ROWS, _FILE_SIZE = 500, 50_000_000
# The names that MultiQC has for the colours of a good, a doubtful and a bad cell.
_COLOURS = {Verdict.PASS: "pass", Verdict.WARN: "warn", Verdict.FAIL: "fail"}
_TITLES = {"sample": "Samples", "project": "Project"}


def export_multiqc(source: Source, output: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write the folder `output` and return it; raises PipestatSummarizeError."""
    options = read_folder_options(given, "MultiQC's content", FolderOptions)
    write_folder(output, _CONFIG, options.replace, lambda folder: _Writer(folder, source).write())
    return [output]


@dataclass
class _Level:
    """What MultiQC is told of one level."""

    headers: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)


class _Writer:
    def __init__(self, folder: Path, source: Source) -> None:
        self._folder = folder
        self._source = source
        self._identifier = f"pipestat_{encode_component(source.namespace)}"
        schema = source.schema
        name = (schema and schema.title) or source.namespace
        self._parent = {
            "parent_id": self._identifier,
            "parent_name": escape(name),
            "parent_description": escape((schema and schema.description) or ""),
        }
        self._largest = 0

    def write(self) -> None:
        """Write all files; raises PipestatSummarizeError when there are no records."""
        rows = 0
        for level in self._source.levels:
            schema = self._source.schema.levels[level] if self._source.schema else None
            gallery = Gallery(self._source, Places(schema))
            read = _read(self._source, level, schema, gallery)
            rows = max(rows, len(read.data))
            if level == "sample" and read.data:
                self._write_general(read)
            if read.data:
                self._write_table(level, read)
            for result, shown, html in gallery.sections():
                self._write_images(level, result, shown, html, Places(schema))
        if rows == 0:
            raise PipestatSummarizeError("there are no records to show", hint="report some first")
        config = {
            "max_table_rows": max(rows, _TABLE_ROWS),
            "log_filesize_limit": max(2 * self._largest, _FILE_SIZE),
            # Records keep their names, s1.bam and s1 stay two.
            "fn_clean_sample_names": False,
        }
        lines = [
            f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in config.items()
        ]
        (self._folder / _CONFIG).write_text("".join(lines), "utf-8")

    def _write_general(self, read: _Level) -> None:
        headers: dict[str, dict[str, Any]] = {}
        for number, name in enumerate(read.general):
            headers[name] = {**read.headers[name], "hidden": number >= _SHOWN}
        data = {
            # MultiQC takes what stands before a slash for a folder.
            identifier.replace("/", "&#47;"): {
                # It takes text such as 007 for a number, unless it is in quotes.
                name: _quoted(row[name])
                for name in read.general
                if name in row
            }
            for identifier, row in read.data.items()
        }
        self._write(
            "general_mqc.json",
            {
                "id": f"{self._identifier}_general",
                "plot_type": "generalstats",
                "namespace": self._parent["parent_name"],
                "headers": headers,
                "data": data,
            },
        )

    def _write_table(self, level: Level, read: _Level) -> None:
        identifier = f"{self._identifier}_{level}"
        self._write(
            f"{level}_mqc.json",
            {
                **self._parent,
                "id": identifier,
                "section_name": _TITLES[level],
                "plot_type": "table",
                "pconfig": {
                    "id": f"{identifier}_table",
                    "title": f"{self._parent['parent_name']}: {_TITLES[level]}",
                    "col1_header": "Record",
                    "no_violin": True,
                    "sort_rows": False,
                },
                "headers": read.headers,
                # A list is not searched for names to shorten.
                "data": [read.data],
            },
        )

    def _write_images(
        self, level: Level, result: str, shown: str, html: str, places: Places
    ) -> None:
        about = places.text((result,), "description") or ""
        name = encode_component(result)
        self._write(
            f"{level}_{name}_mqc.json",
            {
                **self._parent,
                "id": f"{self._identifier}_{level}_{name}",
                "section_name": escape(places.text((result,), "title") or result),
                "description": "<br>".join(filter(None, (escape(about), shown))),
                "plot_type": "html",
                "data": html,
            },
        )

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        path = self._folder / name
        path.write_text(text, "utf-8")
        self._largest = max(self._largest, path.stat().st_size)


def _read(source: Source, level: Level, schema: LevelSchema | None, gallery: Gallery) -> _Level:
    """Read the records of a level, their images too."""
    read = _Level()
    judged: dict[str, Judgement] = {}

    def records() -> Iterator[Record]:
        for record in source.scan(level):
            gallery.add(record)
            if record.judgement is not None:
                judged[record.key.identifier] = record.judgement
            yield record

    with read_table(records(), schema, flatten=True) as table:
        verdict = next((judgement.field for judgement in judged.values()), None)
        columns = {
            number: column
            for number, column in enumerate(table.columns)
            if column.name not in ("record_identifier", verdict)
        }
        for row in table.rows():
            cells = {
                column.name: _cell(row[number])
                for number, column in columns.items()
                if row[number] is not MISSING and row[number] is not None
            }
            if judgement := judged.get(row[0]):
                cells[judgement.field] = str(judgement.verdict)
                if judgement.reasons:
                    cells[_REASONS] = _cell("; ".join(why.text for why in judgement.reasons))
            read.data[escape(row[0])] = cells
    _add_headers(read, list(columns.values()), verdict, source, schema)
    return read


def _add_headers(
    read: _Level,
    columns: Sequence[Column],
    verdict: str | None,
    source: Source,
    schema: LevelSchema | None,
) -> None:
    """Say what the columns are, and which are general statistics.

    These are the status, the verdict, and highlighted results, or else numbers and booleans.
    """
    places = Places(schema)
    results = schema.results.values() if schema else ()
    highlighted = {result.identifier for result in results if result.highlight}
    for column in columns:
        name = column.name
        values = [row[name] for row in read.data.values() if name in row]
        read.headers[name] = _header(column, places, values)
        if name == "status":
            colours = source.statuses.colours()
            read.headers[name] |= _coloured({status: status for status in colours})
            read.headers[name]["cond_formatting_colours"] = [{n: c} for n, c in colours.items()]
            read.general.append(name)
            if verdict is not None:
                about = {"title": verdict, "description": "What the QC rules say"}
                read.headers[verdict] = {**about, **_coloured(_COLOURS)}
                read.general.append(verdict)
        elif column.path[0] in highlighted or (not highlighted and column.kind in _GENERAL):
            read.general.append(name)
    if any(_REASONS in row for row in read.data.values()):
        about = {"title": "Reasons", "description": "The QC rules that speak against the record"}
        read.headers[_REASONS] = {**about, "scale": False}


def _coloured(names: Mapping[Any, str]) -> dict[str, Any]:
    rules = {colour: [{"s_eq": str(name)}] for name, colour in names.items()}
    return {"scale": False, "cond_formatting_rules": rules}


def _cell(value: JSONValue) -> Any:
    """Return a number as it is, and everything else as text for HTML."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    # A comma would be taken for one between thousands.
    return escape(cell_text(value)).replace(",", "&#44;")


def _quoted(value: Any) -> Any:
    """Return text that would be taken for a number in quotes, which MultiQC removes."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return value
        return f'"{value}"'
    return value


def _header(column: Column, places: Places, values: Sequence[Any]) -> dict[str, Any]:
    """Return what MultiQC is told of a column: the schema's words, and how numbers are shown."""
    title = places.text(column.path, "title") or column.name
    header: dict[str, Any] = {
        "title": escape(title),
        "description": escape(places.text(column.path, "description") or title),
    }
    if column.kind not in _NUMBERS:
        header["scale"] = False
    else:
        schema = places.schema(column.path) or {}
        header["format"] = _format(
            column, schema, [v for v in values if isinstance(v, int | float)]
        )
        for key, limit in (("min", "minimum"), ("max", "maximum")):
            if isinstance(schema.get(limit), int | float):
                header[key] = schema[limit]
        if unit := places.text(column.path, "unit"):
            header["suffix"] = escape(unit if unit == "%" else f" {unit}")
    own = (places.schema(column.path) or {}).get("multiqc")
    return {**header, **own} if isinstance(own, Mapping) else header


def _format(column: Column, schema: Mapping[str, Any], values: Iterable[float]) -> str:
    """Return how numbers are shown: about four digits, or as many decimals as there can be."""
    if column.kind == "integer":
        return "{:,d}"
    step = schema.get("multipleOf")
    if isinstance(step, int | float):
        decimals = max(0, -int(Decimal(str(step)).normalize().as_tuple().exponent))
        return f"{{:,.{decimals}f}}"
    largest = max(map(abs, values), default=1.0)
    if 0 < largest < _SMALL:
        return "{:.3g}"
    whole = len(str(int(largest))) if largest >= 1 else 0
    return f"{{:,.{min(4, max(1, 4 - whole))}f}}"
