"""Badges in the form of shields.io's endpoint, one for each profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipestat_conformance.verdicts import EXECUTED

__all__ = ["badges"]

_COLORS = {
    "conformant": "brightgreen",
    "not-conformant": "red",
    "known-failures": "orange",
    "error": "lightgrey",
}


def badges(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the badge of each profile that was judged as a whole."""
    return {
        name: {
            "schemaVersion": 1,
            "label": f"pipestat-spec {report['spec']} {name}",
            "message": _message(profile),
            "color": _COLORS[profile["outcome"]],
        }
        for name, profile in report["profiles"].items()
        if profile["outcome"] in _COLORS
    }


def _message(profile: Mapping[str, Any]) -> str:
    if profile["outcome"] == "conformant":
        return "conformant"
    if profile["outcome"] == "error":
        return "no verdict"
    counts = profile["counts"]
    return f"{counts.get('pass', 0)} of {sum(counts.get(v, 0) for v in EXECUTED)} pass"
