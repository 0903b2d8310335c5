"""What editors, other clients and other writers leave in a project (PEPhub 0.15.7)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import MissingConfigDataError, PipestatPEPHubError, RecordNotFoundError
from pipestat_spec.models.record import RecordKey
from tests.pephub.conftest import SCHEMA, TOKEN, Manager
from tests.pephub.contract_server import ContractServer, Fault, Pep

REFERENCE = {"sample_name": "old", "reads": 12, "name": "x"}


def pep(contract: ContractServer) -> Pep:
    return contract.peps["ns", "p", "default"]


# Tables that the editor saved


def test_a_rectangle_lists_as_before(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [{"sample_name": "pep", "protocol": "rna"}, REFERENCE])
    psm = manager(schema=SCHEMA)
    psm.report({"reads": 1200, "other": [1]}, "s1")
    before = psm.select_records()["records"]
    contract.save_as_editor("ns/p")
    assert contract.samples("ns/p")["pep"]["pipestat_results"] == ""
    psm = manager(schema=SCHEMA)
    assert psm.select_records()["records"] == before
    assert [record["record_identifier"] for record in before] == ["old", "s1"]
    # And what has no results gets some.
    psm.report({"reads": 7}, "pep")
    assert psm.retrieve_one("pep") == {"reads": 7, "record_identifier": "pep"}
    assert contract.samples("ns/p")["pep"]["pipestat_results"] == ["reads"]


def test_a_damaged_row_blocks_no_other(
    contract: ContractServer, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"sample_name": "good", "n": 1, "pipestat_results": ["n"]}
    bad = {"sample_name": "bad", "n": 1, "pipestat_results": "['n']"}
    contract.add_project("ns/p", [bad, good, {"sample_name": "x"}])
    pep(contract).entries[list(pep(contract).entries)[-1]].sample = {"sample_name": None, "n": 3}
    psm = manager()
    with caplog.at_level(logging.WARNING, "pipestat_spec"):
        assert list(psm) == ["good"]
        assert psm.select_records(where="n = 1")["total_size"] == 1
    told = [record.getMessage() for record in caplog.records]
    assert sum("'bad'" in text for text in told) == 1
    assert sum("rows without sample_name: 3" in text for text in told) == 1
    with pytest.raises(PipestatPEPHubError, match="'bad'"):
        psm.retrieve_one("bad")


@pytest.mark.parametrize("gap", [False, True], ids=["missing", "empty"])
def test_a_status_decides_nothing(contract: ContractServer, manager: Manager, gap: bool) -> None:
    row = {**REFERENCE, **({"pipestat_results": ""} if gap else {})}
    contract.add_project("ns/p", [row])
    manager().set_status("completed", "old")
    assert contract.samples("ns/p")["old"] == {**row, "status": "completed"}
    expected = {"reads": 12, "name": "x", "record_identifier": "old"}
    assert manager(schema=SCHEMA).retrieve_one("old") == expected
    manager().clear_status("old")
    assert contract.samples("ns/p")["old"] == row
    assert manager(schema=SCHEMA).retrieve_one("old") == expected


# Samples that names do not find


@pytest.mark.parametrize("warm", [False, True])
def test_a_project_that_was_overwritten_through_the_api(
    contract: ContractServer, manager: Manager, warm: bool
) -> None:
    contract.add_project("ns/p", [{"sample_name": "s1", "n": 1, "pipestat_results": ["n"]}])
    contract.overwrite_by_api("ns/p")
    psm = manager()
    if warm:
        assert list(psm) == ["s1"]
    assert psm.retrieve_one("s1", "n") == 1
    for change in (
        lambda: psm.report({"m": 1}, "s1"),
        lambda: psm.set_status("running", "s1"),
        lambda: psm.store.remove_record(RecordKey("sample", "s1")),
        lambda: psm.ingest(
            [
                {"pipestat_report": "1.0", "record_identifier": name, "results": {"m": 1}}
                for name in ("s1", "t1", "t2", "t3")
            ]
        ),
    ):
        with pytest.raises(PipestatPEPHubError, match="'s1' is in the list"):
            change()
    assert len(pep(contract).entries) == 1
    assert pep(contract).listed() == [{"sample_name": "s1", "n": 1, "pipestat_results": ["n"]}]


def test_a_sample_that_no_list_shows(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    (lost,) = (entry for entry in pep(contract).entries.values() if entry.name == "s1")
    lost.parent = "nobody"
    documents = [
        {"pipestat_report": "1.0", "record_identifier": f"s{n}", "results": {"m": 1}}
        for n in range(1, 6)
    ]
    for report in (lambda: manager().report({"m": 1}, "s1"), lambda: manager().ingest(documents)):
        with pytest.raises(PipestatPEPHubError, match="'s1' that is missing from its list"):
            report()
    # What the message says to do.
    psm.remove_record("s1", rm_record=True)
    manager().report({"m": 1}, "s1")
    assert list(manager()) == ["s1"]


def test_two_samples_of_one_name(
    contract: ContractServer, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"sample_name": "s1", "lane": 1}, {"sample_name": "s1", "lane": 2}]
    contract.add_project("ns/p", [*rows, {"sample_name": "s2", "n": 1, "pipestat_results": ["n"]}])
    psm = manager()
    documents = [
        {"pipestat_report": "1.0", "record_identifier": name, "results": {"m": 1}}
        for name in ("s1", "s3", "s4", "s5")
    ]
    for change in (
        lambda: manager().report({"n": 1}, "s1"),
        lambda: manager().set_status("running", "s1"),
        lambda: psm.ingest(documents),
    ):
        with pytest.raises(PipestatPEPHubError, match="several samples are called 's1'"):
            change()
    assert [e.sample for e in pep(contract).entries.values()][:2] == rows
    assert len(pep(contract).entries) == 3
    with caplog.at_level(logging.WARNING, "pipestat_spec"):
        assert list(manager()) == ["s2"]
    assert "several samples are called 's1'" in caplog.text


# Writers at the same time


def merging(contract: ContractServer, change: Callable[[dict[str, Any]], None]) -> Fault:
    """Let another writer store, after our write, what it has merged before."""
    stale = dict(contract.samples("ns/p")["s1"])

    def then() -> None:
        change(stale)
        entry = next(e for e in pep(contract).entries.values() if e.name == "s1")
        entry.sample = {**entry.sample, **stale}

    return Fault("GET", before=then)


def test_a_lost_list_of_results_is_written_again(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    psm.report({"a": 1}, "s1")

    def other(sample: dict[str, Any]) -> None:
        sample.update({"b": 2, "pipestat_results": ["a", "b"]})

    fault = merging(contract, other)
    contract.faults.append(Fault("PATCH", before=lambda: contract.faults.append(fault)))
    psm.report({"c": 3}, "s1")
    assert psm.retrieve_one("s1") == {"a": 1, "b": 2, "c": 3, "record_identifier": "s1"}
    # Repeating it is no conflict, even where the list was lost.
    contract.samples("ns/p")["s1"]["pipestat_results"] = ["a", "b"]
    psm.report({"c": 3}, "s1")
    assert contract.samples("ns/p")["s1"]["pipestat_results"] == ["a", "b", "c"]


def test_what_comes_back_is_removed_again(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [{"sample_name": "s1", "own": 1}, {"sample_name": "pep"}])
    psm = manager()
    psm.report({"a": 1, "b": 2}, "s1")

    def other(sample: dict[str, Any]) -> None:
        sample.pop("pipestat_results", None)

    for remove in (
        lambda: psm.remove("s1", "a"),
        lambda: psm.remove_record("s1", rm_record=True),
    ):
        fault = merging(contract, other)
        contract.faults.append(Fault("POST", before=lambda f=fault: contract.faults.append(f)))
        assert remove() is True
        assert "a" not in contract.samples("ns/p")["s1"]
    assert contract.samples("ns/p")["s1"] == {"sample_name": "s1", "own": 1}


# Servers and clients of other versions


def test_a_server_may_name_the_list_otherwise(manager: Manager) -> None:
    with ContractServer(tokens={TOKEN: {"ns"}}, list_key="samples") as server:
        server.add_project("ns/p")
        psm = manager(url=server.url)
        psm.report({"n": 1}, "s1")
        assert list(psm) == ["s1"]


def test_a_login_of_the_present_client(
    contract: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sent(**settings: Any) -> str:
        psm = PipestatManager.from_config({"pephub_path": "ns/p", **settings})
        psm.count_records()
        return contract.log[-1].headers.get("Authorization", "")

    folder = Path(os.environ["HOME"]) / ".pephubclient"
    folder.mkdir(exist_ok=True)
    login, old = folder / "jwt.toml", folder / "jwt.txt"
    try:
        login.write_text(f'token = "new"\nbase_url = "{contract.url}/"\n')
        old.write_text("old")
        # It says the server, too.
        assert sent() == "Bearer new"
        assert sent(pephub_url=contract.url) == "Bearer new"
        # The token of another server stays here.
        login.write_text('token = "new"\nbase_url = "https://elsewhere.example/"\n')
        assert sent(pephub_url=contract.url) == ""
        login.write_text("token = ")
        with pytest.raises(MissingConfigDataError, match=r"jwt\.toml cannot be read"):
            sent(pephub_url=contract.url)
        monkeypatch.setenv("PH_HOME", str(tmp_path))
        (tmp_path / "jwt.toml").write_text(f'token = "home"\nbase_url = "{contract.url}"\n')
        assert sent() == "Bearer home"
        # After `phc logout`.
        (tmp_path / "jwt.toml").unlink()
        assert sent(pephub_url=contract.url) == ""
    finally:
        login.unlink()
        old.unlink()


def test_a_record_that_is_not_there_is_looked_for_in_the_list(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_one("s1")
    assert contract.methods() == ["GET", "GET"]
