"""Tables as data frames of pandas and polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import PipestatDependencyError
from pipestat_spec.tables import MISSING, Column, Table

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["pandas_frame", "polars_frame"]

_PANDAS = {"boolean": "boolean", "integer": "Int64", "number": "Float64", "string": "string"}


def pandas_frame(table: Table) -> pandas.DataFrame:
    """Return the table with types that have room for what is missing."""
    try:
        import pandas
    except ImportError:
        raise _missing("pandas") from None
    values = _by_column(table)
    index = pandas.Index(values.pop("record_identifier"), name="record_identifier", dtype="object")
    types = {column.name: _PANDAS.get(column.kind, "object") for column in table.columns}
    return pandas.DataFrame(
        {
            name: pandas.Series(cells, index=index, dtype=types[name])
            for name, cells in values.items()
        },
        index=index,
    )


def polars_frame(table: Table) -> polars.DataFrame:
    """Return the table; what is no plain value is JSON text."""
    try:
        import polars
    except ImportError:
        raise _missing("polars") from None
    types: dict[str, Any] = {
        "boolean": polars.Boolean,
        "integer": polars.Int64,
        "number": polars.Float64,
    }
    values = _by_column(table)
    return polars.DataFrame(
        [
            polars.Series(
                column.name,
                _plain(column, values[column.name]),
                dtype=types.get(column.kind, polars.String),
            )
            for column in table.columns
        ]
    )


def _by_column(table: Table) -> dict[str, list[Any]]:
    cells: dict[str, list[Any]] = {column.name: [] for column in table.columns}
    for row in table.rows():
        for column, value in zip(cells.values(), row, strict=True):
            column.append(None if value is MISSING else value)
    return cells


def _plain(column: Column, values: list[Any]) -> list[Any]:
    if column.kind == "number":
        return [None if value is None else float(value) for value in values]
    if column.kind in ("boolean", "integer", "string"):
        return values
    from json import dumps

    return [
        None if value is None else dumps(value, ensure_ascii=False, sort_keys=True)
        for value in values
    ]


def _missing(name: str) -> PipestatDependencyError:
    return PipestatDependencyError(
        f"to_dataframe needs the package {name}", hint=f"pip install {name}"
    )
