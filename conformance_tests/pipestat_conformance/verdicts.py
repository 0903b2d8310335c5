"""What comes of a vector, a requirement, a profile and a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

__all__ = ["Conclusion", "ExitCode", "Problem", "Result", "Verdict", "worst"]


class Verdict(StrEnum):
    """What came of a vector; of a requirement it is the worst of its vectors.

    `unsupported`: it needs a capability that is not claimed. `disabled`: its profile is not
    claimed, or was not asked for. `untestable`: no test can tell. `error`: the harness broke.
    """

    PASS = "pass"
    FAIL = "fail"
    XFAIL = "xfail"
    XPASS = "xpass"
    UNSUPPORTED = "unsupported"
    DISABLED = "disabled"
    UNTESTABLE = "untestable"
    ERROR = "error"


EXECUTED = (Verdict.ERROR, Verdict.FAIL, Verdict.XPASS, Verdict.XFAIL, Verdict.PASS)
_ORDER = (*EXECUTED, Verdict.UNSUPPORTED, Verdict.DISABLED, Verdict.UNTESTABLE)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; of none, `disabled`."""
    found = set(verdicts)
    return next((verdict for verdict in _ORDER if verdict in found), Verdict.DISABLED)


class Conclusion(StrEnum):
    """What came of a run, or of one profile.

    `known-failures`: all that fails was known, which is not conformance. `selection`: what
    was asked for passes, and is not all that conformance asks.
    """

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not-conformant"
    KNOWN_FAILURES = "known-failures"
    SELECTION = "selection"
    NOT_RUN = "not-run"
    ERROR = "error"


class ExitCode(IntEnum):
    """The exit codes of the command."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    ERROR = 2
    USAGE = 3


@dataclass(frozen=True)
class Problem:
    """Why a vector did not pass: the steps up to the one that went wrong, and what it said."""

    message: str
    steps: Sequence[Mapping[str, Any]] = ()
    step: str | None = None
    expected: Any = None
    actual: Any = None
    detail: str = ""


@dataclass(frozen=True)
class Result:
    """What came of one vector or trial; `note` says why it was not run, or how it was."""

    id: str
    verdict: Verdict
    requirements: tuple[str, ...]
    profile: str = "core"
    problem: Problem | None = None
    note: str = ""
    seconds: float = 0.0
    kind: str = "vector"
    measured: Mapping[str, Any] = field(default_factory=dict)
