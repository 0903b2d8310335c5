"""JUnit XML, as continuous integration reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

__all__ = ["junit_xml"]

# What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = ("unsupported", "disabled", "untestable")


def junit_xml(report: Mapping[str, Any]) -> str:
    """Return the report as one test suite with a case for each result."""
    failures = {failure["id"]: failure for failure in report["failures"]}
    results = report["results"]
    verdicts = [result["verdict"] for result in results]
    suite = Element(
        "testsuite",
        name=_clean(f"conformance {report['target']['name']}"),
        tests=str(len(results)),
        failures=str(sum(verdict in ("fail", "xpass") for verdict in verdicts)),
        errors=str(verdicts.count("error")),
        skipped=str(sum(verdict in (*_SKIPPED, "xfail") for verdict in verdicts)),
        time=str(report["times"]["seconds"]),
        timestamp=report["times"]["started"],
    )
    for result in results:
        case = SubElement(
            suite,
            "testcase",
            classname=_clean(f"conformance.{result['profile']}"),
            name=_clean(result["id"]),
            time=str(report["times"]["results"][result["id"]]),
        )
        _add_verdict(case, result, failures.get(result["id"]))
    root = Element("testsuites")
    root.append(suite)
    text: str = tostring(root, encoding="unicode")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + text + "\n"


def _add_verdict(
    case: Element, result: Mapping[str, Any], failure: Mapping[str, Any] | None
) -> None:
    verdict = result["verdict"]
    if verdict in (*_SKIPPED, "xfail"):
        SubElement(case, "skipped", message=_clean(f"{verdict}: {result['note']}"))
    elif verdict in ("fail", "xpass", "error"):
        assert failure is not None
        kind = "error" if verdict == "error" else "failure"
        ids = ", ".join(requirement["id"] for requirement in failure["requirements"])
        child = SubElement(case, kind, message=_clean(failure["message"]), type=_clean(ids))
        child.text = _clean(f"{failure['detail']}\nrepeat: {failure['repeat']}\n")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
