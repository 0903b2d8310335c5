"""Parquet files and datasets: types, descriptions and values, read back by other engines."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow.dataset
import pyarrow.parquet
import pytest
from pipestat_exports import parquet

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.tables import Selection

SCHEMA = """
title: Runs
pipeline_name: runs
samples:
  reads: {type: integer, title: Reads, description: Number of reads, unit: reads}
  rate: {type: number}
  ok: {type: boolean}
  name: {type: [string, "null"]}
  genome: {enum: [hg38, mm10, "a/b c=d"]}
  day: {type: string, format: date}
  at: {type: string, format: date-time}
  tags: {type: array, items: {type: string}}
  points: {type: array, items: {type: object, properties: {x: {type: integer}}}}
  align: {$ref: "#/$defs/aligned"}
  plot: {type: image}
  late: {type: string, format: date}
  wide: {type: object, properties: {x: {type: integer}}}
  free: {type: object}
  big: {type: [integer, number]}
$defs:
  aligned: {type: object, properties: {rate: {type: number, description: Aligned}, more: {}}}
"""
FIRST = {
    "reads": 2**53 + 1,
    "rate": 2,
    "ok": False,
    "name": "",
    "genome": "hg38",
    "day": "2026-02-28",
    "at": "2026-02-28T23:30:00.5-01:00",
    "tags": ["a", "b"],
    "points": [{"x": 1}, {}],
    "align": {"rate": 0.5, "more": [1, None]},
    "plot": {"path": "p.png", "title": "P"},
    "late": "2026-02-30",
    "wide": {"x": 1, "y": 2},
    "free": {"k": "v"},
    "big": 2**53 + 1,
    "extra": 1,
}
# What the first record is in Parquet, by hand.
EXPECTED = {
    "record_identifier": "s1",
    "status": "completed",
    "reads": 2**53 + 1,
    "rate": 2.0,
    "ok": False,
    "name": "",
    "genome": "hg38",
    "day": date(2026, 2, 28),
    "at": datetime(2026, 3, 1, 0, 30, 0, 500_000, tzinfo=UTC),
    "tags": ["a", "b"],
    "points": [{"x": 1}, {"x": None}],
    "align": {"rate": 0.5, "more": "[1, null]"},
    "plot": {"path": "p.png", "title": "P", "thumbnail_path": None},
    # No day, a key that is not declared, and an integer that no double is.
    "late": "2026-02-30",
    "wide": '{"x": 1, "y": 2}',
    "free": '{"k": "v"}',
    "big": str(2**53 + 1),
    "extra": 1,
}
TYPES = {
    "record_identifier": "string",
    "status": "string",
    "reads": "int64",
    "rate": "double",
    "ok": "bool",
    "name": "string",
    "genome": "string",
    "day": "date32[day]",
    "at": "timestamp[us, tz=UTC]",
    "tags": "list<element: string>",
    "points": "list<element: struct<x: int64>>",
    "align": "struct<rate: double, more: string>",
    "plot": "struct<path: string, title: string, thumbnail_path: string>",
    "late": "string",
    "wide": "string",
    "free": "string",
    "big": "string",
    "extra": "int64",
}


@pytest.fixture
def runs(tmp_path: Path) -> PipestatManager:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    psm = PipestatManager(
        results_file_path=tmp_path / "results.db", schema_path=tmp_path / "schema.yaml"
    )
    psm.report(FIRST, "s1")
    psm.report({"name": None, "genome": "a/b c=d", "align": {}, "tags": []}, "s2")
    psm.set_status("running", "s3")
    psm.set_status("completed", "s1")
    return psm


def export(psm: PipestatManager, output: Path, **options: Any) -> Path:
    (path,) = plugins().exporter("parquet").export(psm.store, output, options)
    return path


def test_types_and_values_are_those_of_the_schema(runs: PipestatManager, tmp_path: Path) -> None:
    path = export(runs, tmp_path / "t.parquet")
    table = pyarrow.parquet.read_table(path)
    assert {field.name: str(field.type) for field in table.schema} == TYPES
    rows = table.to_pylist()
    assert rows[0] == EXPECTED
    assert rows[1]["tags"] == []
    assert rows[1]["align"] == {"rate": None, "more": None}
    assert {name for name, value in rows[2].items() if value is not None} == {
        "record_identifier",
        "status",
    }
    frame = polars.read_parquet(path)
    assert frame.row(0, named=True) == EXPECTED
    assert frame.schema["points"] == polars.List(polars.Struct({"x": polars.Int64}))
    assert frame.schema["at"] == polars.Datetime("us", "UTC")


def test_descriptions_are_metadata(runs: PipestatManager, tmp_path: Path) -> None:
    schema = pyarrow.parquet.read_schema(export(runs, tmp_path / "t.parquet"))
    assert schema.field("reads").metadata == {
        b"pipestat_type": b"integer",
        b"title": b"Reads",
        b"description": b"Number of reads",
        b"unit": b"reads",
    }
    assert schema.field("align").type.field("rate").metadata == {b"description": b"Aligned"}
    for name in ("wide", "free", "big"):
        assert schema.field(name).metadata[b"pipestat_encoding"] == b"json"
    assert schema.metadata[b"title"] == b"Runs"
    assert schema.metadata[b"pipestat_namespace"] == b"runs"


def test_flattened_columns_and_times_have_types_too(runs: PipestatManager, tmp_path: Path) -> None:
    columns = ["align", "status_time", "name"]
    path = export(runs, tmp_path / "t.parquet", columns=columns, flatten=True)
    schema = pyarrow.parquet.read_schema(path)
    assert [(field.name, str(field.type)) for field in schema] == [
        ("record_identifier", "string"),
        ("align", "string"),
        ("align.more", "string"),
        ("align.rate", "double"),
        ("status_time", "timestamp[us, tz=UTC]"),
        ("name", "string"),
    ]
    rows = pyarrow.parquet.read_table(path).to_pylist()
    assert [row["align.rate"] for row in rows] == [0.5, None, None]
    # An empty object has no keys, and is not missing.
    assert [row["align"] for row in rows] == [None, "{}", None]
    assert rows[0]["status_time"] == runs.get_status_time("s1")


def test_a_dataset_is_read_by_all_engines(runs: PipestatManager, tmp_path: Path) -> None:
    folder = export(runs, tmp_path / "runs", partition="genome")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == {
        "genome=hg38/part-0.parquet",
        "genome=a%2Fb%20c%3Dd/part-0.parquet",
        "genome=__HIVE_DEFAULT_PARTITION__/part-0.parquet",
    }
    genomes = {"s1": "hg38", "s2": "a/b c=d", "s3": None}
    arrow = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
    frame = polars.read_parquet(folder, hive_partitioning=True)
    duck = duckdb.sql(f"from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)")
    for rows in (arrow.to_pylist(), frame.rows(named=True), duck.to_arrow_table().to_pylist()):
        assert {row["record_identifier"]: row["genome"] for row in rows} == genomes
        (first,) = (row for row in rows if row["record_identifier"] == "s1")
        assert first == EXPECTED
    # A partition is read alone: the file of another one need not be one.
    (folder / "genome=a%2Fb%20c%3Dd" / "part-0.parquet").write_bytes(b"")
    alone = f"select reads from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)"
    rows = duckdb.sql(f"{alone} where genome = 'hg38'").fetchall()
    assert rows == [(2**53 + 1,)]


def test_a_dataset_by_status_date_or_integer(runs: PipestatManager, tmp_path: Path) -> None:
    folder = export(runs, tmp_path / "one", partition="status", columns=["reads"])
    frame = polars.read_parquet(folder, hive_partitioning=True)
    assert sorted(frame.columns) == ["reads", "record_identifier", "status"]
    assert sorted(frame["status"].to_list(), key=str) == [None, "completed", "running"]
    folder = export(runs, tmp_path / "two", partition="day")
    days = polars.read_parquet(folder)["day"].drop_nulls().to_list()
    assert days == [date(2026, 2, 28)]
    folder = export(runs, tmp_path / "three", partition="extra")
    assert polars.read_parquet(folder)["extra"].sort().to_list() == [None, None, 1]


def test_an_empty_store_is_a_dataset_with_columns(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    psm = PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=tmp_path / "schema.yaml"
    )
    frame = polars.read_parquet(export(psm, tmp_path / "d", partition="genome"))
    assert frame.height == 0
    assert frame.schema["reads"] == polars.Int64


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"partition": "genom"}, "'genom'; did you mean 'genome'"),
        ({"partition": "rate"}, "rate cannot divide"),
        ({"partition": "name"}, "name is '' in some record"),
        ({"partition": "record_identifier"}, "cannot divide"),
        ({"replace": True}, "it goes with partition"),
        ({"partition": 3}, "partition: 3 is not possible"),
        ({"partition": "genome", "replace": "yes"}, "replace: yes is not possible"),
        ({"partition": "genome", "columns": []}, "no column is left"),
    ],
)
def test_what_is_no_dataset(
    runs: PipestatManager, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(PipestatSummarizeError, match=told):
        export(runs, tmp_path / "d", **options)
    assert not (tmp_path / "d").exists()
    assert not list(tmp_path.glob(".pipestat-*"))


def test_a_folder_is_replaced_only_when_asked_to(runs: PipestatManager, tmp_path: Path) -> None:
    folder = export(runs, tmp_path / "d", partition="genome")
    with pytest.raises(PipestatSummarizeError, match="is there already"):
        export(runs, folder, partition="status")
    export(runs, folder, partition="status", replace=True)
    assert {path.name.partition("=")[0] for path in folder.iterdir()} == {"status"}
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("mine")
    with pytest.raises(PipestatSummarizeError, match="is not replaced"):
        export(runs, home, partition="genome", replace=True)
    assert (home / "thesis.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert any(export(runs, tmp_path / "empty", partition="genome").iterdir())


@pytest.mark.parametrize("partition", [None, "genome"])
def test_memory_does_not_grow_with_the_records(
    runs: PipestatManager, tmp_path: Path, partition: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few long texts take little time; so few rows of them are a group that eight are needed.
    monkeypatch.setattr(parquet, "_ROWS_AT_ONCE", 250)

    def records() -> Iterator[Record]:
        for number in range(2_000):
            values = {"name": f"{number:05}" * 3600, "genome": ("hg38", "mm10")[number % 2]}
            yield Record(RecordKey("sample", f"s{number:05}"), values)

    source = Selection(runs.store, "sample", records)
    options = {"partition": partition} if partition else {}
    output = tmp_path / ("d" if partition else "t.parquet")
    tracemalloc.start()
    try:
        plugins().exporter("parquet").export(source, output, options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert polars.read_parquet(output).height == 2_000
    # All the text is 36 MB of ASCII, that of one genome 18 MB, and that of a group 4.5 MB.
    assert peak < 15_000_000


def test_json_text_is_json(runs: PipestatManager, tmp_path: Path) -> None:
    row = pyarrow.parquet.read_table(export(runs, tmp_path / "t.parquet")).to_pylist()[0]
    assert json.loads(row["big"]) == FIRST["big"]
    assert json.loads(row["free"]) == FIRST["free"]
