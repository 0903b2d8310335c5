"""Loading vectors: what is wrong is named, ids are unique, the digest sees every change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pipestat_conformance.catalogue import CatalogueError, parse_catalogue, rule_texts
from pipestat_conformance.data_files import data_files, protocol_schema
from pipestat_conformance.special_values import parse_json
from pipestat_conformance.vectors import VectorError, digest, load_vectors, parse_vectors

from tests.conformance.conftest import CONFLICT, REPORTED, vector


def changed(**changes: Any) -> dict[str, Any]:
    return {**REPORTED, **changes}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"id": "a"}, "requirements"),
        (changed(id="No Spaces"), "No Spaces"),
        (changed(requirements=[]), "requirements"),
        (changed(requirements=["VAL-1"]), "VAL-1"),
        (changed(needs=["telepathy"]), "telepathy"),
        (changed(profile="gold"), "gold"),
        (changed(steps=[{"op": "frobnicate"}]), "frobnicate"),
        (changed(steps=[{"op": "count", "expect": {"error": "oops"}}]), "steps/0/expect"),
        (changed(steps=[{"op": "count", "expects": {"ok": True}}]), "expects"),
        (changed(settings={"colour": 1}), "colour"),
        (changed(schema="missing.yaml"), "missing.yaml"),
        (changed(steps=[{"id": "a", "op": "count"}, {"id": "a", "op": "count"}]), "the id 'a'"),
        ({"id": "a", "requirements": ["PS-VAL-001"]}, "valid under any"),
    ],
)
def test_a_wrong_vector_is_named(document: dict[str, Any], said: str) -> None:
    with pytest.raises(VectorError) as error:
        parse_vectors([CONFLICT, document], "file.json")
    assert said in str(error.value)
    assert str(error.value).startswith(f"file.json: {document.get('id')}: ")


def test_every_vector_has_the_form_that_is_documented() -> None:
    checked = [
        vector
        for path, file in data_files("vectors", ".json")
        for vector in parse_vectors(parse_json(file.read_text(encoding="utf-8")), path)
    ]
    assert sorted(checked, key=lambda vector: vector.id) == list(load_vectors())


def test_defaults() -> None:
    found = vector(REPORTED)
    assert (found.profile, found.since, found.needs) == ("core", "1.0", ())
    assert [step.id for step in found.steps] == ["1", "2", "3", "4"]
    assert found.steps[0].expect == {"ok": True}
    assert found.opening.settings == {"namespace": "ns"}
    assert not found.interchange
    assert vector(changed(files={"results.yaml": ""})).profile == "yaml-layout"


@pytest.mark.parametrize(
    "schema",
    [
        {"pipeline_name": "p", "samples": {"n": {"type": "integer"}}},
        {"properties": {"pipeline_name": "p", "samples": {}}},
    ],
)
def test_a_schema_that_names_the_pipeline_is_left_to_do_so(schema: Any) -> None:
    assert vector(changed(schema=schema)).opening.settings == {}


def test_the_digest_sees_every_change_and_no_order() -> None:
    one, two = vector(REPORTED), vector(CONFLICT)
    whole = digest([one, two])
    assert whole == digest([two, one])
    other_step = json.loads(json.dumps(CONFLICT).replace('"conflict"}', '"validation"}'))
    for change in (
        changed(schema={"n": {"type": "integer"}}),
        changed(settings={"project_name": "p"}),
        changed(needs=["history"]),
        other_step,
    ):
        other = vector(change)
        rest = one if other.id == two.id else two
        assert digest([other, rest]) != whole
    assert whole.startswith("sha256:")


def test_all_vectors_of_the_suite_load() -> None:
    vectors = load_vectors()
    assert len({vector.id for vector in vectors}) == len(vectors) >= 100


def test_the_schemas_of_the_protocol_are_schemas() -> None:
    from jsonschema import Draft202012Validator

    names = [path for path, _ in data_files("protocol", ".schema.json")]
    assert len(names) >= 9
    for name in names:
        schema = json.loads(protocol_schema(name.removesuffix(".schema.json")))
        Draft202012Validator.check_schema(schema)


def test_the_texts_of_rules_come_from_the_specification() -> None:
    texts = rule_texts()
    assert texts["PS-VAL-001"].startswith("A value MUST be null, a boolean")
    assert "\n" not in texts["PS-VAL-005"]
    assert texts["PS-VAL-014"].endswith("as a last resort.")


ENTRY = {
    "id": "PS-VAL-001",
    "title": "t",
    "level": "must",
    "section": "core.md#values",
    "basis": "published",
    "capability": None,
    "profiles": ["core"],
    "since": "1.0",
    "testability": "deterministic",
}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([ENTRY, ENTRY], "twice"),
        ([{**ENTRY, "level": "shall"}], "shall"),
        ([{**ENTRY, "testability": "untestable"}], "reason"),
        ([{**ENTRY, "colour": "red"}], "colour"),
        ([{**ENTRY, "profiles": ["gold"]}], "gold"),
    ],
)
def test_a_wrong_catalogue_is_named(entries: list[Any], said: str) -> None:
    with pytest.raises(CatalogueError, match="PS-VAL-001") as error:
        parse_catalogue(entries)
    assert said in str(error.value)
