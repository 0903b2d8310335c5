"""What QC rules say of a record: its verdict and the reasons (spec/qc.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.strings import shorten

__all__ = ["OTHER_VERDICT", "VERDICT", "Judgement", "Reason", "Verdict"]

# The field of filters and columns, and what it is called where a result has this name.
VERDICT, OTHER_VERDICT = "verdict", "pipestat_verdict"


class Verdict(StrEnum):
    """What the rules of its level say of a record, the worst first."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"
    NOT_JUDGED = "not judged"

    @property
    def rank(self) -> int:
        """The place in the order of severity: 0 for `fail`, 3 for `not judged`."""
        return _RANKS[self]


_RANKS = {verdict: place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that holds for a record.

    `result` is the result at which the rule stands, None for a rule of the level. `rule` is
    its filter and `reason` what its author says besides, if anything. `values` are those that
    it looked at, by field; null where the record has none.
    """

    severity: Verdict
    rule: str
    result: str | None = None
    reason: str | None = None
    values: Mapping[str, JSONValue] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One line for people: the reason, else the rule, and the values."""
        seen = ", ".join(f"{name} = {_shown(value)}" for name, value in self.values.items())
        said = self.reason or self.rule
        return " ".join(f"{said} ({seen})".splitlines()) if seen else said

    def as_dict(self) -> dict[str, JSONValue]:
        """Return the reason for JSON."""
        return {
            "severity": str(self.severity),
            "result": self.result,
            "rule": self.rule,
            "reason": self.reason,
            "values": dict(self.values),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a record, and every rule that speaks against it, the worst first.

    `field` is the name that filters and columns of its level give the verdict.
    """

    verdict: Verdict = Verdict.NOT_JUDGED
    reasons: tuple[Reason, ...] = ()
    field: str = VERDICT

    @property
    def text(self) -> str:
        """The reasons in one line for people; empty where nothing speaks against the record."""
        return "; ".join(reason.text for reason in self.reasons)


def _shown(value: JSONValue) -> str:
    if isinstance(value, str):
        return shorten(value, 40)
    import json

    return shorten(json.dumps(value, ensure_ascii=False), 40)
