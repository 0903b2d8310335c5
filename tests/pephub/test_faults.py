"""What a user meets when the server, the network or the token is not as it should be."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatError, PipestatPEPHubError, RecordNotFoundError
from tests import patience
from tests.pephub.conftest import EXPIRED, OTHER_TOKEN, Manager
from tests.pephub.contract_server import ContractServer, Fault

STORED = {"sample_name": "s1", "n": 1, "pipestat_results": ["n"]}


def refused(operation: Callable[[], Any], *words: str) -> str:
    """Return the one line with which an operation is refused."""
    with pytest.raises(PipestatPEPHubError) as caught:
        operation()
    text = str(caught.value)
    assert caught.value.code == "store"
    assert "\n" not in text
    assert len(text) < 400
    for word in words:
        assert word in text, text
    assert caught.value.__cause__ is None
    return text


# Who may do what


def test_without_a_token(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [{"sample_name": "pep"}, STORED])
    psm = manager(token=None)
    assert psm.retrieve_one("s1", "n") == 1
    refused(lambda: psm.report({"n": 1}, "s2"), "ns/p:default", "there is no token", "phc login")
    # The server says 404 here; the sample is there, so it is not that.
    refused(lambda: psm.report({"m": 1}, "s1"), "there is no token", "phc login")
    refused(lambda: psm.remove("s1", "n"), "there is no token")
    refused(lambda: psm.remove_record("s1", rm_record=True), "there is no token")
    assert contract.samples("ns/p")["s1"] == STORED


def test_with_an_expired_token(contract: ContractServer, manager: Manager) -> None:
    psm = manager(token=EXPIRED)
    refused(lambda: psm.report({"n": 1}, "s1"), "the token has expired", "phc login")
    # The server takes it for none, so what is public can be read.
    assert psm.count_records() == 0
    contract.add_project("ns/private", private=True)
    psm = manager("ns/private", token=EXPIRED)
    refused(lambda: psm.count_records(), "ns/private", "the token has expired", "phc login")


@pytest.mark.parametrize("token", [OTHER_TOKEN, "no.such.token"])
def test_a_project_of_somebody_else(contract: ContractServer, manager: Manager, token: str) -> None:
    contract.add_project("ns/p", [{"sample_name": "pep"}, STORED])
    psm = manager(token=token)
    for operation in (
        lambda: psm.report({"n": 1}, "s2"),
        lambda: psm.report({"m": 1}, "s1"),
        lambda: psm.set_status("running", "s1"),
        lambda: psm.remove("s1", "n"),
        lambda: psm.remove_record("s1", rm_record=True),
    ):
        refused(operation, "the token does not allow it", "may write to ns")
    assert contract.samples("ns/p") == {"pep": {"sample_name": "pep"}, "s1": STORED}
    assert psm.retrieve_one("s1", "n") == 1


@pytest.mark.parametrize("path", ["ns/nowhere", "ns/p:other", "nobody/p", "ns/private"])
def test_a_project_that_is_not_there(contract: ContractServer, manager: Manager, path: str) -> None:
    contract.add_project("ns/private", private=True)
    psm = manager(path, token=OTHER_TOKEN)
    shown = path if ":" in path else f"{path}:default"
    for operation in (
        lambda: psm.report({"n": 1}, "s1"),
        lambda: psm.retrieve_one("s1"),
        lambda: psm.count_records(),
        lambda: psm.get_status("s1"),
    ):
        refused(operation, f"PEPhub has no project {shown}", "correct pephub_path")
    without = manager(path, token=None)
    refused(lambda: without.count_records(), f"no project {shown}", "phc login")


def test_a_private_project_of_ones_own(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/private", private=True)
    psm = manager("ns/private")
    psm.report({"n": 1}, "s1")
    assert psm.retrieve_one("s1", "n") == 1


def test_a_reason_in_other_words_is_looked_into(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    other = {"status": 404, "body": b'{"detail": "nope"}'}
    contract.faults.append(Fault("GET", **other))
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_one("s1")
    assert contract.methods() == ["GET", "GET", "GET"]
    psm = manager("ns/nowhere")
    contract.faults.append(Fault("GET", **other))
    refused(lambda: psm.retrieve_one("s1"), "PEPhub has no project ns/nowhere:default")


# The server is in trouble


def test_the_server_is_down(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=1)
    psm.report({"n": 1}, "s1")
    contract.stop()
    for operation in (
        lambda: psm.report({"n": 2}, "s1", force_overwrite=True),
        lambda: psm.retrieve_one("s1"),
    ):
        refused(operation, contract.url, "it refuses connections", "pephub_url")


def test_a_host_that_does_not_exist() -> None:
    psm = PipestatManager.from_config(
        {"pephub_path": "ns/p", "pephub": {"url": "http://nowhere.invalid", "retries": 0}}
    )
    refused(lambda: psm.count_records(), "http://nowhere.invalid: its name is not known")


def test_a_server_that_never_answers(contract: ContractServer, manager: Manager) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        psm = manager(url=url, timeout=0.2, retries=1)
        refused(lambda: psm.report({"n": 1}, "s1"), "no answer in time")


def test_a_server_that_is_no_pephub(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=0)
    page = b"<html>Welcome</html>"
    contract.faults.append(Fault("GET", status=200, body=page))
    refused(lambda: psm.retrieve_one("s1"), "something that is not JSON", "pephub_url")
    contract.faults.append(Fault("GET", status=200, body=b"[1]"))
    refused(lambda: psm.retrieve_one("s1"), "something that is not a sample")
    for body in (b"[1]", b"{}", b'{"config": {}, "sample_list": [{"x": 1}]}'):
        contract.faults.append(Fault("GET", status=200, body=body))
        refused(lambda: psm.count_records(), "something that is not a project")


def test_a_redirect_is_not_followed(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=0)
    for method, location in (("GET", "https://elsewhere/"), ("POST", "https://elsewhere/x")):
        contract.faults.append(Fault(method, status=301, headers={"Location": location}))
        refused(lambda: psm.report({"n": 1}, "s1"), f"redirects to {location}", "pephub_url")
    assert "s1" not in contract.samples("ns/p")


def test_an_empty_project_is_told(contract: ContractServer, manager: Manager) -> None:
    contract.add_project("ns/p", [])
    psm = manager(retries=0)
    refused(lambda: psm.report({"n": 1}, "s1"), "500", "a project without any sample")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_too_many_requests(contract: ContractServer, manager: Manager, method: str) -> None:
    psm = manager()
    if method == "PATCH":
        psm.report({"m": 1}, "s1")
        contract.methods()
    contract.faults.append(Fault(method, status=429, headers={"Retry-After": "1"}))
    started = time.monotonic()
    psm.report({"n": 1}, "s1")
    assert time.monotonic() - started >= 1.0
    assert contract.methods().count(method) == 2
    assert psm.retrieve_one("s1", "n") == 1


def test_a_time_to_come_back_may_be_a_date(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    moment = datetime.now(UTC) + timedelta(seconds=2)
    header = format_datetime(moment, usegmt=True)
    contract.faults.append(Fault("GET", status=429, headers={"Retry-After": header}))
    psm.count_records()
    # The header has whole seconds.
    assert datetime.now(UTC) >= moment.replace(microsecond=0)


def test_a_long_time_to_come_back_is_cut_short(
    contract: ContractServer, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipestat_pephub.session.LONGEST_PAUSE", 0.1)
    psm = manager(retries=1)
    contract.faults.append(Fault("GET", 2, status=429, headers={"Retry-After": "86400"}))
    refused(lambda: psm.count_records(), "the server is asked too often", "try again later")
    contract.faults.append(Fault("POST", 2, status=429, headers={"Retry-After": "86400"}))
    refused(lambda: psm.report({"n": 1}, "s1"), "the server is asked too often")
    assert "s1" not in contract.samples("ns/p")


def test_500_twice_and_then_202(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    contract.faults.append(Fault("POST", 2, status=500))
    psm.report({"n": 1}, "s1")
    # After each failure a look at the sample and the list tells that nothing was stored.
    assert contract.methods() == ["GET", "POST", *["GET", "GET", "POST"] * 2]
    contract.faults.append(Fault("PATCH", 2, status=503))
    psm.report({"m": 1}, "s1")
    assert contract.methods() == ["GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET"]
    contract.faults.append(Fault("GET", 2, status=500))
    assert psm.retrieve_one("s1") == {"n": 1, "m": 1, "record_identifier": "s1"}
    assert contract.methods() == ["GET", "GET", "GET"]
    assert list(contract.samples("ns/p")) == ["pep", "s1"]


def test_500_for_ever(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=1)
    contract.faults.append(Fault("POST", 99, status=500))
    refused(
        lambda: psm.report({"n": 1}, "s1"),
        "'s1'", "the server answers 500", "whether it was stored is not known", "repeat it later",
    )  # fmt: skip
    contract.faults.append(Fault("GET", 99, status=502))
    refused(lambda: psm.retrieve_one("s1"), "the server answers 502", "try again later")


# Connections that are cut

LOST = [
    Fault("x", processed=True, cut=True),
    Fault("x", cut=True),
    Fault("x", processed=True, status=500),
    Fault("x", processed=True, status=504),
]


def lose(contract: ContractServer, method: str, kind: Fault, times: int = 1) -> None:
    fault = Fault(method, times, processed=kind.processed, cut=kind.cut, status=kind.status)
    contract.faults.append(fault)


@pytest.mark.parametrize("kind", LOST, ids=["stored", "not-stored", "stored-500", "stored-504"])
def test_a_cut_is_settled_by_looking(
    contract: ContractServer, manager: Manager, kind: Fault
) -> None:
    psm = manager()
    again = not kind.processed
    lose(contract, "POST", kind)
    assert psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"] == STORED
    assert contract.methods() == ["GET", "POST", "GET", *(["GET", "POST"] if again else [])]
    lose(contract, "PATCH", kind)
    psm.report({"m": 1}, "s1")
    assert contract.methods() == ["GET", "PATCH", "GET", *(["PATCH", "GET"] if again else [])]
    lose(contract, "POST", kind)
    assert psm.remove("s1", "m") is True
    assert contract.samples("ns/p")["s1"] == STORED
    assert contract.methods() == ["GET", "POST", "GET", *(["POST", "GET"] if again else [])]
    lose(contract, "DELETE", kind)
    # Gone by our own hand, so it is not unknown.
    assert psm.remove_record("s1", rm_record=True) is True
    assert contract.samples("ns/p") == {"pep": {"sample_name": "pep"}}
    assert list(psm) == []


def test_a_removal_that_lands_late_is_ours(contract: ContractServer, manager: Manager) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    pep = contract.peps["ns", "p", "default"]
    contract.faults += [
        Fault("DELETE", cut=True),
        Fault("DELETE", before=lambda: pep.remove(pep.find("s1") or "")),
    ]
    assert psm.remove_record("s1", rm_record=True) is True
    assert contract.methods().count("DELETE") == 2
    assert psm.remove_record("s1", rm_record=True) is False


def test_what_was_stored_without_an_answer_counts_as_changed(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    documents = [{"pipestat_report": "1.0", "record_identifier": "s1", "results": {"n": 1}}]
    lose(contract, "POST", LOST[0])
    report = psm.ingest(documents)
    assert (report.changed, report.unchanged) == (1, 0)
    lose(contract, "PATCH", LOST[0])
    report = psm.ingest([{**documents[0], "results": {"n": 2}}])
    assert (report.changed, report.unchanged) == (1, 0)


def test_an_attribute_that_is_still_there_is_removed_again(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    psm.report({"n": 1, "m": 2}, "s1")
    # The sample holds all that was sent, and more: what was to go.
    lose(contract, "POST", LOST[1])
    assert psm.remove("s1", "m") is True
    psm.set_status("running", "s1")
    lose(contract, "POST", LOST[1])
    assert psm.clear_status("s1") == ["running"]
    assert contract.samples("ns/p")["s1"] == STORED


def test_a_cut_is_no_conflict_and_no_loss_over_and_over(
    contract: ContractServer, manager: Manager, trials
) -> None:
    contract.between = lambda: None
    psm = manager(force_overwrite=True)
    psm.store.backend.session.pause = lambda *_: None
    model: dict[str, dict[str, int]] = {}
    for source in trials(400, 60):
        name, result = f"s{source.randrange(3)}", source.choice("abc")
        lose(contract, source.choice(("POST", "PATCH", "DELETE")), source.choice(LOST))
        if source.random() < 0.25 and name in model:
            psm.remove_record(name, rm_record=True)
            del model[name]
        elif source.random() < 0.25 and result in model.get(name, {}):
            psm.remove(name, result)
            del model[name][result]
        else:
            value = source.randrange(1000)
            psm.report({result: value}, name)
            model.setdefault(name, {})[result] = value
        contract.faults.clear()
        stored = contract.samples("ns/p")
        assert stored.keys() - {"pep"} == model.keys()
        assert {n: {r: stored[n][r] for r in model[n]} for n in model} == model
        assert {n: sorted(stored[n]["pipestat_results"]) for n in model} == {
            n: sorted(model[n]) for n in model
        }


def test_a_cut_with_another_writer_behind_it(contract: ContractServer, manager: Manager) -> None:
    psm, other = manager(), manager(force_overwrite=True)
    looked = Fault("GET", before=lambda: other.report({"n": 9}, "s1"))

    def then() -> None:
        contract.faults.append(looked)

    contract.faults.append(Fault("POST", processed=True, cut=True, before=then))
    # What stands there by now is somebody else's: a conflict, and a true one.
    assert psm.report({"n": 1}, "s1") is False
    assert contract.samples("ns/p")["s1"]["n"] == 9


def test_a_slow_server_gets_no_second_sample(contract: ContractServer, manager: Manager) -> None:
    psm = manager(timeout=1)
    looked = Event()
    # It stores the sample when somebody has looked for it in vain.
    contract.between = lambda: looked.wait(patience.SECONDS)
    contract.faults += [
        Fault("GET", 2, processed=True), Fault("GET", processed=True, before=looked.set)
    ]  # fmt: skip
    psm.report({"n": 1}, "s1")
    assert contract.methods().count("POST") == 1
    entries = contract.peps["ns", "p", "default"].entries.values()
    assert [entry.name for entry in entries] == ["pep", "s1"]


def test_a_server_that_swallows_a_sample_is_not_asked_twice(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager(timeout=1, retries=1)
    contract.faults.append(Fault("POST", 9, cut=True, delay=2.5))
    refused(
        lambda: psm.report({"n": 1}, "s1"),
        "no answer in time, and whether it was stored is not known",
        "repeat it later: what is stored already is no change",
    )
    assert contract.methods().count("POST") == 1
    contract.faults.clear()
    psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"] == STORED


def test_the_server_goes_down_after_it_stored(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=1)
    stopped = Fault("GET", 99, cut=True)
    contract.faults.append(
        Fault("POST", processed=True, cut=True, before=lambda: contract.faults.append(stopped))
    )
    refused(
        lambda: psm.report({"n": 1}, "s1"),
        "the connection was cut", "whether it was stored is not known",
    )  # fmt: skip
    contract.faults.clear()
    assert psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"] == STORED


def test_an_idle_connection_that_the_server_closed_is_replaced(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    contract._server.cut_all()
    time.sleep(0.1)
    psm.report({"n": 2}, "s1", force_overwrite=True)
    assert contract.samples("ns/p")["s1"]["n"] == 2


def test_no_exception_of_a_library_escapes(contract: ContractServer, manager: Manager) -> None:
    psm = manager(retries=0)
    kinds: list[dict[str, Any]] = [
        {"cut": True},
        *({"status": status} for status in (300, 400, 403, 405, 413, 418, 422, 500, 503)),
        {"status": 400, "body": b"\xff"},
        {"status": 422, "body": b'{"detail": [{"loc": ["body"], "msg": "wrong"}]}'},
        {"status": 200, "body": b"\xff\xfe"},
        {"status": 200, "body": b"["},
        {"status": 200, "body": b"[" * 100_000},
    ]
    for number, kind in enumerate(kinds):
        for method in ("GET", "POST"):
            contract.faults[:] = [Fault(method, 99, **kind)]
            if method == "POST" and kind.get("status") == 200:
                continue
            with pytest.raises(PipestatError) as caught:
                psm.report({"n": 1}, f"s{number}")
            assert "\n" not in str(caught.value), kind
            assert caught.value.code == "store", kind


def test_work_in_child_processes_has_its_own_connections(
    contract: ContractServer, manager: Manager
) -> None:
    psm = manager()
    for number in range(3):
        psm.report({"n": number, "text": str(number) * 50_000}, f"s{number}")
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(40):
                    found = psm.retrieve_one(f"s{number}")
                    assert found["n"] == number
                    assert found["text"] == str(number) * 50_000
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert psm.retrieve_one("s2", "n") == 2
