"""Parquet: one file, or a dataset of a folder for each value of a result.

Columns have the types of the output schema, and its descriptions as metadata. A column where a
value has another type holds JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from pipestat_exports.cells import cell_text
from pipestat_exports.export import missing_library, table_of, write_file
from pipestat_exports.folders import check_folder, write_folder
from pipestat_exports.options import Options, read_options
from pipestat_exports.places import Places
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.plugins.exporter_options import wrong_option
from pipestat_spec.tables import FIELDS, MISSING, Column, Table
from pipestat_spec.text.strings import nearest, shorten

if TYPE_CHECKING:
    from pipestat_exports.arrow_types import Form
    from pipestat_spec.models.schema.output_schema import LevelSchema
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_parquet"]

# A group of rows is as large as this, or has so many characters of text.
_ROWS_AT_ONCE, _TEXT_AT_ONCE = 10_000, 30_000_000
# Types whose values may be of any length.
_LONG = ("string", "list", "struct")
_MOST_PARTITIONS = 10_000
_FOLDERS = ("bool", "int64", "string", "date32[day]")
_LONGEST_NAME = 255
# What the folder of a dataset has, so that it is known again. Any other file would keep Polars
# from reading the folder.
_FILE = "part-0.parquet"
# The word of Hive for a value that is not there.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class ParquetOptions(Options):
    """`partition` names the column whose values the folders are; `replace` an older dataset."""

    partition: str | None = None
    replace: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        partition: object = self.partition
        if partition is not None and not isinstance(partition, str):
            raise wrong_option("partition", partition, "give the name of a result")
        if not isinstance(self.replace, bool):
            raise wrong_option("replace", self.replace, "use true or false")


def export_parquet(source: Source, output: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write one level of a source as a file, or with `partition` as a folder; return it.

    Memory does not grow with the number of records. Raises PipestatSummarizeError.
    """
    options = read_options(given, ParquetOptions)
    if options.replace and options.partition is None:
        raise wrong_option("replace", True, "it goes with partition; a file is always replaced")
    if options.columns is not None and options.partition is not None:
        names = (*options.columns, options.partition)
        options = read_options({**given, "columns": dict.fromkeys(names)}, ParquetOptions)
    mark = f"*=*/{_FILE}"
    if options.partition is not None:
        check_folder(output, mark, options.replace)
    with table_of(source, options) as table:
        schema = source.schema.levels[options.level] if source.schema else None
        writer = _Writer(source, schema, table, options)
        if options.partition is None:
            path = options.file(output, source.namespace, ".parquet")
            write_file(path, lambda file: writer.write(file, table.rows()))
        else:
            path = output
            number = writer.partition(options.partition)
            write_folder(
                path,
                mark,
                options.replace,
                lambda folder: writer.write_dataset(folder, number),
            )
    return [path]


class _Writer:
    """Writes rows of a table in the types of its columns, for which all values are read once."""

    def __init__(
        self, source: Source, schema: LevelSchema | None, table: Table, options: ParquetOptions
    ) -> None:
        try:
            import pyarrow.parquet
        except ImportError:
            raise missing_library("pyarrow", "Parquet") from None
        self._pyarrow = pyarrow
        self._table = table
        self._forms = _forms(table, schema, options.flatten)
        about = {"pipestat_level": options.level, "pipestat_namespace": source.namespace}
        for name in ("title", "description"):
            if text := getattr(source.schema, name, None):
                about[name] = text
        if options.partition is not None:
            about["pipestat_partition"] = options.partition
        self._schema = pyarrow.schema(
            [
                pyarrow.field(
                    column.name,
                    form.type,
                    metadata={"pipestat_type": column.kind, **form.metadata},
                )
                for column, form in zip(table.columns, self._forms, strict=True)
            ],
            metadata=about,
        )

    def write(
        self,
        file: BinaryIO,
        rows: Iterable[Sequence[JSONValue]],
        left_out: int | None = None,
    ) -> None:
        """Write rows in groups, without the column of one number."""
        numbers = [n for n in range(len(self._forms)) if n != left_out]
        schema = self._pyarrow.schema(
            [self._schema.field(n) for n in numbers], metadata=self._schema.metadata
        )
        forms = [self._forms[n] for n in numbers]
        with self._pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for batch in _batches(rows, numbers, forms):
                arrays = [
                    self._pyarrow.array(values, form.type)
                    for values, form in zip(zip(*batch, strict=True), forms, strict=True)
                ]
                writer.write_batch(self._pyarrow.record_batch(arrays, schema=schema))

    def partition(self, name: str) -> int:
        """Return which column a dataset is divided by; raises PipestatSummarizeError."""
        names: list[str] = self._schema.names
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near!r}?" if near else "name a result"
            raise PipestatSummarizeError(f"no record has a result {name!r}", hint=hint)
        number = names.index(name)
        form = self._forms[number]
        if number == 0 or "pipestat_encoding" in form.metadata or str(form.type) not in _FOLDERS:
            raise PipestatSummarizeError(
                f"{name} cannot divide a dataset",
                hint="choose a result of strings, integers, booleans or dates, or status",
            )
        if len(names) == 2:
            raise PipestatSummarizeError("no column is left", hint="name more --columns")
        return number

    def write_dataset(self, folder: Path, number: int) -> None:
        """Write a folder for each value of one column, one after the other."""
        name = self._table.columns[number].name
        # Without records it has one file still, which tells the columns.
        groups = self._table.groups(number) if self._table.count else [(None, iter(()))]
        for count, (value, rows) in enumerate(groups, 1):
            if count > _MOST_PARTITIONS:
                raise PipestatSummarizeError(
                    f"{name} has more than {_MOST_PARTITIONS} different values",
                    hint="choose a result with few values for --partition",
                )
            place = folder / _folder_name(name, value)
            place.mkdir()
            with (place / _FILE).open("wb") as file:
                self.write(file, rows, number)


def _forms(table: Table, schema: LevelSchema | None, flatten: bool) -> list[Form]:
    """Return the form of each column: as declared, or as its values are, or JSON text."""
    from pipestat_exports.arrow_types import JSON_TEXT, Misfit, plain_form

    plain = [plain_form(column.kind) for column in table.columns]
    places = Places(schema)
    forms = [_declared(c, places) or form for c, form in zip(table.columns, plain, strict=True)]
    if flatten:
        # What is left of an object whose keys have columns is an empty one.
        forms = [JSON_TEXT if str(form.type).startswith("struct") else form for form in forms]
    doubtful = [
        n
        for n, (form, column) in enumerate(zip(forms, table.columns, strict=True))
        if form.type != plain[n].type or column.kind == "number"
    ]
    for row in table.rows():
        for number in doubtful:
            value = row[number]
            if value is MISSING or value is None:
                continue
            try:
                forms[number].convert(value)
            except Misfit:
                told = forms[number].metadata
                other = plain[number] if plain[number].type != forms[number].type else JSON_TEXT
                forms[number] = other._replace(metadata={**told, **other.metadata})
    return forms


def _declared(column: Column, places: Places) -> Form | None:
    from pipestat_exports.arrow_types import declared_form, time_form

    schema = places.schema(column.path)
    if schema is None and column.name in FIELDS and column.name.endswith("_time"):
        return time_form()
    return declared_form(schema)


def _batches(
    rows: Iterable[Sequence[JSONValue]], numbers: Sequence[int], forms: Sequence[Form]
) -> Iterator[list[list[Any]]]:
    """Yield some rows at a time, as values for Arrow."""
    batch: list[list[Any]] = []
    text = 0
    long = [n for n, form in enumerate(forms) if str(form.type).startswith(_LONG)]
    for row in rows:
        cells = [row[number] for number in numbers]
        values = [
            None if cell is MISSING or cell is None else form.convert(cell)
            for cell, form in zip(cells, forms, strict=True)
        ]
        batch.append(values)
        text += sum(_length(values[n]) for n in long)
        if len(batch) == _ROWS_AT_ONCE or text > _TEXT_AT_ONCE:
            yield batch
            batch, text = [], 0
    if batch:
        yield batch


def _length(value: object) -> int:
    """Return about how many characters a value has."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_length, value)) + len(value)
    return sum(map(_length, value.values())) if isinstance(value, dict) else 1


def _folder_name(name: str, value: JSONValue) -> str:
    """Return the name of the folder for one value, as Hive writes it."""
    text = _NO_VALUE if value is None else cell_text(value)
    folder = f"{quote(name, safe='')}={quote(text, safe='')}"
    if not text or value == _NO_VALUE or len(folder) > _LONGEST_NAME:
        raise PipestatSummarizeError(
            f"{name} is {shorten(text, 40)!r} in some record, which names no folder",
            hint="leave these records out with --where, or choose another result",
        )
    return folder
