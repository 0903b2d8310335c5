"""We read and update, in place, what pipestat 0.13.1 and older versions wrote."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.models.record import RecordKey
from tests.commands import pipestat_spec
from tests.environments import PythonEnvironment
from tests.interop import reference_scripts as scripts

DATA = Path(__file__).parent / "data"
# What the files in data/ hold, by hand.
PATIENT1 = {
    "reads": 1300,
    "rate": 1e22,
    "name": "no",
    "passed": True,
    "pct aligned": 87.5,
    "tags": [1, "2024-01-01", None, "12:30"],
    "settings": {"on": "yes", "nested": {"empty": [], "text": ""}},
    "plot": {
        "path": "plots/p 1.png",
        "title": "Coverage: é",
        "thumbnail_path": "plots/p1.thumb.png",
    },
}


@pytest.fixture
def stored(folder: Path) -> Path:
    """A file of pipestat 0.13.1, with its flags, as it was written once."""
    for path in (DATA / "pipestat-0.13.1").iterdir():
        shutil.copy(path, folder)
    return folder / "results.yaml"


@pytest.fixture
def older(folder: Path) -> Path:
    """A file as pipestat wrote it before records had times."""
    shutil.copy(DATA / "pipestat-0.5" / "results.yaml", folder)
    return folder / "results.yaml"


@pytest.fixture(params=[True, False], ids=["schema", "no schema"])
def psm(request: pytest.FixtureRequest, folder: Path, schema: Path, utc: None) -> PipestatManager:
    return PipestatManager(
        results_file_path=folder / "results.yaml", schema_path=schema if request.param else None
    )


def raw(file: Path) -> Any:
    return yaml.safe_load(file.read_bytes())


@pytest.mark.usefixtures("stored")
def test_its_results_read_as_what_they_were(psm: PipestatManager) -> None:
    assert psm.retrieve_one("patient1") == {**PATIENT1, "record_identifier": "patient1"}
    assert psm.retrieve_one("patient 2") == {
        "name": "several\nlines  \nof text",
        "reads": -3,
        "record_identifier": "patient 2",
    }
    assert psm.retrieve_one("1e3") == {
        "name": "1e3",
        "reads": 2**53 + 1,
        "record_identifier": "1e3",
    }
    assert list(psm) == ["1e3", "patient 2", "patient1"]
    assert psm.retrieve_one("cohort", level="project") == {
        "total": 3,
        "record_identifier": "cohort",
    }


@pytest.mark.usefixtures("stored")
def test_its_records_are_judged_by_rules_that_it_ignores(folder: Path, schema: Path) -> None:
    psm = PipestatManager(results_file_path=folder / "results.yaml", schema_path=schema)
    verdicts = {name: str(psm.verdict(name).verdict) for name in psm}
    # The rate of patient1 is 1e22; of the others only the reads are there, -3 and 2^53 + 1.
    assert verdicts == {"1e3": "pass", "patient 2": "warn", "patient1": "pass"}
    assert [reason.text for reason in psm.verdict("patient 2").reasons] == [
        "few reads (reads = -3)"
    ]


@pytest.mark.usefixtures("stored")
def test_its_flags_and_times(psm: PipestatManager) -> None:
    assert psm.get_status("patient1") == "completed"
    assert psm.get_status("patient 2") is None
    assert psm.get_status("1e3") == "failed"
    record = psm.store.get(RecordKey("sample", "patient1"))
    meta = raw(Path(psm.file or ""))["rnaseq"]["sample"]["patient1"]["meta"]
    for time, key in ((record.created, "created"), (record.modified, "modified")):
        text = meta[f"pipestat_{key}_time"]
        assert time == datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@pytest.mark.usefixtures("stored")
def test_its_history_leftovers_are_history_and_no_result(psm: PipestatManager) -> None:
    assert list(psm.retrieve_history("patient1", "reads")["reads"].values()) == [1100, 1200]
    assert list(psm.retrieve_history("patient1", "rate")["rate"].values()) == [0.25]
    # It keeps an empty string for a removed value, under a key beside the results.
    assert list(psm.retrieve_history("patient 2")["rate"].values()) == [""]


def test_an_update_in_place_keeps_everything(stored: Path, psm: PipestatManager) -> None:
    before = raw(stored)["rnaseq"]
    psm.report({"reads": 1400}, "patient1")
    psm.report({"rate": 0.75}, "patient 2")
    psm.set_status("partial", "patient1")
    after = raw(stored)["rnaseq"]
    assert after["project"] == before["project"]
    assert after["sample"]["1e3"] == before["sample"]["1e3"]
    assert set(after) == {"project", "sample"}
    old, new = before["sample"]["patient1"], after["sample"]["patient1"]
    assert {k: v for k, v in new.items() if k != "meta"} == {
        **{k: v for k, v in old.items() if k != "meta"},
        "reads": 1400,
    }
    assert old["meta"]["history"]["rate"] == new["meta"]["history"]["rate"]
    assert list(new["meta"]["history"]["reads"].values()) == [1100, 1200, 1300]
    assert new["meta"]["pipestat_created_time"] == old["meta"]["pipestat_created_time"]
    assert "history" not in after["sample"]["patient 2"]
    assert list(after["sample"]["patient 2"]["meta"]["history"]["rate"].values()) == [""]
    flags = sorted(path.name for path in stored.parent.glob("*.flag"))
    assert flags == ["rnaseq_1e3_failed.flag", "rnaseq_patient1_partial.flag"]
    assert (stored.parent / "rnaseq_patient1_partial.flag").read_text() == "partial"


def test_an_equal_report_leaves_its_bytes(stored: Path, psm: PipestatManager) -> None:
    before = stored.read_bytes()
    assert psm.report({"reads": 1300, "rate": 1e22}, "patient1")
    assert stored.read_bytes() == before


def test_clearing_its_status(stored: Path, psm: PipestatManager) -> None:
    assert psm.clear_status("1e3") == ["failed"]
    assert sorted(path.name for path in stored.parent.glob("*.flag")) == [
        "rnaseq_patient1_completed.flag"
    ]
    assert psm.clear_status("1e3") == []


def test_records_without_times(older: Path, psm: PipestatManager) -> None:
    record = psm.store.get(RecordKey("sample", "patient1"))
    assert (record.created, record.modified) == (None, None)
    assert psm.retrieve_history("patient1") == {}
    psm.report({"reads": 1200, "passed": True}, "patient1")
    assert psm.retrieve_one("patient1") == {
        "reads": 1200,
        "rate": 0.25,
        "name": "no",
        "passed": True,
        "plot": {"path": "plots/p1.png", "title": "Coverage"},
        "record_identifier": "patient1",
    }
    assert list(psm.retrieve_history("patient1")["reads"].values()) == [1100]
    record = psm.store.get(RecordKey("sample", "patient1"))
    # When the record was made stays unknown.
    assert record.created is None
    assert record.modified is not None
    assert raw(older)["rnaseq"]["sample"]["patient2"] == {"passed": False, "reads": 900}


def test_the_command_line_updates_it(stored: Path, schema: Path) -> None:
    common = ["-f", stored, "-s", schema, "-r", "patient1"]
    pipestat_spec("report", *common, "-o", "reads=1400", cwd=stored.parent)
    done = pipestat_spec("retrieve", *common, "--format", "json", cwd=stored.parent)
    answer = json.loads(done.stdout)
    assert {**answer, "reads": 1300}.items() >= PATIENT1.items()
    assert answer["reads"] == 1400


@pytest.mark.reference
def test_what_it_writes_today(
    reference: PythonEnvironment, folder: Path, schema: Path, time_zone: str
) -> None:
    file = folder / "results.yaml"
    values = json.dumps(PATIENT1)
    reference.script(scripts.REPORT, file, schema, "patient1", values, cwd=folder)
    overwrite = json.dumps({"reads": 1400, "passed": False})
    reference.script(scripts.REPORT, file, schema, "patient1", overwrite, cwd=folder)
    reference.script(scripts.SET_STATUS, file, schema, "patient1", "waiting", cwd=folder)
    with PipestatManager(results_file_path=file, schema_path=schema) as psm:
        assert psm.retrieve_one("patient1") == {
            **PATIENT1,
            "reads": 1400,
            "passed": False,
            "record_identifier": "patient1",
        }
        assert psm.get_status("patient1") == "waiting"
        history = psm.retrieve_history("patient1")
        assert list(history["reads"].values()) == [1300]
        assert list(history["passed"].values()) == [True]
        (time,) = history["reads"]
        # Local time there, UTC here: in whichever zone, it was just now.
        age = datetime.now(UTC) - datetime.fromisoformat(time)
        assert abs(age.total_seconds()) < 1500
