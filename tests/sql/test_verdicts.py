"""The verdict is the same in every place and on every backend, for rules drawn at random.

What is expected is computed here, from the text of spec/qc.md and without the package.
"""

from __future__ import annotations

import base64
import csv
import gzip
import itertools
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_report.report import build_report

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from pipestat_spec.models.query import In, Query
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.store import Store
from tests.sql.conftest import MakeDatabase

NAMES = ("a", "b", "c")
VERDICTS = ("fail", "warn", "pass", "not judged")
DECLARED = {"type": ["number", "null"]}


MISSING = object()


def stored() -> dict[str, dict[str, float | None]]:
    """Return a record for each combination of what the results may be: missing, null, a number."""
    values = [MISSING, None, 0.0, 0.5, 1.0, 3.5]
    records = [
        {name: value for name, value in zip(NAMES, some, strict=True) if value is not MISSING}
        for some in itertools.product(values, repeat=len(NAMES))
    ]
    # Nobody stores a record without results.
    records.remove({})
    random.Random(7).shuffle(records)
    return {f"s{number:04}": record for number, record in enumerate(records)}


DATA = stored()

# A rule is what its name says, with a field or with rules inside.
Rule = tuple[Any, ...]
LEAVES = st.one_of(
    st.tuples(
        st.sampled_from(["<", "<=", ">", ">=", "="]),
        st.sampled_from(NAMES),
        st.sampled_from([0, 0.5, 1, 2.5]),
    ),
    st.tuples(st.just("in"), st.sampled_from(NAMES), st.sampled_from([(0,), (0.5, 2), ()])),
    st.tuples(st.just("null"), st.sampled_from(NAMES)),
)
RULES: st.SearchStrategy[Rule] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
    ),
    max_leaves=3,
)
CHECK = st.dictionaries(st.sampled_from(["fail", "warn"]), RULES, min_size=1)
# Checks of results by name, and those of the level under the empty name. Few: a database gets all
# of them in one statement, and to make that is what takes the time of these tests.
CHECKS = st.dictionaries(
    st.sampled_from([*NAMES, ""]), st.lists(CHECK, min_size=1, max_size=2), min_size=1, max_size=2
)


def text(rule: Rule, own: str) -> str:
    """Write a rule; the result that it stands at is called `value`."""
    match rule:
        case ("not", inner):
            return f"not ({text(inner, own)})"
        case ("and" | "or" as word, left, right):
            return f"({text(left, own)}) {word} ({text(right, own)})"
        case ("null", name):
            return f"{'value' if name == own else name} is null"
        case ("in", name, values):
            return f"{'value' if name == own else name} in ({', '.join(map(str, values))})"
        case (operator, name, value):
            return f"{'value' if name == own else name} {operator} {value}"
    raise AssertionError(rule)


def truth(rule: Rule, values: Mapping[str, float | None]) -> bool | None:
    """Judge a rule by PS-QC-004; None is unknown."""
    match rule:
        case ("not", inner):
            found = truth(inner, values)
            return None if found is None else not found
        case ("and" | "or" as word, left, right):
            both = [truth(left, values), truth(right, values)]
            decides = word == "or"
            if decides in both:
                return decides
            return None if None in both else not decides
        case ("null", name):
            return values.get(name) is None
    operator, name, wanted = rule
    value = values.get(name)
    if value is None:
        return None
    compare: dict[str, Callable[[], bool]] = {
        "<": lambda: value < wanted,
        "<=": lambda: value <= wanted,
        ">": lambda: value > wanted,
        ">=": lambda: value >= wanted,
        "=": lambda: value == wanted,
        "in": lambda: value in wanted,
    }
    return compare[operator]()


def verdict(checks: Mapping[str, list[dict[str, Rule]]], values: Mapping[str, Any]) -> str:
    """Judge a record by PS-QC-005."""
    truths = {"fail": [], "warn": []}  # type: dict[str, list[bool | None]]
    for listed in checks.values():
        for check in listed:
            for severity, rule in check.items():
                truths[severity].append(truth(rule, values))
    for severity, found in truths.items():
        if True in found:
            return severity
    return "pass" if False in truths["fail"] + truths["warn"] else "not judged"


def schema_of(checks: Mapping[str, list[dict[str, Rule]]]) -> dict[str, Any]:
    """Write the output schema with the checks."""

    def declared(name: str) -> list[dict[str, str]]:
        return [{s: text(rule, name) for s, rule in c.items()} for c in checks.get(name, ())]

    samples: dict[str, Any] = {name: {**DECLARED, "qc": declared(name)} for name in NAMES}
    return {"pipeline_name": "demo", "samples": {**samples, "qc": declared("")}}


@dataclass
class Stores:
    """The records in four stores, and the addresses of those that commands can open."""

    stores: dict[str, Store]
    addresses: dict[str, list[str]]

    def with_schema(self, document: dict[str, Any]) -> dict[str, Store]:
        schema = parse_output_schema(document)
        return {
            name: Store(store.backend, replace(store.settings, schema=schema), validate=True)
            for name, store in self.stores.items()
        }


@pytest.fixture
def stores(make_database: MakeDatabase, tmp_path: Path) -> Stores:
    schema = tmp_path / "schema.yaml"
    schema.write_text(yaml.safe_dump(schema_of({})))
    sqlite, postgres = make_database("sqlite"), make_database("postgresql")
    managers = {
        "memory": PipestatManager(config_dict={"backend": "memory"}, schema_path=schema),
        "yaml": PipestatManager(results_file_path=tmp_path / "r.yaml", schema_path=schema),
        "sqlite": sqlite.manager(schema),
        "postgresql": postgres.manager(schema),
    }
    for manager in managers.values():
        manager.report_many(DATA)
    addresses = {"yaml": ["-f", str(tmp_path / "r.yaml")]}
    for name, database in (("sqlite", sqlite), ("postgresql", postgres)):
        config = tmp_path / f"{name}.yaml"
        config.write_text(yaml.safe_dump(database.config()))
        addresses[name] = ["-c", str(config)]
    return Stores({name: manager.store for name, manager in managers.items()}, addresses)


def check_store(store: Store, expected: Mapping[str, str]) -> None:
    """Compare what a store says: record by record, by searches, by pages and distinct values."""
    read = {r.key.identifier: str(r.judgement.verdict) for r in store.scan("sample") if r.judgement}
    assert read == expected
    for wanted in VERDICTS:
        names = [name for name, found in expected.items() if found == wanted]
        where = In(("verdict",), (wanted,))
        assert [r.key.identifier for r in store.matching("sample", where)] == names
        page = store.select(Query("sample", ("verdict",), where, limit=7))
        assert page.total_size == len(names)
        assert [r.key.identifier for r in page.records] == names[:7]
        assert all(str(r.judgement.verdict) == wanted for r in page.records if r.judgement)
        assert not any(r.results for r in page.records)
        if page.next_cursor:
            more = store.select(Query("sample", (), where, limit=7, cursor=page.next_cursor))
            assert [r.key.identifier for r in more.records] == names[7:14]
            assert more.total_size == len(names)
    assert store.distinct("sample", ["verdict"]) == [(v,) for v in sorted(set(expected.values()))]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(arguments) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def check_commands(
    command: Callable[..., str], place: list[str], folder: Path, expected: Mapping[str, str]
) -> None:
    """Compare what commands print and write."""

    def listed(*arguments: str, code: int = 0) -> dict[str, str]:
        answer = command(*arguments, "--format", "json", *place, code=code)
        records = json.loads(answer)["records"]
        return {record["record_identifier"]: record["verdict"] for record in records}

    assert listed("select", "--columns", "verdict") == expected
    assert listed("status", "list") == expected
    bad = {"fail", "warn", "not judged"} & set(expected.values())
    gate = ("qc", "--any-status", "--fail-on", "warn")
    assert listed(*gate, code=3 if bad else 0) == expected
    failing = {name: found for name, found in expected.items() if found == "fail"}
    assert listed("status", "list", "--verdict", "fail") == failing
    command("table", "-o", str(folder / "t.csv"), *place)
    with (folder / "t.csv").open(encoding="utf-8") as file:
        rows = {row["record_identifier"]: row["verdict"] for row in csv.DictReader(file)}
    assert rows == expected
    command("table", "--format", "multiqc", "--replace", "-o", str(folder / "multiqc"), *place)
    content = json.loads((folder / "multiqc" / "general_mqc.json").read_text("utf-8"))
    assert {name: row["verdict"] for name, row in content["data"].items()} == expected


def check_report(store: Store, folder: Path, expected: Mapping[str, str]) -> None:
    """Compare what the HTML report carries."""
    page = build_report(store, folder)[0].read_text(encoding="utf-8")
    found = re.search(r'id="data">([^<]*)<', page)
    assert found is not None
    samples = json.loads(gzip.decompress(base64.b64decode(found[1])))["samples"]
    assert dict(zip(samples["ids"], samples["verdicts"]["values"], strict=True)) == expected


def test_one_verdict_everywhere(
    stores: Stores, command: Callable[..., str], tmp_path: Path
) -> None:
    seen = 0

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CHECKS)
    def compare(checks: dict[str, list[dict[str, Rule]]]) -> None:
        nonlocal seen
        expected = {name: verdict(checks, values) for name, values in DATA.items()}
        document = schema_of(checks)
        opened = stores.with_schema(document)
        for store in opened.values():
            check_store(store, expected)
        check_report(opened["memory"], tmp_path, expected)
        schema = tmp_path / "judging.yaml"
        schema.write_text(yaml.safe_dump(document))
        # Each of them in turn: they all read through the same store.
        name = list(stores.addresses)[seen % 3]
        check_commands(command, [*stores.addresses[name], "-s", str(schema)], tmp_path, expected)
        seen += 1

    compare()
    assert seen >= 3


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_very_many_rules_are_searched_too(
    make_database: MakeDatabase, tmp_path: Path, dialect: str
) -> None:
    rules: list[dict[str, Rule]] = [{"fail": ("=", "a", 2.5 + n)} for n in range(600)]
    checks = {"": [*rules, {"warn": ("<", "b", 1)}]}
    data = dict(list(DATA.items())[:40])
    expected = {name: verdict(checks, values) for name, values in data.items()}
    assert set(expected.values()) == set(VERDICTS)
    schema = tmp_path / "schema.yaml"
    schema.write_text(yaml.safe_dump(schema_of(checks)))
    manager = make_database(dialect).manager(schema)
    manager.report_many(data)
    for wanted in VERDICTS:
        found = manager.select_records(columns=["verdict"], where=f"verdict = '{wanted}'")
        names = [name for name, one in expected.items() if one == wanted]
        assert [record["record_identifier"] for record in found["records"]] == names
        assert {record["verdict"] for record in found["records"]} == {wanted}
