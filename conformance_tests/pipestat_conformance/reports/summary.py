"""What a run says at its end: it fits one screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["failure_text", "summary"]

_LINES = 24
_WIDTH = 100
_MEANING = {
    "conformant": "conformant",
    "not-conformant": "NOT conformant",
    "known-failures": "known failures, NOT conformant",
    "selection": "what was selected passes; that is no verdict on conformance",
    "not-run": "not run",
    "error": "no verdict: the harness or the suite failed",
}


def summary(report: Mapping[str, Any]) -> str:
    """Return the summary of a report, at most one screen."""
    target = report["target"]
    lines = [
        f"{target['name']} {target['version']} against pipestat-spec {report['spec']}, "
        f"{report['vectors']['count']} vectors ({report['vectors']['digest'][7:19]}), "
        f"seed {report['seed']}",
        *_profile_lines(report),
        *(f"  known failures: {_cut(line)}" for line in report["known_failures"]["complaints"][:3]),
        *_failure_lines(report),
        f"{target['name']}: {_MEANING[report['outcome']]} ({_counted(report['counts'])}; "
        f"{report['times']['seconds']:.1f} s)",
    ]
    return "\n".join(lines)


def _profile_lines(report: Mapping[str, Any]) -> list[str]:
    return [
        f"  {name:<20} {_MEANING[profile['outcome']]}  ({_counted(profile['counts'])})"
        for name, profile in report["profiles"].items()
        if profile["outcome"] != "not-run"
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "nothing run"


def _failure_lines(report: Mapping[str, Any]) -> list[str]:
    failures = [f for f in report["failures"] if f["verdict"] != "xfail"]
    room = (_LINES - 12) // 2
    lines: list[str] = []
    for failure in failures[:room]:
        ids = " ".join(requirement["id"] for requirement in failure["requirements"])
        lines += [
            _cut(f"  {failure['verdict']} {failure['id']} [{ids}]"),
            _cut(f"      {failure['message']}"),
        ]
    if len(failures) > room:
        lines.append(f"  ... and {len(failures) - room} more")
    return lines


def _cut(text: str) -> str:
    line = " ".join(text.splitlines()) if "\n" in text else text
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."


def failure_text(failure: Mapping[str, Any]) -> str:
    """Return everything about one failure: the rules, the steps, the command to repeat it."""
    from pipestat_conformance.special_values import to_json

    lines = [f"{failure['verdict']}: {failure['id']}"]
    for requirement in failure["requirements"]:
        text = requirement["text"] or requirement["title"]
        lines.append(f"  {requirement['id']}: {text}")
    lines.append(f"  {failure['message']}")
    for step in failure["steps"]:
        mark = ">" if str(step.get("id", step["op"])) == str(failure["step"]) else " "
        lines.append(f"  {mark} {_cut_long(to_json(step))}")
    if failure["actual"] is not None:
        lines.append(f"    got {_cut_long(to_json(failure['actual']))}")
    lines += [f"    | {line}" for line in failure["detail"].splitlines()[-15:]]
    lines.append(f"  repeat: {failure['repeat']}")
    return "\n".join(lines)


def _cut_long(text: str) -> str:
    return text if len(text) <= 600 else text[:597] + "..."
