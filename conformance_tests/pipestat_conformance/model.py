"""What a store has to answer, on nothing but dictionaries: shares no code with the package.

It knows the sample and project levels, reports, removals, statuses and history, and one
small output schema.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SCHEMA", "STATUSES", "Model"]

SCHEMA: dict[str, Any] = {
    "pipeline_name": "ns",
    "samples": {"n": {"type": "integer"}, "x": {"type": "number"}, "name": {"type": "string"}},
    "project": {"n": {"type": "integer"}},
}
STATUSES = ("running", "completed", "failed", "waiting", "partial")
_DECLARED = {("sample", name): d["type"] for name, d in SCHEMA["samples"].items()}
_DECLARED |= {("project", name): d["type"] for name, d in SCHEMA["project"].items()}

_Answer = dict[str, Any]


class _Refused(Exception):
    """The operation ends with an error of this code."""


@dataclass
class _Record:
    results: dict[str, Any] = field(default_factory=dict)
    status: str | None = None
    message: str | None = None
    source: Any = None
    history: list[tuple[str, Any]] = field(default_factory=list)


class Model:
    """The records of one store by (level, identifier)."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], _Record] = {}

    def expect(self, op: str, args: Mapping[str, Any]) -> _Answer:
        """Make an operation; return what a vector would expect of it."""
        before = copy.deepcopy(self._records)
        try:
            return {"result": _OPERATIONS[op](self, args)}
        except _Refused as refused:
            self._records = before
            return {"error": str(refused)}

    def _key(self, args: Mapping[str, Any]) -> tuple[str, str]:
        return args.get("level", "sample"), args["record"]

    def _known(self, args: Mapping[str, Any]) -> _Record:
        record = self._records.get(self._key(args))
        if record is None:
            raise _Refused("not-found")
        return record

    def report(self, args: Mapping[str, Any]) -> None:
        level, _ = key = self._key(args)
        values = {name: _stored(level, name, value) for name, value in args["values"].items()}
        record = self._records.setdefault(key, _Record())
        changed = False
        for name, value in values.items():
            if name in record.results:
                old = record.results[name]
                if _same(old, value):
                    continue
                if not args.get("overwrite", False):
                    raise _Refused("conflict")
                if args.get("history", True):
                    record.history.append((name, old))
            record.results[name] = value
            changed = True
        if "status" in args:
            changed |= _give_status(record, args["status"], args.get("status_message"))
        if changed and "source" in args:
            record.source = args["source"]

    def report_many(self, args: Mapping[str, Any]) -> None:
        for record, values in args["records"].items():
            self.report({**args, "record": record, "values": values})

    def remove(self, args: Mapping[str, Any]) -> None:
        record = self._known(args)
        if "result" not in args:
            del self._records[self._key(args)]
        elif args["result"] not in record.results:
            raise _Refused("not-found")
        else:
            record.history.append((args["result"], record.results.pop(args["result"])))

    def set_status(self, args: Mapping[str, Any]) -> None:
        if args["status"] not in STATUSES:
            raise _Refused("status")
        record = self._records.setdefault(self._key(args), _Record())
        changed = _give_status(record, args["status"], args.get("message"))
        if changed and "source" in args:
            record.source = args["source"]

    def clear_status(self, args: Mapping[str, Any]) -> str | None:
        record = self._records.get(self._key(args))
        if record is None:
            return None
        status, record.status, record.message = record.status, None, None
        return status

    def get_status(self, args: Mapping[str, Any]) -> str | None:
        record = self._records.get(self._key(args))
        return None if record is None else record.status

    def retrieve(self, args: Mapping[str, Any]) -> Any:
        return {"$literal": dict(self._known(args).results)}

    def value(self, args: Mapping[str, Any]) -> Any:
        results = self._known(args).results
        if args["result"] not in results:
            raise _Refused("not-found")
        return {"$literal": results[args["result"]]}

    def describe(self, args: Mapping[str, Any]) -> Any:
        record = self._known(args)
        told = {"status": record.status, "status_message": record.message, "source": record.source}
        return {"$includes": {**told, "created": {"$any": True}, "modified": {"$any": True}}}

    def records(self, args: Mapping[str, Any]) -> list[str]:
        level = args.get("level", "sample")
        return sorted(identifier for where, identifier in self._records if where == level)

    def count(self, args: Mapping[str, Any]) -> int:
        return len(self.records(args))

    def history(self, args: Mapping[str, Any]) -> Any:
        found: dict[str, list[Any]] = {}
        for name, old in self._known(args).history:
            found.setdefault(name, []).append({"$literal": old})
        return {"$history": found}


_OPERATIONS: Mapping[str, Callable[[Model, Mapping[str, Any]], Any]] = {
    name: getattr(Model, name)
    for name in (
        *("report", "report_many", "remove", "set_status", "clear_status", "get_status"),
        *("retrieve", "value", "describe", "records", "count", "history"),
    )
}


def _give_status(record: _Record, status: str, message: str | None) -> bool:
    if record.status == status and message in (None, record.message):
        return False
    record.status, record.message = status, message
    return True


def _stored(level: str, name: str, value: Any) -> Any:
    """Return a value as it is stored under the schema; raises _Refused."""
    declared = _DECLARED.get((level, name))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if declared == "integer":
        if not number or value != int(value):
            raise _Refused("validation")
        return int(value)
    if declared == "number":
        if not number:
            raise _Refused("validation")
        return float(value)
    if declared == "string" and not isinstance(value, str):
        raise _Refused("validation")
    return value


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
