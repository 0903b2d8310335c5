"""What a record becomes on PEPhub, and what comes back; on every server that there is."""

from __future__ import annotations

import pytest

from pipestat_spec import hookimpl
from pipestat_spec.errors import (
    InvalidIdentifierError,
    PipestatPEPHubError,
    RecordNotFoundError,
    ResultConflictError,
)
from pipestat_spec.models.record import RecordKey
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.watching import Watcher
from tests.pephub.conftest import SCHEMA, Place

BIG = 2**53 + 1
VALUES = {
    "big": BIG,
    "low": -(2**63),
    "float": 1.0,
    "tiny": 5e-324,
    "large": 1e22,
    "zero": -0.0,
    "yes": True,
    "null": None,
    "empty": "",
    "text": "é \u2028 \U0001f680 \"'\\ 12",
    "twelve": "12",
    "list": [],
    "object": {"a": {}, "b": [1, 1.0, "1", None, False, BIG]},
    "image": {"path": "p.png", "title": "t"},
    "name with spaces": 1,
}


def test_values_come_back_as_they_were(place: Place) -> None:
    name = place.name("s1")
    place.open().report(VALUES, name)
    psm = place.open()
    found = psm.retrieve_one(name)
    assert found.pop("record_identifier") == name
    assert repr(sorted(found.items())) == repr(sorted(VALUES.items()))
    page = psm.select_records(where=f"record_identifier = '{name}'")
    (record,) = page["records"]
    del record["record_identifier"]
    assert repr(sorted(record.items())) == repr(sorted(VALUES.items()))
    stored = place.samples()[name]
    assert stored.pop("pipestat_results") == list(VALUES)
    assert stored == {"sample_name": name, **VALUES}


def test_integers_survive_where_another_sample_lacks_the_column(place: Place) -> None:
    psm = place.open()
    psm.report({"big": BIG, "n": 3}, place.name("s1"))
    psm.report({"other": 1}, place.name("s2"))
    assert psm.retrieve_one(place.name("s1"), "big") == BIG
    page = psm.select_records(limit=None)
    found = {r["record_identifier"]: r for r in page["records"]}
    for name in ("big", "n"):
        assert type(found[place.name("s1")][name]) is int
    assert found[place.name("s1")]["big"] == BIG
    assert found[place.name("s2")] == {"record_identifier": place.name("s2"), "other": 1}


NAMES = [
    "a c?d#e%",
    "%41",
    "100%25",
    "a&b=c",
    "a+b",
    "ü é",
    "a:b;c,d",
    "'\"`",
    "[x]{y}",
    "\\",
    "~.-_",
]


def test_odd_names_go_to_the_right_sample(place: Place) -> None:
    psm = place.open()
    names = [place.name(name) for name in NAMES]
    for number, name in enumerate(names):
        psm.report({"n": number}, name)
        psm.report({"m": number}, name)
        psm.set_status("running", name)
    assert {name: sample["n"] for name, sample in place.samples().items()} == {
        name: number for number, name in enumerate(names)
    }
    for number, name in enumerate(names):
        assert psm.retrieve_one(name, "m") == number
        assert psm.get_status(name) == "running"
        psm.remove(name, "n")
        assert "n" not in place.samples()[name]
        psm.remove_record(name, rm_record=True)
    assert place.samples() == {}


@pytest.mark.parametrize("name", ["a/b", "/", "..", ".", "a/../b"])
def test_names_that_an_address_cannot_hold_are_refused(place: Place, name: str) -> None:
    psm = place.open()
    before = place.samples()
    for operation in (
        lambda: psm.report({"n": 1}, name),
        lambda: psm.set_status("running", name),
        lambda: psm.retrieve_one(name),
        lambda: psm.remove(name),
        lambda: psm.store.backend.read(RecordKey("sample", name)),
    ):
        with pytest.raises(InvalidIdentifierError) as caught:
            operation()
        assert caught.value.code == "validation"
        assert repr(name) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert place.samples() == before


def test_a_wrong_name_refuses_all_documents_of_a_call(place: Place) -> None:
    psm = place.open()
    documents = [
        {"pipestat_report": "1.0", "record_identifier": name, "results": {"n": 1}}
        for name in (place.name("s1"), "a/b", place.name("s2"))
    ]
    with pytest.raises(Exception, match=r"document 2: .*'a/b'"):
        psm.ingest(documents)
    assert place.samples() == {}


def test_the_status_is_an_attribute(place: Place) -> None:
    psm, name = place.open(), place.name("s1")
    psm.set_status("running", name)
    assert place.samples()[name] == {
        "sample_name": name,
        "status": "running",
        "pipestat_results": [],
    }
    psm.report({"n": 1}, name)
    psm.set_status("completed", name)
    assert psm.get_status(name) == "completed"
    assert psm.clear_status(name) == ["completed"]
    assert psm.get_status(name) is None
    assert place.samples()[name] == {"sample_name": name, "n": 1, "pipestat_results": ["n"]}


def test_a_record_without_results_stays(place: Place) -> None:
    psm, name = place.open(), place.name("s1")
    psm.report({"n": 1}, name)
    psm.remove(name, "n")
    assert place.samples()[name] == {"sample_name": name, "pipestat_results": []}
    assert name in list(psm)
    psm.remove_record(name, rm_record=True)
    assert place.samples() == {}
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_one(name)


def test_samples_of_the_pep_are_no_records(place: Place) -> None:
    place.add({"sample_name": "s1", "organism": "human", "age": 42, "vital": "", "note": None})
    psm, name = place.open(), place.name("s1")
    assert name not in list(psm)
    assert psm.get_status(name) is None
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_one(name)
    with pytest.raises(RecordNotFoundError):
        psm.store.remove_record(RecordKey("sample", name))
    own = place.samples()[name]

    psm.report({"n": 1}, name)
    psm.set_status("failed", name)
    assert psm.retrieve_one(name) == {"n": 1, "record_identifier": name}
    assert place.samples()[name] == {
        **own,
        "n": 1,
        "status": "failed",
        "pipestat_results": ["n"],
    }
    psm.remove(name, "n")
    psm.clear_status(name)
    assert place.samples()[name] == {**own, "pipestat_results": []}
    psm.report({"n": 2}, name)
    psm.remove_record(name, rm_record=True)
    assert place.samples()[name] == own
    assert name not in list(psm)


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_attribute_of_the_pep_is_adopted_when_equal_and_never_replaced(
    place: Place, overwrite: bool
) -> None:
    place.add({"sample_name": "s1", "organism": "human", "age": 42, "empty": "", "gap": None})
    psm, name = place.open(), place.name("s1")
    store, key = psm.store, RecordKey("sample", name)
    before = place.samples()[name]
    for values in ({"organism": "mouse"}, {"n": 1, "age": 43}, {"age": True}):
        with pytest.raises(ResultConflictError, match="an attribute that is no result") as caught:
            store.report(key, values, overwrite=overwrite)
        assert "\n" not in str(caught.value)
        report = {"pipestat_report": "1.0", "record_identifier": name, "results": values}
        with pytest.raises(ResultConflictError):
            psm.ingest([report], overwrite=overwrite)
    assert place.samples()[name] == before

    store.report(key, {"empty": "full", "gap": 1}, overwrite=overwrite)
    store.report(key, {"organism": "human"}, overwrite=overwrite)
    assert place.samples()[name] == {
        "sample_name": name,
        "organism": "human",
        "age": 42,
        "empty": "full",
        "gap": 1,
        "pipestat_results": ["empty", "gap", "organism"],
    }
    # Now it is a result like any other.
    with pytest.raises(ResultConflictError, match="is already 'human'"):
        store.report(key, {"organism": "rat"}, overwrite=False)
    psm.remove(name, "organism")
    assert "organism" not in place.samples()[name]


def test_observers_are_told_of_results_only(place: Place) -> None:
    place.add({"sample_name": "s1", "organism": "rat"})
    psm, name = place.open(), place.name("s1")
    seen = []

    class Watcher:
        @hookimpl
        def result_reported(self, event: object) -> None:
            seen.append(event)

    watcher = Watcher()
    plugins().manager.register(watcher)
    try:
        psm.store.report(RecordKey("sample", name), {"organism": "rat"}, overwrite=True)
    finally:
        plugins().manager.unregister(watcher)
    (event,) = seen
    assert event.before is None
    assert event.after.results == {"organism": "rat"}


def test_an_own_attribute_called_status_is_no_status(place: Place) -> None:
    place.add({"sample_name": "s1", "status": "alive"})
    psm, name = place.open(), place.name("s1")
    psm.report({"n": 1}, name)
    assert psm.get_status(name) is None
    with pytest.raises(ResultConflictError, match="'alive'"):
        psm.set_status("running", name)
    assert place.samples()[name]["status"] == "alive"


def test_a_pep_that_the_reference_wrote(place: Place, schema_file) -> None:
    place.add(
        {
            "sample_name": "s1",
            "reads": 12,
            "rate": 3,
            "name": "",
            "plot": None,
            "protocol": "rna",
            "status": "completed",
        }
    )
    place.add({"sample_name": "s2", "protocol": "rna", "reads": ""})
    psm = place.open(schema_path=str(schema_file(SCHEMA)))
    name = place.name("s1")
    assert place.records(psm) == [name]
    assert psm.retrieve_one(name) == {"reads": 12, "rate": 3.0, "record_identifier": name}
    assert psm.get_status(name) == "completed"
    # Without a schema nothing tells results from other attributes.
    assert place.open().retrieve_one(name) == {"record_identifier": name}

    psm.report({"name": "x"}, name)
    assert place.samples()[name] == {
        "sample_name": name,
        "reads": 12,
        "rate": 3,
        "name": "x",
        "plot": None,
        "protocol": "rna",
        "status": "completed",
        "pipestat_results": ["reads", "rate", "name"],
    }
    psm.remove_record(name, rm_record=True)
    assert place.samples()[name] == {"sample_name": name, "plot": None, "protocol": "rna"}
    assert place.records(psm) == []


def test_a_removed_record_does_not_come_back_with_a_schema(place: Place, schema_file) -> None:
    place.add({"sample_name": "s1", "organism": "human"})
    name = place.name("s1")
    place.open().report({"n": 1}, name)
    psm = place.open(schema_path=str(schema_file(SCHEMA)))
    assert psm.retrieve_one(name) == {"n": 1, "record_identifier": name}
    psm.remove_record(name, rm_record=True)
    assert place.samples()[name]["organism"] == "human"
    assert place.records(psm) == []
    psm.report({"reads": 1}, name)
    assert psm.retrieve_one(name) == {"reads": 1, "record_identifier": name}


def test_names_that_the_sample_needs_are_no_results(place: Place) -> None:
    psm, name = place.open(force_overwrite=True), place.name("s1")
    for result in ("pipestat_results", "sample_name", "status"):
        with pytest.raises(InvalidIdentifierError):
            psm.report({result: ["x"]}, name)
    assert place.samples() == {}


def test_a_damaged_list_of_results_is_told(place: Place) -> None:
    place.add({"sample_name": "s1", "n": 1, "pipestat_results": "['n']"})
    with pytest.raises(PipestatPEPHubError, match="not an array of result identifiers"):
        place.open().retrieve_one(place.name("s1"))


def test_queries(place: Place) -> None:
    psm = place.open()
    for number in range(5):
        psm.report({"n": number, "flags": {"even": number % 2 == 0}}, place.name(f"s{number}"))
    where = f"n >= 1 and flags.even = true and record_identifier like '{place.prefix}%'"
    found = psm.select_records(where=where, limit=1)
    assert found["total_size"] == 2
    assert [r["n"] for r in found["records"]] == [2]
    found = psm.select_records(where=where, cursor=found["next_page_token"])
    assert [r["n"] for r in found["records"]] == [4]
    names = [place.name(f"s{number}") for number in range(5)]
    assert [name for name in psm if name in names] == names
    assert psm.retrieve_many(names[:2], "n")["records"] == [
        {"n": 0, "record_identifier": names[0]},
        {"n": 1, "record_identifier": names[1]},
    ]


def test_a_project_is_followed(place: Place) -> None:
    psm, writer = place.open(), place.open()
    watcher = Watcher(psm.store, "sample")
    name = place.name("w1")

    def look() -> list[tuple[str, object]]:
        return [(e.event, e.value) for e in watcher.look() if e.record_identifier == name]

    writer.report({"n": 1}, name)
    assert look() == [("result", 1)]
    writer.report({"n": 2}, name, force_overwrite=True)
    assert look() == [("result", 2)]
    assert look() == []
    writer.remove(record_identifier=name, result_identifier="n")
    assert look() == [("result_removed", None)]
