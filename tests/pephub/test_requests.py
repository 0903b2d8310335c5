"""How many requests there are, and what is in them: no more than what changed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import requests

from tests.patience import SECONDS, wait_until
from tests.pephub.conftest import SCHEMA, TOKEN, Manager
from tests.pephub.contract_server import ContractServer, Fault


def documents(number: int, value: int = 1) -> list[dict[str, Any]]:
    return [
        {"pipestat_report": "1.0", "record_identifier": f"s{n:04}", "results": {"n": value}}
        for n in range(number)
    ]


def test_a_report_is_two_requests_or_three(contract: ContractServer, manager: Manager) -> None:
    psm = manager(force_overwrite=True)
    assert contract.methods() == []
    psm.report({"a": 1, "b": [1], "c": "x"}, "s1")
    assert contract.methods() == ["GET", "POST"]
    psm.report({"a": 2, "b": [1], "d": None}, "s1")
    assert [logged.document for logged in contract.log] == [
        None,
        {"a": 2, "d": None, "pipestat_results": ["a", "b", "c", "d"]},
        None,
    ]
    # The list of results is looked at again: another writer may have undone it.
    assert contract.methods() == ["GET", "PATCH", "GET"]
    psm.report({"a": 3}, "s1")
    assert contract.log[-1].document == {"a": 3}
    psm.set_status("running", "s1")
    assert contract.log[-1].document == {"status": "running"}
    contract.methods()
    psm.report({"a": 3, "c": "x"}, "s1")
    psm.set_status("running", "s1")
    assert contract.methods() == ["GET", "GET"]
    psm.remove("s1", "b")
    assert contract.methods() == ["GET", "POST", "GET"]
    psm.clear_status("s1")
    assert contract.methods() == ["GET", "POST", "GET"]
    assert contract.samples("ns/p")["s1"] == {
        "sample_name": "s1",
        "a": 3,
        "c": "x",
        "d": None,
        "pipestat_results": ["a", "c", "d"],
    }


def test_a_report_with_a_status_is_one_change(contract: ContractServer, manager: Manager) -> None:
    with manager().record("s1") as run:
        contract.methods()
        run.report(n=1)
        assert contract.methods() == ["GET", "PATCH", "GET"]
    assert contract.samples("ns/p")["s1"]["status"] == "completed"


def test_reading_asks_once(contract: ContractServer, manager: Manager) -> None:
    psm = manager(schema=SCHEMA)
    psm.report({"reads": 1}, "s1")
    contract.methods()
    for read in (
        lambda: psm.retrieve_one("s1"),
        lambda: psm.get_status("s1"),
        lambda: psm.select_records(where="reads > 0"),
        lambda: psm.select_distinct(["reads"]),
        lambda: psm.count_records(),
        lambda: psm.retrieve_many(["s1", "s2", "s3"]),
        lambda: list(psm.iter_records()),
        lambda: list(iter(psm)),
    ):
        read()
        assert contract.methods() == ["GET"]


def test_values_are_never_read_from_the_table(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    psm.report({"n": 2**53 + 1}, "s1")
    # What the other answer of the server would have made of it.
    table = requests.get(f"{contract.url}/api/v1/projects/ns/p/samples", timeout=SECONDS).json()
    assert [item["n"] for item in table["items"]] == [None, 9007199254740992.0]
    contract.methods()
    contract.log.clear()
    psm.retrieve_one("s1")
    assert psm.select_records()["records"] == [{"n": 2**53 + 1, "record_identifier": "s1"}]
    assert [logged.path for logged in contract.log] == [
        "/api/v1/projects/ns/p/samples/s1",
        "/api/v1/projects/ns/p",
    ]


def test_names_are_quoted_in_addresses(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p&q+é:v_1")
    psm = manager("ns/p&q+é:v_1")
    psm.report({"n": 1}, "a c?d#e%")
    psm.report({"n": 1}, "a c?d#e%")
    get, post, again = contract.log
    assert get.path == "/api/v1/projects/ns/p%26q%2B%C3%A9"
    assert post.path == get.path + "/samples/a%20c%3Fd%23e%25"
    assert again.path == post.path
    assert get.query == again.query == "tag=v_1"
    assert contract.samples("ns/p&q+é:v_1")["a c?d#e%"]["n"] == 1


def test_a_removal_removes_what_was_reported(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [{"sample_name": "s1", "own": 1}, {"sample_name": "s2"}])
    psm = manager()
    for name in ("s1", "s2", "s3"):
        psm.report({"n": 1}, name)
        psm.set_status("completed", name)
    contract.methods()
    psm.remove_record("s1", rm_record=True)
    assert contract.methods() == ["GET", "POST", "GET"]
    psm.remove_record("s3", rm_record=True)
    # Is it the last sample? Then it has to stay.
    assert contract.methods() == ["GET", "GET", "DELETE"]
    assert contract.samples("ns/p") == {
        "s1": {"sample_name": "s1", "own": 1},
        "s2": {"sample_name": "s2", "n": 1, "status": "completed", "pipestat_results": ["n"]},
    }


def test_a_project_never_loses_its_last_sample(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [{"sample_name": "s1"}])
    psm = manager()
    psm.report({"n": 1}, "s1")
    psm.remove_record("s1", rm_record=True)
    assert contract.samples("ns/p") == {"s1": {"sample_name": "s1"}}
    assert list(psm) == []
    # The server could do neither on a project without samples.
    psm.report({"n": 2}, "s2")
    assert list(psm) == ["s2"]


def test_a_pep_may_name_its_samples_otherwise(contract: ContractServer, manager: Manager) -> None:
    config = {"sample_table_index": "sample_id"}
    contract.add_project("ns/p", [{"sample_id": "s1", "own": 1}, {"sample_id": 7}], config=config)
    psm = manager()
    psm.report({"n": 1}, "s2")
    assert contract.samples("ns/p")["s2"] == {
        "sample_id": "s2",
        "n": 1,
        "pipestat_results": ["n"],
    }
    contract.methods()
    psm = manager(force_overwrite=True)
    psm.report({"n": 2}, "7")
    assert contract.samples("ns/p")["7"] == {"sample_id": 7, "n": 2, "pipestat_results": ["n"]}
    with pytest.raises(Exception, match="'sample_id' cannot name a result"):
        psm.report({"sample_id": "s9"}, "s1")
    assert list(psm) == ["7", "s2"]
    psm.remove_record("s2", rm_record=True)
    assert set(contract.samples("ns/p")) == {"s1", "7"}


def test_two_thousand_records_are_listed_in_one_request(
    contract: ContractServer, manager: Manager
) -> None:
    contract.add_project(
        "ns/p",
        [
            {"sample_name": f"s{n:04}", "n": n, "big": 2**53 + n, "pipestat_results": ["n", "big"]}
            for n in range(2000)
        ],
    )
    psm = manager()
    page = psm.select_records(where="n >= 500", limit=2000)
    assert contract.methods() == ["GET"]
    assert page["total_size"] == len(page["records"]) == 1500
    assert page["records"][0] == {"n": 500, "big": 2**53 + 500, "record_identifier": "s0500"}
    assert len(list(psm)) == 2000
    # Python asks for the length of a list first.
    assert contract.methods() == ["GET", "GET"]


def test_ingesting_many_is_one_request_each_and_one_more(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    psm.ingest(documents(200))
    methods = contract.methods()
    assert methods.count("GET") == 1
    assert methods.count("POST") == 200
    assert len(methods) == 201
    report = psm.ingest(documents(200))
    assert contract.methods() == ["GET"]
    assert (report.changed, report.unchanged) == (0, 200)
    report = psm.ingest([*documents(200), *documents(3, value=2)])
    # What changes an existing record looks at it again first.
    assert contract.methods() == ["GET", "GET", "PATCH", "GET", "PATCH", "GET", "PATCH"]
    assert (report.changed, report.unchanged) == (3, 197)
    assert contract.samples("ns/p")["s0002"]["n"] == 2


def test_refused_documents_store_nothing(contract: ContractServer, manager: Manager) -> None:
    samples = [{"sample_name": "pep"}, {"sample_name": "s0150", "n": 5}]
    contract.add_project("ns/p", samples)
    psm = manager()
    with pytest.raises(Exception, match="'n' of record 's0150' is 5, an attribute that is no"):
        psm.ingest(documents(200), overwrite=False)
    assert contract.methods() == ["GET"]
    report = psm.ingest(documents(200), overwrite=False, keep_going=True)
    assert len(report.rejected) == 1
    assert contract.samples("ns/p")["s0150"] == {"sample_name": "s0150", "n": 5}
    assert len(contract.samples("ns/p")) == 201
    # As a report that may overwrite, so this: what is the PEP's own is not replaced.
    with pytest.raises(Exception, match="'n' of record 's0150' is 5, an attribute that is no"):
        psm.ingest(documents(200))
    assert contract.samples("ns/p")["s0150"] == {"sample_name": "s0150", "n": 5}


def test_one_connection_is_used_again(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    for number in range(10):
        psm.report({"n": number}, f"s{number}")
    assert len(contract._server.connections) == 1
    psm.store.close()
    wait_until(lambda: not contract._server.connections, "no connection is open")
    # A closed store opens again when it is used.
    assert psm.count_records() == 10


def test_the_body_is_json_with_exact_integers(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    psm.report({"n": 2**63 - 1, "f": 0.1, "text": "\u2028\U0001f680"}, "s1")
    sent = contract.log[-1]
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.dumps(sent.document["n"]) == "9223372036854775807"
    assert sent.document["text"] == "\u2028\U0001f680"


def test_samples_added_at_the_same_time_show_why_one_has_to_write(
    contract: ContractServer, manager: Manager
) -> None:
    """The server chains samples without a lock: the limit that the documentation names."""
    managers = [manager() for _ in range(8)]
    # Each has read the chain before anyone writes.
    contract.between = Barrier(8, timeout=SECONDS).wait
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: managers[n].report({"n": n}, f"s{n}"), range(8)))
    assert len(contract.samples("ns/p")) == 9
    assert managers[0].count_records() < 8
    # Read by name they are all there.
    assert [managers[0].retrieve_one(f"s{n}", "n") for n in range(8)] == list(range(8))


def test_another_writer_that_adds_the_sample_first_is_seen(
    contract: ContractServer, manager: Manager
) -> None:
    psm, other = manager(), manager()
    fault = Fault("POST", before=lambda: other.report({"m": 2}, "s1"))
    contract.faults.append(fault)
    psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"] == {
        "sample_name": "s1",
        "m": 2,
        "n": 1,
        "pipestat_results": ["m", "n"],
    }
    contract.faults.append(Fault("POST", before=lambda: other.report({"n": 5}, "s2")))
    assert psm.report({"n": 1}, "s2") is False
    assert contract.samples("ns/p")["s2"]["n"] == 5


def test_another_writer_that_removes_the_sample_meanwhile_is_seen(
    contract: ContractServer, manager: Manager
) -> None:
    psm, other = manager(), manager()
    psm.report({"m": 1}, "s1")
    contract.faults.append(Fault("PATCH", before=lambda: other.remove_record("s1", rm_record=True)))
    psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"] == {
        "sample_name": "s1",
        "n": 1,
        "pipestat_results": ["n"],
    }
