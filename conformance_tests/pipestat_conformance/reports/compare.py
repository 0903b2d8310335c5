"""Comparing two reports, result by result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Comparison", "compare_reports"]

# From good to bad; what was not run is neither.
_RANK = {"pass": 0, "xpass": 0, "xfail": 1, "fail": 1, "error": 2}


@dataclass(frozen=True)
class Comparison:
    """What changed from one report to another, a line each; `worse` counts what got worse."""

    lines: tuple[str, ...]
    worse: int


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Return what the second report says otherwise than the first.

    Worse is what passed and does not any more, what is not run any more, and an error
    where there was none.
    """
    lines: list[str] = []
    if before["vectors"]["digest"] != after["vectors"]["digest"]:
        lines.append("note: the two reports are about different sets of vectors")
    old = {result["id"]: result["verdict"] for result in before["results"]}
    new = {result["id"]: result["verdict"] for result in after["results"]}
    worse = 0
    for id in sorted({*old, *new}):
        was, now = old.get(id, "absent"), new.get(id, "absent")
        if was == now:
            continue
        bad = _worse(was, now)
        worse += bad
        lines.append(
            f"{'worse ' if bad else 'better' if _worse(now, was) else 'other '} "
            f"{id}: {was} -> {now}"
        )
    for name, profile in after["profiles"].items():
        was = before["profiles"].get(name, {}).get("outcome", "not-run")
        if was != profile["outcome"]:
            lines.append(f"profile {name}: {was} -> {profile['outcome']}")
    return Comparison(tuple(lines), worse)


def _worse(was: str, now: str) -> bool:
    if was in _RANK and now in _RANK:
        return _RANK[now] > _RANK[was]
    # A vector that was passed and is no longer run can hide a regression.
    return was == "pass" and now not in _RANK
