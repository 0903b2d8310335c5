"""One import changed: errors, shapes and habits of programs that were written for pipestat."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager, errors
from pipestat_spec.errors import (
    InvalidValueError,
    PipestatError,
    UnsupportedOperation,
)

SCHEMA = """
pipeline_name: count
$defs:
  reads: {type: integer, description: Number of reads}
  clade:
    type: object
    properties:
      name: {type: string}
      children: {type: array, items: {$ref: "#/$defs/clade"}}
samples:
  n: {$ref: "#/$defs/reads", highlight: true}
  rate: {type: [number, "null"], description: Rate}
  lanes: {type: object, properties: {first: {$ref: "#/$defs/reads"}}}
  tree: {$ref: "#/$defs/clade"}
  table: {type: file, description: A table}
  plot: {type: image, description: A plot}
project:
  total: {type: integer, description: Sum}
"""


@pytest.fixture
def psm(tmp_path: Path) -> PipestatManager:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    return PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=tmp_path / "schema.yaml"
    )


# Errors

Call = Callable[[PipestatManager], object]
CONDITION = {"key": "n", "operator": "eq", "value": 1}


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (lambda psm: psm.report({"n": 1}), (NotImplementedError,)),
        (lambda psm: psm.report({"n": 1}, ""), (ValueError,)),
        (lambda psm: setattr(psm, "record_identifier", ""), (ValueError,)),
        (lambda psm: psm.report({"n": "x"}, "s"), (ValueError, TypeError)),
        (lambda psm: psm.report({"rate": float("nan")}, "s"), (ValueError,)),
        (lambda psm: psm.report({"x": object()}, "s"), (ValueError, TypeError)),
        (lambda psm: psm.report("n", "s"), (ValueError, TypeError)),
        (lambda psm: psm.report(None, "s"), (ValueError, TypeError)),
        (lambda psm: psm.retrieve_one("s", 5), (ValueError, TypeError)),
        (lambda psm: psm.retrieve_one("t"), (LookupError,)),
        (lambda psm: psm.retrieve_many(5), (ValueError, TypeError)),
        (lambda psm: psm.retrieve_many(["t", "u"]), (LookupError,)),
        (lambda psm: psm.retrieve_history("s", 5), (ValueError, TypeError)),
        (lambda psm: psm.select_distinct(5), (ValueError, TypeError)),
        (lambda psm: psm.select_records(columns=5), (ValueError, TypeError)),
        (lambda psm: psm.select_records(None, [{**CONDITION, "operator": "is"}]), (ValueError,)),
        (lambda psm: psm.select_records(None, [{"key": "n"}]), (ValueError,)),
        (lambda psm: psm.select_records(None, [CONDITION], bool_operator="NOR"), (ValueError,)),
        (lambda psm: psm.list_recent_results(start="noon"), (ValueError,)),
        (lambda psm: psm.iter_records(cursor=1), (ValueError,)),
        (lambda psm: psm.report({"n": 1}, "s", level="sampel"), (LookupError,)),
    ],
)
def test_errors_are_also_those_that_pipestat_documents(
    psm: PipestatManager, call: Call, kinds: tuple[type[Exception], ...]
) -> None:
    psm.report({"n": 1}, "s")
    with pytest.raises(PipestatError) as caught:
        call(psm)
    for kind in kinds:
        assert isinstance(caught.value, kind)
    assert psm.retrieve_one("s") == {"n": 1, "record_identifier": "s"}


def test_every_error_can_be_pickled() -> None:
    for name in errors.__all__:
        error = getattr(errors, name)("what is wrong", hint="what mends it", key="k")
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.key) == ("what is wrong; what mends it", "k")


@pytest.mark.parametrize("key", ["record_identifier", "pipeline_name", "project_name"])
def test_an_empty_name_is_called_empty(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} is empty"):
        PipestatManager(results_file_path=tmp_path / "r.yaml", **{key: ""})


# Times

DAY = timedelta(days=1)


def test_the_order_of_start_and_end_does_not_matter(psm: PipestatManager) -> None:
    psm.report({"n": 1}, "s")
    now = datetime.now(UTC)
    past, future = now - DAY, now + DAY
    for start, end in ((past, future), (future, past)):
        assert psm.list_recent_results(start=start, end=end)["total_size"] == 1
        texts = [time.strftime("%Y-%m-%d %H:%M:%S") for time in (start, end)]
        assert psm.list_recent_results(start=texts[0], end=texts[1])["total_size"] == 1
    today = now.strftime("%Y-%m-%d")
    assert psm.list_recent_results(start=today, end=today)["total_size"] == 1
    assert psm.list_recent_results(start=future, end=future + DAY)["total_size"] == 0
    assert psm.list_recent_results(start=future + DAY, end=future)["total_size"] == 0


def test_a_time_with_parts_of_one_digit(psm: PipestatManager) -> None:
    psm.report({"n": 1}, "s")
    found = psm.list_recent_results(start="2100-1-1 0:0:0", end="1900-01-01 0:0:0")
    assert found["total_size"] == 1


# Schemas

FILE = {
    "type": "object",
    "object_type": "file",
    "properties": {"path": {"type": "string"}, "title": {"type": "string"}},
    "required": ["path", "title"],
}
READS = {"type": "integer", "description": "Number of reads"}


def test_references_and_files_are_written_out(psm: PipestatManager) -> None:
    found = psm.result_schemas
    assert found["n"] == {**READS, "highlight": True}
    assert found["lanes"] == {"type": "object", "properties": {"first": READS}}
    assert found["table"] == {**FILE, "description": "A table"}
    thumbnail = {"thumbnail_path": {"type": "string"}}
    assert found["plot"] == {
        **FILE,
        "object_type": "image",
        "description": "A plot",
        "properties": {**FILE["properties"], **thumbnail},
    }
    assert psm.all_result_schemas["project"] == {"total": {"type": "integer", "description": "Sum"}}


def test_a_reference_that_leads_back_to_itself_stays(psm: PipestatManager) -> None:
    tree = psm.result_schemas["tree"]
    assert tree["properties"]["children"]["items"] == {"$ref": "#/$defs/clade"}
    assert tree["$defs"]["clade"]["type"] == "object"


# Data


def test_data_has_pipestats_keys_and_prints_as_yaml(psm: PipestatManager) -> None:
    for n in (1, 2, 3):
        psm.report({"n": n}, "s")
    data = yaml.safe_load(str(psm.data))
    assert data == psm.data
    record = data["count"]["sample"]["s"]
    assert (record["n"], data["count"]["project"]) == (3, {})
    for key in ("pipestat_created_time", "pipestat_modified_time"):
        assert datetime.strptime(record["meta"][key], "%Y-%m-%d %H:%M:%S")
    assert list(record["meta"]["history"]["n"].values()) == [1, 2]
    for time in record["meta"]["history"]["n"]:
        assert datetime.strptime(time, "%Y-%m-%d %H:%M:%S")


def test_an_assignment_to_a_record_is_not_lost_in_silence(psm: PipestatManager) -> None:
    psm["s"] = {"n": 1}
    record: Any = psm["s"]
    for change in (
        lambda: record.__setitem__("n", 77),
        lambda: record.__delitem__("n"),
        lambda: record.update(n=77),
        lambda: record.setdefault("m", 1),
        lambda: record.pop("n"),
        lambda: record.clear(),
        lambda: record.__ior__({"n": 77}),
    ):
        with pytest.raises(UnsupportedOperation):
            change()
    assert psm["s"] == {"n": 1, "record_identifier": "s"}
    assert json.loads(json.dumps(record)) == dict(record)
    own = copy.deepcopy(record)
    own["n"] = 77
    assert own["n"] == 77
    psm["s"] = {"n": 77}
    assert psm["s"]["n"] == 77


def test_flatten_extended_is_taken(psm: PipestatManager) -> None:
    psm.report({"n": 1, "more": 2}, "s")
    page = psm.select_records(flatten_extended=True)
    assert page["records"] == [{"n": 1, "more": 2, "record_identifier": "s"}]


# Values


def test_missing_values_of_pandas_are_null(psm: PipestatManager) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    missing = (pandas.NaT, pandas.NA, numpy.datetime64("NaT"), numpy.timedelta64("NaT"), None)
    values = {f"m{n}": value for n, value in enumerate(missing)}
    psm.report(values, "s")
    assert psm.retrieve_one("s") == {**dict.fromkeys(values), "record_identifier": "s"}
    with pytest.raises(InvalidValueError, match=r'type: \[number, "null"\]'):
        psm.report({"rate": float("nan")}, "s")


def test_a_row_of_pandas_is_results(psm: PipestatManager) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    row = pandas.Series({"n": 3, "rate": 0.5}, dtype="object")
    assert len(psm.report(row, "s") or ()) == 2
    with psm.record("t") as run:
        assert len(run.report(row)) == 2
    assert len(psm.report_many({"u": row}) or ()) == 2
    assert psm.check(row) == {"n": 3, "rate": 0.5}
    for record in "stu":
        assert psm.retrieve_one(record) == {"n": 3, "rate": 0.5, "record_identifier": record}
    with pytest.raises(InvalidValueError, match="tolist"):
        psm.report({"column": row}, "s")


# Messages


@pytest.fixture
def pipestats_logger() -> Iterator[logging.Logger]:
    own = logging.getLogger("pipestat_spec")
    parent, level = own.parent, own.level
    own.setLevel(logging.NOTSET)
    yield logging.getLogger("pipestat")
    own.parent = parent
    own.setLevel(level)
    logging.Logger.manager.loggerDict.pop("pipestat")


@pytest.fixture
def told(pipestats_logger: logging.Logger) -> list[str]:
    """What a handler of pipestat's logger is told."""
    found: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    pipestats_logger.addHandler(Keeper())
    return found


def test_who_configures_pipestats_logger_configures_ours(
    psm: PipestatManager, pipestats_logger: logging.Logger, told: list[str]
) -> None:
    psm.report({"unknown": 1}, "s")
    assert len(told) == 1
    pipestats_logger.setLevel(logging.ERROR)
    psm.report({"another": 1}, "s")
    assert len(told) == 1


def test_who_configures_pipestats_logger_hears_plugins(
    tmp_path: Path, pipestats_logger: logging.Logger, told: list[str]
) -> None:
    path = tmp_path / "{record_identifier}.yaml"
    (tmp_path / "s1.yaml").write_text("p:\n  s1: {n: 1}\n  s2: {n: 2}\n")
    with PipestatManager(results_file_path=str(path), pipeline_name="p") as found:
        assert found.count_records() == 1
    assert ["'s2'" in text for text in told] == [True]
    pipestats_logger.setLevel(logging.ERROR)
    with PipestatManager(results_file_path=str(path), pipeline_name="p") as found:
        assert found.count_records() == 1
    assert len(told) == 1
