"""Cases for the front end's filter: records, texts, and what must come out."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from pipestat_report.document import LevelTable
from pipestat_report.fields import describe_fields

from pipestat_spec import PipestatManager
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.filters import compile_filter
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import And, Comparison, Filter, In, IsNull, Like, Not, Or
from pipestat_spec.models.record import Record, RecordKey
from tests.filter_texts import written
from tests.repository import REPOSITORY

VECTORS = REPOSITORY / "conformance_tests" / "vectors" / "query"
_WRITES = ("report", "report_many", "set_status", "remove")


def table_of(records: Sequence[Record]) -> dict[str, Any]:
    """Return records as the page gets them."""
    table = LevelTable(records)
    columns = {name: values.values() for name, values in table.values.items()}
    table.fields = describe_fields(None, columns)
    return table.as_json()


def vector_groups() -> Iterator[dict[str, Any]]:
    """Yield each search of a vector that is given as text, with what the vector expects."""
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            yield from _searches(case)


def _searches(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if any("level" in step.get("args", {}) for step in case["steps"]):
        return
    psm = PipestatManager(config_dict={"backend": "memory"})
    for number, step in enumerate(case["steps"]):
        arguments = step.get("args", {})
        if step["op"] in _WRITES:
            _write(psm, step["op"], arguments)
        elif step["op"] == "select" and "where" in arguments:
            expected = _expected(step.get("expect", {}), arguments)
            if expected is not None:
                yield {
                    "name": f"{case['id']} {number}",
                    "table": table_of(list(psm.store.scan("sample"))),
                    "cases": [{"where": arguments["where"], "column": None, **expected}],
                }


def _write(psm: PipestatManager, operation: str, arguments: dict[str, Any]) -> None:
    if operation == "report":
        psm.report(arguments["values"], arguments["record"], force_overwrite=True)
        if "status" in arguments:
            psm.set_status(arguments["status"], arguments["record"])
    elif operation == "report_many":
        psm.report_many(arguments["records"], force_overwrite=True)
    elif operation == "set_status":
        psm.set_status(arguments["status"], arguments["record"])
    else:
        psm.remove(arguments["record"], arguments.get("result"))


def _expected(expect: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return the expected identifiers; None where a page shows only some of them."""
    if "error" in expect:
        return {"ids": None}
    result = expect["result"].get("$includes", expect["result"])
    if {"limit", "cursor"} & arguments.keys() or "records" not in result:
        return None
    records = [record.get("$includes", record) for record in result["records"]]
    return {"ids": [record["record_identifier"] for record in records]}


TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "a_b",
    "50%",
    "it's",
    "\\",
    "\uffff",
    "\U0001f600",
    "é",
    "e\u0301",
    "\n",
)
NUMBERS = (
    0,
    -0.0,
    1,
    1.0,
    -1,
    2.5,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    float(2**53),
    2**63 - 1,
    1e22,
    5e-324,
)
NAMES = ("x", "y", "not", "a.b", 'q"t', "ü", "toString", "__proto__")
PATTERNS = ("%", "_", "a%", "%b", "%_%", "a\\_b", "%\\%", "%a%b%", "", "_\u0301", "%\U0001f600")


def random_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 2 else 5)
    if kind == 0:
        return None
    if kind == 1:
        return chance.random() < 0.5
    if kind in (2, 3):
        return chance.choice(NUMBERS)
    if kind == 4:
        return chance.choice(TEXTS)
    if kind == 5:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return {
        chance.choice((*NAMES, "0", "$int")): random_value(chance, depth + 1)
        for _ in range(chance.randrange(3))
    }


def random_records(chance: random.Random, count: int) -> list[Record]:
    return [
        Record(
            RecordKey("sample", f"r{number:02}"),
            {name: random_value(chance) for name in NAMES if chance.random() < 0.7},
            chance.choice((None, "completed", "failed")),
        )
        for number in range(count)
    ]


def random_filter(chance: random.Random, depth: int = 0) -> Filter:
    if depth < 3 and chance.random() < 0.4:
        operands = tuple(random_filter(chance, depth + 1) for _ in range(chance.randint(2, 3)))
        return chance.choice((And(operands), Or(operands), Not(operands[0])))
    field = (chance.choice((*NAMES, "status", "record_identifier", "none")),)
    if chance.random() < 0.3:
        field = (*field, chance.choice((*NAMES, "0", "$int", "length")))
    literal = lambda: chance.choice((*TEXTS, *NUMBERS, True, False))  # noqa: E731
    kind = chance.randrange(5)
    if kind == 0:
        return IsNull(field)
    if kind == 1:
        return Like(field, chance.choice(PATTERNS))
    if kind == 2:
        return In(field, tuple(literal() for _ in range(chance.randrange(4))))
    return Comparison(field, chance.choice(("eq", "lt", "le", "gt", "ge")), literal())


def mutated(chance: random.Random, text: str) -> str:
    """Return the text with a character or two taken out, put in or doubled."""
    for _ in range(chance.randint(1, 2)):
        place = chance.randrange(len(text) + 1)
        text = chance.choice(
            (
                text[:place],
                text[:place] + text[place + 1 :],
                text[:place] + chance.choice("'\"().,=<>!%&\\1e-+ aé\U0001f600") + text[place:],
            )
        )
    return text


def random_group(name: str, chance: random.Random, count: int) -> dict[str, Any]:
    """Return random filters on random records, with Python's answers."""
    records = random_records(chance, 25)
    cases = []
    for _ in range(count):
        text = written(random_filter(chance))
        cases.append(_answer(text, records))
        cases.append(_answer(mutated(chance, text), records))
    return {"name": name, "table": table_of(records), "cases": cases}


def _answer(text: str, records: Sequence[Record]) -> dict[str, Any]:
    try:
        holds = compile_filter(parse_filter(text))
    except FilterSyntaxError as error:
        return {"where": text, "ids": None, "column": error.data["column"]}
    ids = [record.key.identifier for record in records if holds(record)]
    return {"where": text, "ids": ids, "column": None}
