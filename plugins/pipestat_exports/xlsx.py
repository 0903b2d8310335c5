"""Excel files: one sheet, with a header that stays and a filter."""

from __future__ import annotations

from typing import Any, BinaryIO

from pipestat_exports.cells import cell_text
from pipestat_exports.export import missing_library
from pipestat_exports.options import Options
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Table

__all__ = ["write"]

# What a sheet can hold.
_MOST_ROWS, _MOST_COLUMNS, _LONGEST_TEXT = 1_048_576, 16_384, 32_767
_EXACT_DOUBLES = 2**53


def write(table: Table, file: BinaryIO, options: Options) -> None:
    """Write the table; raises PipestatSummarizeError for what a sheet cannot hold.

    Cells of what is missing are empty. Text is text, also where it looks like a formula.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise missing_library("xlsxwriter", "Excel") from None
    if table.count >= _MOST_ROWS or len(table.columns) > _MOST_COLUMNS:
        raise _refused(f"{table.count} records with {len(table.columns)} columns")
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(options.level)
        head = book.add_format({"bold": True})
        for number, column in enumerate(table.columns):
            sheet.write_string(0, number, column.name, head)
        for line, row in enumerate(table.rows(), 1):
            for number, value in enumerate(row):
                if value is not MISSING:
                    _write_cell(sheet, line, number, value)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(table.count, 1), len(table.columns) - 1)


def _write_cell(sheet: Any, line: int, number: int, value: JSONValue) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(line, number, value)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) <= _EXACT_DOUBLES):
        sheet.write_number(line, number, value)
    else:
        text = cell_text(value)
        if len(text) > _LONGEST_TEXT:
            raise _refused(f"a text of {len(text)} characters, in row {line + 1}")
        sheet.write_string(line, number, text)


def _refused(what: str) -> PipestatSummarizeError:
    return PipestatSummarizeError(
        f"an Excel sheet cannot hold {what}", hint="write .csv or .parquet, or fewer --columns"
    )
