"""QC rules as an output schema declares them (spec/qc.md).

Their filters are texts here; what they mean, `pipestat_spec.domain.verdicts` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipestat_spec.models.schema.types import QC, SchemaPath, is_result_definition, schema_error
from pipestat_spec.models.verdict import Verdict
from pipestat_spec.problems import Problems
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["QcCheck", "level_checks", "result_checks"]

_SEVERITIES = (Verdict.FAIL, Verdict.WARN)
_KEYS = (*map(str, _SEVERITIES), "reason")
_EXAMPLE = 'write qc: [{fail: "reads < 1000", reason: "too few reads"}]'


@dataclass(frozen=True, slots=True)
class QcCheck:
    """One entry of `qc`: the filter for each severity, the worst first, and what it says.

    `path` is where it stands.
    """

    rules: Mapping[Verdict, str]
    reason: str | None
    path: SchemaPath


def level_checks(
    declared: object, path: SchemaPath, source: str | None, problems: Problems
) -> tuple[QcCheck, ...]:
    """Return the checks of a level, as its keyword `qc` declares them. Raises SchemaError."""
    if is_result_definition(declared):  # a result may be called `qc`
        return ()
    return tuple(_checks(declared, path, source, problems))


def result_checks(
    chain: list[Mapping[str, Any]],
    everywhere: list[tuple[SchemaPath, object]],
    source: str | None,
    path: SchemaPath,
    problems: Problems,
) -> tuple[QcCheck, ...]:
    """Return the checks of a result, its own or of what its reference leads to.

    `chain` are the schemas that it consists of, `everywhere` all checks in them, by place.
    Raises SchemaError, also for checks at a schema inside it, which would get lost.
    """
    found = [part[QC] for part in chain if QC in part]
    for place, declared in everywhere:
        if not any(declared is known for known in found):
            with problems:
                problem = "QC rules stand at a result, not inside its schema"
                hint = "move it to the result: a field such as value.rate leads inside"
                raise schema_error(source, place, problem, hint)
    return tuple(_checks(found[0], (*path, QC), source, problems)) if found else ()


def _checks(
    declared: object, path: SchemaPath, source: str | None, problems: Problems
) -> Iterator[QcCheck]:
    items = [(declared, path)]
    if isinstance(declared, list):
        items = [(item, (*path, str(place))) for place, item in enumerate(declared)]
    for item, where in items:
        with problems:
            yield _check(item, where, source)


def _check(declared: object, path: SchemaPath, source: str | None) -> QcCheck:
    if not isinstance(declared, Mapping):
        problem = f"{shorten(repr(declared))} is no QC rule"
        raise schema_error(source, path, problem, _EXAMPLE)
    for key, text in declared.items():
        if key not in _KEYS:
            near = nearest(str(key).lower(), _KEYS)
            hint = f"did you mean {near}?" if near else "known are " + ", ".join(_KEYS)
            raise schema_error(source, (*path, str(key)), "no part of a QC rule", hint)
        if not isinstance(text, str) or not text.strip():
            problem = f"{shorten(repr(text))} is no text"
            hint = "put it in quotes" if key == "reason" else 'write a filter: "value < 0.5"'
            raise schema_error(source, (*path, key), problem, hint)
    rules = {severity: declared[severity] for severity in _SEVERITIES if severity in declared}
    if not rules:
        raise schema_error(source, path, "a QC rule without fail and warn says nothing", _EXAMPLE)
    return QcCheck(rules, declared.get("reason"), path)
