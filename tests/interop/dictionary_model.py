"""The rules of the specification once more, on dictionaries and without the package.

Written from spec/core.md for the state machine to compare with.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any


def frozen(value: Any) -> Any:
    """Return a hashable form in which values are equal exactly when the specification says so."""
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, int):
        return ("integer", value)
    if isinstance(value, float):
        return ("number", struct.pack(">d", value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, list):
        return ("array", tuple(frozen(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((key, frozen(item)) for key, item in value.items()))
    raise AssertionError(f"{type(value)} is no value")


@dataclass
class ModelRecord:
    """What a record is: results, status with its message, and former values in order."""

    results: dict[str, Any] = field(default_factory=dict)
    status: str | None = None
    message: str | None = None
    history: list[tuple[str, Any]] = field(default_factory=list)
    # How often the results changed; times may move only when this does.
    changes: int = 0


class Model:
    """The records of one namespace by (level, identifier)."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], ModelRecord] = {}

    def would_conflict(self, key: tuple[str, str], values: dict[str, Any]) -> bool:
        stored = self.records[key].results if key in self.records else {}
        return any(
            name in stored and frozen(stored[name]) != frozen(value)
            for name, value in values.items()
        )

    def report(self, key: tuple[str, str], values: dict[str, Any], *, history: bool) -> None:
        """Store values; a different one replaces the stored one, which becomes history."""
        if not values:
            return
        record = self.records.setdefault(key, ModelRecord())
        changed = False
        for name, value in values.items():
            if name in record.results:
                if frozen(record.results[name]) == frozen(value):
                    continue
                if history:
                    record.history.append((name, record.results[name]))
            record.results[name] = value
            changed = True
        record.changes += changed

    def remove_result(self, key: tuple[str, str], name: str) -> bool:
        record = self.records.get(key)
        if record is None or name not in record.results:
            return False
        record.history.append((name, record.results.pop(name)))
        record.changes += 1
        return True

    def remove_record(self, key: tuple[str, str]) -> bool:
        return self.records.pop(key, None) is not None

    def set_status(self, key: tuple[str, str], status: str, message: str | None) -> None:
        record = self.records.setdefault(key, ModelRecord())
        if record.status == status and message in (None, record.message):
            return
        record.status, record.message = status, message

    def clear_status(self, key: tuple[str, str]) -> list[str]:
        record = self.records.get(key)
        if record is None or record.status is None:
            return []
        removed, record.status, record.message = record.status, None, None
        return [removed]

    def names(self, level: str) -> list[str]:
        return sorted(name for kind, name in self.records if kind == level)
