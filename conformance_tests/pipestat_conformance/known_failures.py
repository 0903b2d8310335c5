"""The file of failures that are known: they still run, and an unexpected pass is told.

- id: report.persist.reopen
  reason: changes are lost when the program ends
  issue: https://example.org/issues/12
  expires: 2027-01-31          # optional
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipestat_conformance.verdicts import Result, Verdict

__all__ = ["KnownFailure", "KnownFailures", "KnownFailuresError", "read_known_failures"]

_KEYS = ("id", "reason", "issue", "expires")


class KnownFailuresError(Exception):
    """The file cannot be used; the text names the entry and what is wrong."""


@dataclass(frozen=True)
class KnownFailure:
    """One vector that is known to fail."""

    id: str
    reason: str
    issue: str
    expires: date | None = None


@dataclass(frozen=True)
class KnownFailures:
    """The entries of a file, and what a run makes of them."""

    entries: Sequence[KnownFailure] = ()

    def applied(self, results: Iterable[Result]) -> list[Result]:
        """Return the results with `fail` as `xfail` and `pass` as `xpass` where it is known."""
        known = {entry.id: entry for entry in self.entries}
        return [
            replace(result, verdict=_expected(result.verdict), note=known[result.id].reason)
            if result.id in known
            else result
            for result in results
        ]

    def complaints(self, results: Iterable[Result], today: date) -> list[str]:
        """Return what makes the file wrong after a run, a line each."""
        verdicts = {result.id: result.verdict for result in results}
        lines = []
        for entry in self.entries:
            verdict = verdicts.get(entry.id)
            if verdict is Verdict.XPASS:
                lines.append(f"{entry.id}: passes, although it is known to fail; remove the entry")
            elif verdict not in (Verdict.XFAIL, Verdict.ERROR):
                lines.append(f"{entry.id}: no vector of that id was run; remove the entry")
            if entry.expires is not None and entry.expires < today:
                lines.append(f"{entry.id}: expired on {entry.expires}; mend it or set a new date")
        return lines


def _expected(verdict: Verdict) -> Verdict:
    return {Verdict.FAIL: Verdict.XFAIL, Verdict.PASS: Verdict.XPASS}.get(verdict, verdict)


def read_known_failures(path: Path) -> KnownFailures:
    """Read the file; raises KnownFailuresError."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise KnownFailuresError(f"{path}: {error}") from None
    if document is None:
        return KnownFailures()
    if not isinstance(document, list):
        raise KnownFailuresError(f"{path}: it is a list of entries with id, reason and issue")
    entries = [_entry(item, f"{path}: entry {i}") for i, item in enumerate(document, 1)]
    ids = [entry.id for entry in entries]
    twice = [id for id in ids if ids.count(id) > 1]
    if twice:
        raise KnownFailuresError(f"{path}: {twice[0]!r} occurs twice")
    return KnownFailures(tuple(entries))


def _entry(item: Any, where: str) -> KnownFailure:
    if not isinstance(item, dict):
        raise KnownFailuresError(f"{where}: it is no mapping")
    unknown = [key for key in item if key not in _KEYS]
    if unknown:
        raise KnownFailuresError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(_KEYS)}")
    for key in ("id", "reason", "issue"):
        if not isinstance(item.get(key), str) or not item[key].strip():
            raise KnownFailuresError(f"{where}: {key!r} is missing or no text")
    return KnownFailure(item["id"], item["reason"], item["issue"], _date(item, where))


def _date(item: dict[str, Any], where: str) -> date | None:
    expires = item.get("expires")
    if expires is None or type(expires) is date:
        return expires
    try:
        return date.fromisoformat(expires)
    except (TypeError, ValueError):
        raise KnownFailuresError(f"{where}: expires: {expires!r} is no date (2027-01-31)") from None
