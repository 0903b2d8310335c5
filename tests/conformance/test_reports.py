"""The reports themselves: complete, valid, escaped, and the same for the same seed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.drivers import Hello
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.known_failures import KnownFailure, KnownFailures
from pipestat_conformance.options import RunOptions
from pipestat_conformance.reports.badge import badges
from pipestat_conformance.reports.compare import compare_reports
from pipestat_conformance.reports.document import build_report, check_report
from pipestat_conformance.reports.files import (
    ReportError,
    read_report,
    write_merged,
    write_report,
)
from pipestat_conformance.reports.junit import junit_xml
from pipestat_conformance.reports.matrix import html_matrix, markdown_matrix
from pipestat_conformance.reports.summary import failure_text, summary
from pipestat_conformance.run import run
from pipestat_conformance.stores import default_store, template

from tests.conformance.conftest import CONFLICT, REPORTED, tiny, tiny_command, vector

DISABLED = {**REPORTED, "id": "sample.query", "profile": "query", "requirements": ["PS-QRY-001"]}
NEEDING = {**REPORTED, "id": "sample.needing", "needs": ["history"]}
HARD = {
    "id": "sample.hard",
    "requirements": ["PS-VAL-001"],
    "steps": [{"op": "count", "expect": {"result": 0}}],
}
ALL = (REPORTED, CONFLICT, DISABLED, NEEDING, HARD)


def made(
    wrong: str = "", known: KnownFailures | None = None, documents: Any = ALL, **options: Any
) -> dict[str, Any]:
    driver = SubprocessDriver(tiny(wrong=wrong), arguments=["--exec", tiny_command(wrong=wrong)])
    done = run(
        RunOptions(
            driver,
            template(default_store()),
            vectors=[vector(document) for document in documents],
            known=known or KnownFailures(),
            profiles=["core"],
            **options,
        )
    )
    return build_report(done, load_catalogue())


def without_times(report: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key != "times"}


def test_a_report_says_everything() -> None:
    report = made(wrong="forgets", seed=7)
    assert check_report(report) is None
    assert report["outcome"] == "not-conformant"
    assert report["target"] == {
        "name": "tiny",
        "version": "1",
        "language": "Python",
        "driver": "json-lines",
    }
    assert report["seed"] == 7
    assert report["vectors"]["count"] == len(ALL)
    verdicts = {result["id"]: result["verdict"] for result in report["results"]}
    assert verdicts["sample.reported"] == "fail"
    assert verdicts["sample.conflict"] == "pass"
    assert verdicts["sample.query"] == "disabled"
    assert verdicts["sample.needing"] == "unsupported"
    assert verdicts["probe.history"] == "pass"
    assert {entry["id"] for entry in report["requirements"]} >= set(load_catalogue())
    assert sum(report["counts"].values()) == len(report["results"])


def test_a_failure_shows_rule_steps_and_a_command_that_repeats_it() -> None:
    report = made(wrong="forgets", seed=7)
    failure = next(f for f in report["failures"] if f["id"] == "sample.reported")
    assert failure["requirements"][0]["text"].startswith("On every backend a reader MUST get back")
    assert [step["op"] for step in failure["steps"]] == ["open", "report", "reopen", "retrieve"]
    words = shlex.split(failure["repeat"])
    assert words[:3] == ["pipestat-spec", "conformance", "run"]
    assert words[3:5] == ["--exec", tiny_command(wrong="forgets")]
    assert words[5:] == ["--seed", "7", "--vector", "sample.reported"]
    text = failure_text(failure)
    assert "PS-VAL-013: On every backend a reader MUST" in text
    assert "\n  > {" in text
    assert failure["repeat"] in text


@pytest.mark.parametrize("wrong", ["", "forgets"])
def test_the_same_seed_gives_the_same_report(wrong: str) -> None:
    one, two = made(wrong, seed=3), made(wrong, seed=3)
    assert without_times(one) == without_times(two)
    assert json.dumps(without_times(one)) == json.dumps(without_times(two))


def test_times_and_folders_of_failures_are_masked() -> None:
    from pipestat_conformance.reports.document import Mask

    mask = Mask("/tmp/run-1", kept='{"start": "2026-01-31T12:00:00Z"}')
    assert mask("at /tmp/run-1/v1/x, 0x7f3a2b1c9d00") == "at {run}/v1/x, 0x..."
    late, early = "2026-02-01T00:00:00.000002Z", "2026-02-01T00:00:00.000001Z"
    assert mask({late: [early, late, "2026-01-31T12:00:00Z"]}) == {
        "<time 1>": ["<time 2>", "<time 1>", "2026-01-31T12:00:00Z"]
    }


def test_known_failures_are_never_conformance() -> None:
    known = KnownFailures(
        (
            KnownFailure("sample.reported", "it forgets", "#1"),
            KnownFailure("sample.hard", "r", "#2"),
        )
    )
    report = made(wrong="forgets", known=known)
    assert report["outcome"] == "known-failures"
    assert report["profiles"]["core"]["outcome"] == "known-failures"
    assert badges(report)["core"]["message"] != "conformant"
    assert "NOT conformant" in summary(report)
    passing = made(known=known)
    assert passing["outcome"] == "not-conformant"
    assert "sample.reported: passes" in passing["known_failures"]["complaints"][0]
    xpass = next(f for f in passing["failures"] if f["id"] == "sample.reported")
    assert xpass["verdict"] == "xpass"


def test_the_summary_fits_one_screen() -> None:
    many = [{**REPORTED, "id": f"sample.v{number}"} for number in range(40)]
    report = made(wrong="forgets", documents=many)
    lines = summary(report).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120
    assert "40 fail" in lines[-1]
    assert any("and 34 more" in line for line in lines)


NASTY = "<script>alert('x')</script> & \"quotes\" | `tick` \x00\x1b \ud800"


def nasty() -> dict[str, Any]:
    report = made(wrong="forgets")
    report["target"]["name"] = NASTY
    report["failures"][0]["message"] = NASTY
    report["failures"][0]["detail"] = NASTY
    report["requirements"][0]["title"] = NASTY
    return report


class Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [str(value) for name, value in attrs if name in ("src", "href")]


def test_html_is_escaped_and_stands_alone(tmp_path: Path) -> None:
    write_report(nasty(), tmp_path)
    parser = Scripts()
    parser.feed((tmp_path / "matrix.html").read_text(encoding="utf-8"))
    assert "script" not in parser.tags
    assert parser.tags.count("table") == 2
    assert not parser.outside


def test_markdown_cells_stay_cells() -> None:
    report = nasty()
    lines = markdown_matrix([report, report]).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) > 20
    assert {line.replace("\\|", "").count("|") for line in rows} == {4}
    assert "<script>" not in "\n".join(rows).replace("\\<", "")


def test_junit_is_xml_whatever_was_said() -> None:
    report = nasty()
    root = ElementTree.fromstring(junit_xml(report).encode("utf-8", "strict"))
    suite = root[0]
    cases = {case.attrib["name"]: case for case in suite}
    assert int(suite.attrib["tests"]) == len(report["results"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == 2
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    failure = cases["sample.reported"].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "PS-VAL-013"
    assert "repeat: pipestat-spec conformance run" in str(failure.text)


def test_badges_are_for_profiles_that_were_judged_as_a_whole() -> None:
    report = made(documents=[REPORTED, CONFLICT])
    assert badges(report) == {
        "core": {
            "schemaVersion": 1,
            "label": "pipestat-spec 1.0 core",
            "message": "conformant",
            "color": "brightgreen",
        }
    }
    failing = badges(made(wrong="forgets", documents=[REPORTED, CONFLICT]))["core"]
    assert failing["color"] == "red"
    assert failing["message"] == "6 of 7 pass"
    assert badges(made(documents=[REPORTED], select=["sample.reported"])) == {}


def test_files_of_a_report(tmp_path: Path) -> None:
    report = made()
    (tmp_path / "badge-history.json").write_text("{}")
    names = {path.name for path in write_report(report, tmp_path)}
    assert names == {"report.json", "junit.xml", "matrix.md", "matrix.html", "badge-core.json"}
    # What an older run left must not be taken for this one's.
    assert {path.name for path in tmp_path.iterdir()} == names
    assert read_report(tmp_path) == report


@pytest.mark.parametrize("text", ["{", "[]", '{"report": 2}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError):
        read_report(tmp_path)


def test_comparing_reports() -> None:
    good, bad = (
        made(documents=[REPORTED, CONFLICT]),
        made("forgets", documents=[REPORTED, CONFLICT]),
    )
    assert compare_reports(good, good).lines == ()
    worse = compare_reports(good, bad)
    assert worse.worse == 1
    assert worse.lines[0] == "worse  sample.reported: pass -> fail"
    assert "profile core: conformant -> not-conformant" in worse.lines
    assert compare_reports(bad, good).worse == 0
    fewer = compare_reports(good, made(documents=[REPORTED]))
    assert fewer.lines[0].startswith("note: ")
    assert fewer.worse == 1


def test_merging_reports(tmp_path: Path) -> None:
    one, two = made(), made("forgets")
    two["target"]["name"] = "other"
    write_merged([one, two], tmp_path)
    table = (tmp_path / "matrix.md").read_text(encoding="utf-8")
    assert "| Profile | tiny 1 | other 1 |" in table
    row = next(line for line in table.splitlines() if line.startswith("| PS-VAL-013"))
    assert row.endswith("| ✓ | ✗ |")
    assert len(json.loads((tmp_path / "merged.json").read_text())["reports"]) == 2
    assert html_matrix([one, two]).count("<h2>") == 2
    with pytest.raises(ReportError, match="different sets"):
        write_merged([one, made(documents=[REPORTED])], tmp_path)


def test_a_report_is_valid_whatever_the_target_calls_itself() -> None:
    hello = Hello("", "", "", (), ("core",))
    driver = SubprocessDriver(tiny())
    done = run(RunOptions(driver, template(default_store()), vectors=[vector(CONFLICT)]))
    assert check_report(build_report(replace(done, hello=hello), {})) is None
