"""Writes the file of known failures of pipestat 0.13.1 from a report.

    python conformance_tests/targets/known_failures.py REPORT_FOLDER

Each failure gets the first reason of `reference_reasons.yaml` that fits; one without a reason
is an error, so nothing enters the file that nobody has looked at.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

# ruff: noqa: T201

HERE = Path(__file__).resolve().parent
KNOWN = HERE / "pipestat-0.13.1.known-failures.yaml"
REASONS = HERE / "reference_reasons.yaml"
# Where each difference is explained to those who come from pipestat.
ISSUE = "spec/compatibility.md"
_HEADER = """\
# What pipestat 0.13.1 is known to fail: written by known_failures.py from a report, with the
# reasons of reference_reasons.yaml.
"""


def load_reasons() -> list[dict[str, Any]]:
    """Return the reasons in the order in which they are tried."""
    reasons: list[dict[str, Any]] = yaml.safe_load(REASONS.read_text("utf-8"))
    return reasons


def clock_reasons() -> set[str]:
    """Return the reasons of failures that depend on where a second ends."""
    return {entry["reason"] for entry in load_reasons() if entry.get("clock")}


def failed_step(failure: Mapping[str, Any]) -> str:
    """Return the operation that failed; `open` with the settings that were given."""
    steps = failure["steps"]
    if failure["step"] == "open":
        return "open:" + ",".join(sorted(steps[0].get("settings") or {}))
    return next((str(step["op"]) for step in steps if step.get("id") == failure["step"]), "")


def reason_for(failure: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why a vector fails, or None."""
    known = {"id": failure["id"], "op": failed_step(failure), "message": failure["message"]}
    for entry in reasons:
        if all(re.search(entry[key], known[key]) for key in known if key in entry):
            return str(entry["reason"])
    return None


def known_failures(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the failing vectors by reason; raises LookupError for one without."""
    reasons = load_reasons()
    found: dict[str, list[str]] = {entry["reason"]: [] for entry in reasons}
    missing = []
    for failure in report["failures"]:
        if failure["verdict"] in ("fail", "xfail"):
            reason = reason_for(failure, reasons)
            if reason is None:
                missing.append(f"{failure['id']} | {failed_step(failure)} | {failure['message']}")
            else:
                found[reason].append(failure["id"])
    if missing:
        raise LookupError("no reason fits:\n" + "\n".join(missing))
    return {reason: ids for reason, ids in found.items() if ids}


def listed() -> dict[str, list[str]]:
    """Return the vectors of the file by reason."""
    found: dict[str, list[str]] = {}
    for entry in yaml.safe_load(KNOWN.read_text("utf-8")):
        found.setdefault(entry["reason"], []).append(entry["id"])
    return found


def lines(found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the file; a reason stands once, and later entries refer to it."""
    for number, (reason, ids) in enumerate(found.items(), 1):
        for place, id in enumerate(sorted(ids)):
            text = f"*r{number}" if place else f"&r{number} {json.dumps(reason)}"
            yield f"- {{id: {json.dumps(id)}, reason: {text}, issue: {json.dumps(ISSUE)}}}\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file; the argument is the folder of a report."""
    report = json.loads((Path(arguments[0]) / "report.json").read_text("utf-8"))
    try:
        found = known_failures(report)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    KNOWN.write_text(_HEADER + "".join(lines(found)), "utf-8")
    for reason, ids in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{len(ids):5} {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
