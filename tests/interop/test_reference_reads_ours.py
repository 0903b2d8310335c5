"""pipestat 0.13.1 reads and updates the `levels` files that we write."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.models.record import RecordKey
from tests.environments import PythonEnvironment
from tests.interop import reference_scripts as scripts

pytestmark = pytest.mark.reference

PLOT = {"path": "plots/p 1.png", "title": "Coverage: é", "thumbnail_path": "plots/t.png"}
VALUES = {
    "patient1": {"reads": 1200, "rate": 0.25, "name": "no", "passed": True, "plot": PLOT},
    "1e3": {"name": "12:30", "pct aligned": -0.0, "tags": [1, "2024-01-01", None, [], {}]},
    "no": {"reads": 2**53 + 1, "settings": {"on": "yes", "empty": {}}, "passed": False},
    "é ü": {"name": " two\nlines\u2028and\x85more ", "rate": 1e22},
}


def manager(folder: Path, schema: Path) -> PipestatManager:
    return PipestatManager(results_file_path=folder / "results.yaml", schema_path=schema)


def wanted(name: str) -> dict[str, Any]:
    return {**VALUES[name], "record_identifier": name}


@pytest.fixture
def ours(folder: Path, schema: Path) -> Path:
    """A results file that we wrote, with history and status."""
    with manager(folder, schema) as psm:
        psm.report({"reads": 1000, "rate": 0.5}, "patient1")
        psm.report({"reads": 1100}, "patient1")
        psm.report_many(VALUES)
        psm.report({"total": 4}, "cohort", level="project")
        psm.store.set_status(
            RecordKey("sample", "patient1"), "running", "step 2", {"engine": "snakemake"}
        )
        psm.set_status("failed", "no")
    return folder / "results.yaml"


def ask(reference: PythonEnvironment, file: Path, schema: Path) -> Any:
    names = json.dumps(list(VALUES))
    return reference.script(scripts.READ, file, schema, names, cwd=file.parent)


def let_a_second_pass(file: Path) -> None:
    """Wait until pipestat, whose history has one entry a second, meets none of ours."""
    while file.exists() and _now() <= max(
        re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", file.read_text())
    ):
        time.sleep(0.1)


def _now() -> str:
    return datetime.now().strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.usefixtures("time_zone")
def test_it_reads_results_status_and_history(
    reference: PythonEnvironment, ours: Path, schema: Path
) -> None:
    answer = ask(reference, ours, schema)
    for name in VALUES:
        assert answer["one"][name] == wanted(name)
    by_name = {record["record_identifier"]: record for record in answer["records"]}
    assert by_name == {name: wanted(name) for name in VALUES}
    assert answer["status"] == {"patient1": "running", "1e3": None, "no": "failed", "é ü": None}
    history = answer["history"]["patient1"]
    assert list(history["reads"].values()) == [1000, 1100]
    assert list(history["rate"].values()) == [0.5]


def test_it_reads_the_project_level(reference: PythonEnvironment, ours: Path, schema: Path) -> None:
    answer: Any = reference.script(scripts.READ_PROJECT, ours, schema, "cohort", cwd=ours.parent)
    assert answer == {"one": {"total": 4, "record_identifier": "cohort"}}


def test_its_times_are_local_times(
    time_zone: str, reference: PythonEnvironment, ours: Path, schema: Path
) -> None:
    meta = yaml.safe_load(ours.read_bytes())["rnaseq"]["sample"]["patient1"]["meta"]
    offset = {"UTC0": 0, "IST-5:30": 330, "NST+3:30": -210}[time_zone]
    local = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=offset)
    for key in ("pipestat_created_time", "pipestat_modified_time"):
        written = datetime.strptime(meta[key], "%Y-%m-%d %H:%M:%S")
        assert abs(written - local) < timedelta(minutes=5)
    script = scripts.OPEN + "print(json.dumps(psm.list_recent_results(limit=10)))"
    recent: Any = reference.script(script, ours, schema, cwd=ours.parent)
    assert {record["record_identifier"] for record in recent["records"]} == set(VALUES)


@pytest.mark.usefixtures("time_zone")
def test_it_updates_our_file_and_we_read_that(
    reference: PythonEnvironment, ours: Path, schema: Path
) -> None:
    with manager(ours.parent, schema) as psm:
        before = psm.store.get(RecordKey("sample", "patient1"))
    let_a_second_pass(ours)
    before_meta = yaml.safe_load(ours.read_bytes())["rnaseq"]["sample"]["patient1"]["meta"]
    update = json.dumps({"reads": 1300, "name": "on"})
    reference.script(scripts.REPORT, ours, schema, "patient1", update, cwd=ours.parent)
    reference.script(scripts.REPORT, ours, schema, "new", '{"reads": 1}', cwd=ours.parent)
    reference.script(scripts.SET_STATUS, ours, schema, "patient1", "completed", cwd=ours.parent)

    with manager(ours.parent, schema) as psm:
        assert psm.retrieve_one("patient1") == {**wanted("patient1"), "reads": 1300, "name": "on"}
        assert psm.retrieve_one("new", "reads") == 1
        for name in ("1e3", "no", "é ü"):
            assert psm.retrieve_one(name) == wanted(name)
        assert psm.get_status("patient1") == "completed"
        assert list(psm.retrieve_history("patient1", "reads")["reads"].values()) == [
            1000,
            1100,
            1200,
        ]
        after = psm.store.get(RecordKey("sample", "patient1"))
        assert after.created == before.created
        assert after.source == before.source == {"engine": "snakemake"}
        assert before.modified is not None
        assert after.modified is not None
        # Its clock has whole seconds.
        assert after.modified >= before.modified.replace(microsecond=0)
        assert abs(after.modified - datetime.now(UTC)) < timedelta(minutes=5)

        psm.report({"reads": 1400}, "patient1")
        times = list(psm.retrieve_history("patient1", "reads")["reads"])
        assert list(psm.retrieve_history("patient1", "reads")["reads"].values())[-1] == 1300
        assert times == sorted(set(times))
    after_meta = yaml.safe_load(ours.read_bytes())["rnaseq"]["sample"]["patient1"]["meta"]
    assert after_meta["created"] == before_meta["created"]
    kept = before_meta["history_times"]["reads"]
    assert kept.items() <= after_meta["history_times"]["reads"].items()


def test_the_two_take_turns(reference: PythonEnvironment, folder: Path, schema: Path) -> None:
    file = folder / "results.yaml"
    for number in range(3):
        let_a_second_pass(file)
        with manager(folder, schema) as psm:
            psm.report({"reads": 2 * number}, "s1")
            psm.set_status("running", "s1")
        let_a_second_pass(file)
        values = json.dumps({"reads": 2 * number + 1})
        reference.script(scripts.REPORT, file, schema, "s1", values, cwd=folder)
        reference.script(scripts.SET_STATUS, file, schema, "s1", "completed", cwd=folder)
    with manager(folder, schema) as psm:
        assert psm.retrieve_one("s1", "reads") == 5
        assert psm.get_status("s1") == "completed"
        assert list(psm.retrieve_history("s1", "reads")["reads"].values()) == [0, 1, 2, 3, 4]
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "results.yaml", ".results.yaml.lock", ".results.yaml.status", "rnaseq_s1_completed.flag"
    }  # fmt: skip


def test_statuses_in_turn(reference: PythonEnvironment, folder: Path, schema: Path) -> None:
    """What it sets counts, what it reports leaves a status, what it clears comes back."""
    file = folder / "results.yaml"

    def status_there() -> Any:
        return reference.script(scripts.GET_STATUS, file, schema, "s1", cwd=folder)

    with manager(folder, schema) as psm:
        psm.set_status("running", "s1")
        assert status_there() == "running"
        reference.script(scripts.SET_STATUS, file, schema, "s1", "failed", cwd=folder)
        assert psm.get_status("s1") == "failed"
        # It reports beside a status of ours: `meta` keeps it.
        psm.set_status("partial", "s1")
        reference.script(scripts.REPORT, file, schema, "s1", '{"reads": 1}', cwd=folder)
        assert (psm.get_status("s1"), status_there()) == ("partial", "partial")
        # The same status again, which makes a plain file of our link.
        reference.script(scripts.SET_STATUS, file, schema, "s1", "partial", cwd=folder)
        flag = folder / "rnaseq_s1_partial.flag"
        assert (psm.get_status("s1"), flag.is_symlink()) == ("partial", False)
        psm.report({"reads": 2}, "s1")
        assert (flag.is_symlink(), status_there()) == (True, "partial")
        reference.script(scripts.CLEAR_STATUS, file, schema, "s1", cwd=folder)
        assert (psm.get_status("s1"), status_there()) == ("partial", None)
        psm.report({"reads": 3}, "s1")
        assert status_there() == "partial"
        psm.clear_status("s1")
        assert (psm.get_status("s1"), status_there()) == (None, None)


def test_what_looper_does_with_statuses(
    reference: PythonEnvironment, folder: Path, schema: Path
) -> None:
    """`looper rerun` makes failed records wait, `looper destroy` removes them."""
    file = folder / "results.yaml"
    with manager(folder, schema) as psm:
        for name in ("s1", "s2"):
            psm.report({"reads": 1}, name)
            psm.set_status("failed", name)
        reference.script(scripts.SET_STATUS, file, schema, "s1", "waiting", cwd=folder)
        assert [psm.get_status(name) for name in ("s1", "s2")] == ["waiting", "failed"]
        psm.set_status("running", "s1")
        psm.set_status("completed", "s1")
        reference.script(scripts.REMOVE_RECORD, file, schema, "s1", cwd=folder)
        assert list(psm) == ["s2"]
        # It leaves the flag, which is a link of ours and counts for nothing.
        assert (folder / "rnaseq_s1_completed.flag").is_symlink()
        assert [psm.get_status(name) for name in ("s1", "s2")] == [None, "failed"]
        psm.report({"reads": 2}, "s1")
        assert psm.get_status("s1") is None
        assert [path.name for path in folder.glob("*.flag")] == ["rnaseq_s2_failed.flag"]
