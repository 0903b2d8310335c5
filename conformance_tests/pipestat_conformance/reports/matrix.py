"""Requirements against targets, as Markdown and as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["html_matrix", "markdown_matrix"]

_Report = Mapping[str, Any]
_SIGNS = {
    "pass": "✓",
    "fail": "✗",
    "xfail": "(✗)",
    "xpass": "✓!",
    "unsupported": "-",
    "disabled": "",
    "untestable": "n/a",
    "error": "error",
}
_LEGEND = (
    "✓ passes, ✗ fails, (✗) is known to fail, ✓! passes although it was known to fail, "
    "- needs a capability that is not claimed, empty: profile not claimed or not run, "
    "n/a no test can tell, error: the harness broke"
)


def _names(reports: Sequence[_Report]) -> list[str]:
    return [f"{r['target']['name']} {r['target']['version']}" for r in reports]


def _requirements(reports: Sequence[_Report]) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Yield each requirement and its verdict in each report."""
    by_id = [{entry["id"]: entry for entry in report["requirements"]} for report in reports]
    for id in dict.fromkeys(id for entries in by_id for id in entries):
        known = next(entries[id] for entries in by_id if id in entries)
        verdicts = [entries.get(id, {}).get("verdict", "disabled") for entries in by_id]
        yield known, verdicts


def _profile_rows(reports: Sequence[_Report]) -> Iterator[tuple[str, list[str]]]:
    for name in reports[0]["profiles"]:
        outcomes = [report["profiles"].get(name, {}).get("outcome", "") for report in reports]
        if any(outcome not in ("", "not-run") for outcome in outcomes):
            yield name, ["" if outcome == "not-run" else outcome for outcome in outcomes]


def markdown_matrix(reports: Sequence[_Report]) -> str:
    """Return two tables: the profiles, and the requirements."""
    names = [_cell(name) for name in _names(reports)]
    rule = "|---" * (len(names) + 1) + "|"
    lines = [
        f"# Conformance to pipestat-spec {_cell(reports[0]['spec'])}",
        "",
        f"| Profile | {' | '.join(names)} |",
        rule,
        *(
            f"| {_cell(name)} | {' | '.join(_cell(outcome) for outcome in row)} |"
            for name, row in _profile_rows(reports)
        ),
        "",
        f"| Requirement | {' | '.join(names)} |",
        rule,
    ]
    for entry, verdicts in _requirements(reports):
        signs = " | ".join(_SIGNS[verdict] for verdict in verdicts)
        lines.append(f"| {_cell(entry['id'])} {_cell(entry['title'])} | {signs} |")
    return "\n".join([*lines, "", _LEGEND, ""])


def _cell(text: str) -> str:
    plain = " ".join(str(text).split())
    for character in "\\`*_[]<>|#":
        plain = plain.replace(character, "\\" + character)
    return plain


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { border: 1px solid #c8c8c8; padding: .25rem .6rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; position: sticky; top: 0; }
td.v { text-align: center; white-space: nowrap; }
.pass, .conformant { background: #d9f2dd; } .fail, .not-conformant, .xpass { background: #f8d3d3; }
.xfail, .known-failures { background: #fbe6c8; } .error { background: #e3d3f5; }
pre { background: #f6f6f6; padding: .6rem; overflow-x: auto; white-space: pre-wrap; }
"""


def html_matrix(reports: Sequence[_Report]) -> str:
    """Return one HTML document with both tables and every failure."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in _names(reports))
    title = f"Conformance to pipestat-spec {escape(str(reports[0]['spec']))}"
    profiles = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{_html_cells(row, row)}</tr>\n'
        for name, row in _profile_rows(reports)
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(entry["id"])}</th><td>{escape(entry["title"])}</td>'
        f"{_html_cells(verdicts, [_SIGNS[verdict] for verdict in verdicts])}</tr>\n"
        for entry, verdicts in _requirements(reports)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"<table>\n<thead><tr><th>Profile</th>{names}</tr></thead>\n<tbody>\n{profiles}</tbody>\n"
        f"</table>\n<table>\n<thead><tr><th>Rule</th><th>What it asks</th>{names}</tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n<p>{escape(_LEGEND)}</p>\n"
        f"{''.join(map(_html_failures, reports))}</body>\n</html>\n"
    )


def _html_cells(classes: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(
        f'<td class="v {escape(name)}" title="{escape(name)}">{escape(text)}</td>'
        for name, text in zip(classes, texts, strict=True)
    )


def _html_failures(report: _Report) -> str:
    from pipestat_conformance.reports.summary import failure_text

    if not report["failures"]:
        return ""
    shown = "".join(
        f"<details><summary>{escape(failure['id'])}: {escape(failure['message'])}</summary>\n"
        f"<pre>{escape(failure_text(failure))}</pre></details>\n"
        for failure in report["failures"]
    )
    return f"<h2>{escape(report['target']['name'])}: what does not pass</h2>\n{shown}"
