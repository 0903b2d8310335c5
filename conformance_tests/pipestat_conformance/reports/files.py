"""Writing all the files of a report into a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipestat_conformance.reports.badge import badges
from pipestat_conformance.reports.junit import junit_xml
from pipestat_conformance.reports.matrix import html_matrix, markdown_matrix

__all__ = ["ReportError", "read_report", "write_matrix", "write_merged", "write_report"]


class ReportError(Exception):
    """A file is no report."""


def write_report(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write report.json, junit.xml, matrix.md, matrix.html and badge-PROFILE.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("badge-*.json"):
        old.unlink()
    files = {
        "report.json": json.dumps(report, indent=1, ensure_ascii=True) + "\n",
        "junit.xml": junit_xml(report),
        **{
            f"badge-{name}.json": json.dumps(badge) + "\n" for name, badge in badges(report).items()
        },
    }
    return [
        *(_write(folder / name, text) for name, text in files.items()),
        *write_matrix([report], folder),
    ]


def write_matrix(reports: list[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write matrix.md and matrix.html of one or more reports."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder / "matrix.md", markdown_matrix(reports)),
        _write(folder / "matrix.html", html_matrix(reports)),
    ]


def write_merged(reports: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Write several reports as one: merged.json, matrix.md and matrix.html.

    Raises ReportError when they are about different sets of vectors: their columns would
    not say the same thing.
    """
    digests = {report["vectors"]["digest"] for report in reports}
    if len(digests) > 1:
        raise ReportError("the reports are about different sets of vectors; run them again")
    paths = write_matrix(list(reports), folder)
    merged = {"merged": 1, "spec": reports[0]["spec"], "reports": reports}
    return [_write(folder / "merged.json", json.dumps(merged, indent=1) + "\n"), *paths]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def read_report(path: Path) -> dict[str, Any]:
    """Read a report.json, or the one in a folder; raises ReportError."""
    from pipestat_conformance.reports.document import check_report

    file = path / "report.json" if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{file}: {error}") from None
    problem = check_report(document)
    if problem is not None:
        raise ReportError(f"{file}: no report of this suite: {problem}")
    found: dict[str, Any] = document
    return found
