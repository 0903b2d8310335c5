"""`report.json`: what came of a run, in the form of `protocol/report.schema.json`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from pipestat_conformance._version import __version__
from pipestat_conformance.assessment import (
    counts,
    outcome,
    profile_outcomes,
    requirement_verdicts,
)
from pipestat_conformance.catalogue import Requirement, rule_texts
from pipestat_conformance.data_files import protocol_schema
from pipestat_conformance.run import Run
from pipestat_conformance.special_values import encode
from pipestat_conformance.vectors import digest, load_vectors
from pipestat_conformance.verdicts import EXECUTED, Result, Verdict
from pipestat_spec._version import SPEC_VERSION

__all__ = ["REPORT_VERSION", "Mask", "build_report", "check_report", "repeat_command"]

REPORT_VERSION = 1
_SHOWN = (Verdict.ERROR, Verdict.FAIL, Verdict.XFAIL, Verdict.XPASS)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_UNIQUE = re.compile(r"\bc[0-9a-f]{15}\b")
_CHECKSUM = re.compile(r"\bcrc32:[0-9a-f]{8}\b")
_SCRATCH = re.compile(r"/tmp/tmp[a-z0-9_]{8}")


def build_report(run: Run, catalogue: Mapping[str, Requirement]) -> dict[str, Any]:
    """Return the report of a run; two runs with one seed differ under `times` only."""
    options, hello = run.options, run.hello
    vectors = load_vectors() if options.vectors is None else tuple(options.vectors)
    return {
        "report": REPORT_VERSION,
        "spec": SPEC_VERSION,
        "suite": __version__,
        "vectors": {"digest": digest(vectors), "count": len(vectors)},
        "target": {
            "name": hello.name,
            "version": hello.version,
            "language": hello.language,
            "driver": "in-process" if options.driver.strict else "json-lines",
        },
        "capabilities": sorted(hello.capabilities),
        "claimed_profiles": sorted(hello.profiles),
        "seed": options.seed,
        "selection": list(options.select),
        "quick": options.quick,
        "outcome": outcome(run, catalogue).value,
        "profiles": _profiles(run, catalogue),
        "counts": counts(run.results),
        "requirements": _requirements(run, catalogue),
        "results": [_result(result) for result in run.results],
        "failures": [_failure(result, run, catalogue) for result in run.results if _shown(result)],
        "known_failures": {
            "file": options.known_file,
            "entries": len(options.known.entries),
            "complaints": list(run.complaints),
        },
        "times": {
            "started": run.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": round(run.seconds, 3),
            "results": {result.id: round(result.seconds, 3) for result in run.results},
            "measured": {r.id: dict(r.measured) for r in run.results if r.measured},
        },
    }


def _shown(result: Result) -> bool:
    return result.verdict in _SHOWN


def _profiles(run: Run, catalogue: Mapping[str, Requirement]) -> dict[str, Any]:
    return {
        name: {
            "claimed": name in run.hello.profiles,
            "outcome": found.value,
            "counts": counts(result for result in run.results if result.profile == name),
        }
        for name, found in profile_outcomes(run, catalogue).items()
    }


def _requirements(run: Run, catalogue: Mapping[str, Requirement]) -> list[dict[str, Any]]:
    entries = []
    for id, verdict in requirement_verdicts(run.results, catalogue).items():
        known = catalogue.get(id)
        entries.append(
            {
                "id": id,
                "title": known.title if known else "",
                "level": known.level if known else "must",
                "section": known.section if known else "",
                "profiles": list(known.profiles) if known else [],
                "verdict": verdict.value,
                "vectors": [
                    r.id for r in run.results if id in r.requirements and r.verdict in EXECUTED
                ],
            }
        )
    return entries


def _result(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "kind": result.kind,
        "verdict": result.verdict.value,
        "requirements": list(result.requirements),
        "profile": result.profile,
        "note": result.note,
    }


def _failure(result: Result, run: Run, catalogue: Mapping[str, Requirement]) -> dict[str, Any]:
    problem = result.problem
    steps = [] if problem is None else [encode(step) for step in problem.steps]
    mask = Mask(run.folder, kept=json.dumps(steps))
    return {
        "id": result.id,
        "verdict": result.verdict.value,
        "requirements": [
            {"id": id, "title": _title(id, catalogue), "text": rule_texts().get(id, "")}
            for id in result.requirements
        ],
        "message": "it passes" if problem is None else mask(problem.message),
        "step": None if problem is None else problem.step,
        "steps": mask(steps),
        "expected": None if problem is None else mask(encode(problem.expected)),
        "actual": None if problem is None else mask(encode(problem.actual)),
        "detail": "" if problem is None else mask(problem.detail),
        "repeat": repeat_command(run, result.id),
    }


def _title(id: str, catalogue: Mapping[str, Requirement]) -> str:
    return catalogue[id].title if id in catalogue else ""


def repeat_command(run: Run, id: str) -> str:
    """Return the command that runs one vector again."""
    words = ["pipestat-spec", "conformance", "run", *run.options.driver.command()]
    if run.options.store is not None:
        words += ["--store", json.dumps(run.options.store)]
    if run.options.seed:
        words += ["--seed", str(run.options.seed)]
    return shlex.join([*words, "--vector", id])


def check_report(document: Any) -> str | None:
    """Return what is wrong with a report, or None."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(protocol_schema("report")))
    for problem in validator.iter_errors(document):
        where = "/".join(map(str, problem.absolute_path))
        return f"{where}: {problem.message}"[:500]
    return None


class Mask:
    """Takes out of a problem what differs from run to run: folders, times, addresses.

    Its times are numbered in the order in which they appear.
    """

    def __init__(self, folder: str, kept: str = "") -> None:
        self._folder = folder
        self._kept = kept
        self._times: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        """Return the value with what varies replaced, keys included."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self._text(str(key)): self(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self(item) for item in value]
        return value

    def _text(self, text: str) -> str:
        text = text.replace(self._folder, "{run}")
        text = _CHECKSUM.sub("crc32:...", text)
        text = _SCRATCH.sub("{scratch}", _UNIQUE.sub("{unique}", _ADDRESS.sub("0x...", text)))
        return _TIME.sub(self._time, text)

    def _time(self, match: re.Match[str]) -> str:
        # Times that a vector itself writes are the same in every run.
        if match[0] in self._kept:
            return match[0]
        return self._times.setdefault(match[0], f"<time {len(self._times) + 1}>")
