"""The catalogue, the rules of the specification, the vectors and the mutants fit together."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from conformance_selfcheck.mutants import all_mutants
from conformance_selfcheck.rule_texts import (
    RULE,
    anchor,
    rules_of_profiles,
    sections_of_rules,
    specification,
    texts_of_rules,
)
from pipestat_conformance.catalogue import (
    CatalogueError,
    load_catalogue,
    parse_catalogue,
    rule_texts,
)
from pipestat_conformance.claims import (
    CAPABILITIES,
    PROFILES,
    TRIAL_PROFILES,
    probes,
    with_needed,
)
from pipestat_conformance.trials import ALL as TRIALS
from pipestat_conformance.vectors import load_vectors

ROOT = Path(__file__).parents[2]
SPEC = specification()
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
READING = {
    *("records", "count", "retrieve", "value", "describe", "get_status", "history"),
    *("reopen", "put_file", "remove_file"),
}
LINK = re.compile(r"\]\(([a-z]+\.md|README\.md|)(?:#([a-z0-9-]+))?\)")
CATALOGUE = load_catalogue()
VECTORS = load_vectors()
BY_VECTORS = {id for vector in VECTORS for id in vector.requirements}
BY_PROBES = {id for vector in probes(()) for id in vector.requirements}
BY_TRIALS = {id for trial in TRIALS.values() for id in trial.requirements}
BROKEN = {id for mutant in all_mutants().values() for id in mutant.breaks}


def ids(*testability: str) -> set[str]:
    return {id for id, one in CATALOGUE.items() if one.testability in testability}


def test_every_rule_has_one_entry_in_the_order_of_the_specification() -> None:
    rules = [rule for text in SPEC.values() for rule in RULE.findall(text)]
    assert [id for id, times in Counter(rules).items() if times > 1] == []
    assert list(CATALOGUE) == rules


def test_the_texts_of_the_rules_are_those_of_the_specification() -> None:
    written = "run 'python -m conformance_selfcheck.rule_texts'"
    assert rule_texts() == texts_of_rules(), written


def test_a_reused_id_is_refused() -> None:
    text = (ROOT / "conformance_tests" / "requirements.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text)
    with pytest.raises(CatalogueError, match=entries[0]["id"]):
        parse_catalogue([*entries, {**entries[1], "id": entries[0]["id"]}])


def test_every_section_is_an_anchor_and_holds_the_rule() -> None:
    assert {id: one.section for id, one in CATALOGUE.items()} == sections_of_rules()


def test_the_parts_are_the_files_and_their_links_lead_somewhere() -> None:
    assert SPEC.keys() == {file.name for file in (ROOT / "spec").glob("*.md")}
    anchors = {
        part: {anchor(heading) for heading in HEADING.findall(text)} for part, text in SPEC.items()
    }
    for part, text in SPEC.items():
        for target, place in LINK.findall(text):
            assert place in {"", *anchors[target or part]}, f"{part}: {target}#{place}"


def test_every_id_in_a_rule_is_one_of_the_catalogue() -> None:
    named = {id for text in SPEC.values() for id in re.findall(r"PS-[A-Z]+-[0-9]{3}", text)}
    assert named - CATALOGUE.keys() == set()


def test_what_cannot_be_decided_at_once_says_why() -> None:
    for id in ids("untestable", "stochastic"):
        assert CATALOGUE[id].reason, id


def test_capabilities_and_profiles_are_those_of_the_specification() -> None:
    profiles = rules_of_profiles()
    assert list(profiles) == list(PROFILES)
    for id, one in CATALOGUE.items():
        assert one.capability is None or one.capability in CAPABILITIES, id
        assert one.profiles == [name for name, rules in profiles.items() if id in rules], id


def test_what_a_profile_needs_stands_in_the_specification() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|[^|]*\|[^|]*\|$", SPEC["README.md"], re.M)
    assert {name: tuple(re.findall(r"`([a-z-]+)`", needs)) for name, needs in rows} == PROFILES
    for name in PROFILES:
        assert with_needed([*PROFILES[name], name]) == with_needed([name])


def test_a_vector_that_only_reads_files_serves_readers() -> None:
    rules = rules_of_profiles()["reader"]
    for vector in VECTORS:
        ops = {step.op for step in vector.steps}
        reads = vector.interchange and not vector.about_tables and ops <= READING
        if reads and set(vector.requirements) <= rules:
            assert vector.profile == "reader", vector.id
        assert vector.profile != "reader" or reads, vector.id
        assert (vector.profile == "emitter") == ("emit" in ops), vector.id


def test_every_testable_requirement_has_a_vector_or_trial() -> None:
    assert ids("deterministic") - BY_VECTORS - BY_PROBES == set()
    assert ids("stochastic") - BY_VECTORS - BY_TRIALS == set()


def test_every_rule_of_core_has_a_vector_without_an_output_schema() -> None:
    plain = {id for v in VECTORS if v.opening.schema is None for id in v.requirements}
    assert (ids("deterministic") & rules_of_profiles()["core"]) - plain - BY_PROBES == set()


def test_every_vector_and_trial_names_known_requirements() -> None:
    for vector in VECTORS:
        assert vector.requirements, vector.id
        assert set(vector.requirements) <= CATALOGUE.keys(), vector.id
        assert set(vector.needs) <= set(CAPABILITIES), vector.id
        assert vector.profile in PROFILES, vector.id
    assert CATALOGUE.keys() >= BY_TRIALS


def test_no_vector_stands_for_what_no_test_can_decide() -> None:
    assert ids("untestable") & (BY_VECTORS | BY_TRIALS) == set()


def test_every_deterministic_requirement_has_a_mutant() -> None:
    assert ids("deterministic") - BROKEN == set()


def test_a_profile_with_trials_has_some() -> None:
    for profile in TRIAL_PROFILES:
        assert any(trial.profile == profile for trial in TRIALS.values())


def test_there_are_many_vectors() -> None:
    assert len(VECTORS) >= 120


def test_the_minutes_of_a_profile_are_about_right() -> None:
    """Of 200 words each, tables and examples included."""
    texts = sections()
    rules = rules_of_profiles()
    for name, minutes in re.findall(
        r"^\| `([a-z-]+)` \|[^|]*\|[^|]*\|[^|]*\| ([0-9]*) \|$", SPEC["README.md"], re.M
    ):
        places = {CATALOGUE[id].section for id in rules[name]}
        whole = [place for place in places if rules[name] >= rules_of(place)]
        words = sum(len(texts[place].split()) for place in whole)
        assert abs(int(minutes or 0) - words / 200) < 2, (name, minutes, words / 200)


def sections() -> dict[str, str]:
    """Return the text below each heading."""
    found: dict[str, str] = {}
    for part, text in SPEC.items():
        head, *pieces = re.split(r"^#{2,3} ", text, flags=re.M)
        found[part] = head
        found |= {f"{part}#{anchor(p.partition(chr(10))[0])}": p for p in pieces}
    return found


def rules_of(section: str) -> set[str]:
    return {id for id, one in CATALOGUE.items() if one.section == section}
