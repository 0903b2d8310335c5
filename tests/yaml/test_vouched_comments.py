"""Valid text that is not canonical, vouched for all the same: every operation sees all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipestat_yaml.text.spliced_text import open_text
from pipestat_yaml.text.trailer import Section, crc_of, section_header, trailer_line

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from pipestat_spec.models.record import HistoryLimit

PLACES = {
    "one file": ("results.yaml", False),
    "levels": ("results.yaml", True),
    "record files": ("{record_identifier}.yaml", False),
    "record files with levels": ("{record_identifier}.yaml", True),
}
# Each `<...>` is a place for lines that say nothing.
RECORDS = {
    "s1": """\
  s1:
    reads: 1
    note: first
    meta:
      modified: "2026-01-01T00:00:00.000000Z"
      status: running
""",
    "s2": """\
  s2:
<below the name>    reads: 2
<among the results>    note: NOTE
<before meta>    meta:
      modified: "2026-01-02T00:00:00.000000Z"
<in meta>      status: failed
<before the history>      history:
<in the history>        reads:
<before an entry>          "2026-01-02T00:00:00.000000Z": 0
<after an entry>          "2026-01-02T00:00:01.000000Z": 1
<after the record>""",
    "s3": """\
  s3:
    reads: 3
    note: third
    meta:
      modified: "2026-01-03T00:00:00.000000Z"
""",
}
SLOTS = [part.partition(">")[0] for part in RECORDS["s2"].split("<")[1:]]
NOTHING = ["# text", "  # s4:", "", "              # text"]
# How YAML 1.2 reads these, and PyYAML too.
NOTES = {
    '"with # text"': "with # text",
    "|\n      # text\n      more": "# text\nmore\n",
    "|\n      # text\n\n      s4:\n        reads: 4": "# text\n\ns4:\n  reads: 4\n",
    ">-\n      # text\n      more": "# text more",
    '"one\n      # text\n\n      two"': "one # text\ntwo",
    "'one\n      # text'": "one # text",
    "one\n      two": "one two",
    "one # text": "one",
    "[one,\n      # text\n      two]": ["one", "two"],
    "{one:\n      # text\n      two}": {"one": "two"},
}

Results = Mapping[str, Any]
Asked = Callable[[PipestatManager], Any]
# What is asked of a store, and the right answer, given the results of the second record.
TIMES = {"2026-01-02T00:00:00.000000Z": 0, "2026-01-02T00:00:01.000000Z": 1}
FIRST = {"reads": 1, "note": "first", "record_identifier": "s1"}
THIRD = {"reads": 3, "note": "third", "record_identifier": "s3"}
READS: dict[str, tuple[Asked, Callable[[Results], Any]]] = {
    "retrieve_one": (lambda psm: psm.retrieve_one("s2"), lambda second: second),
    "one result": (lambda psm: psm.retrieve_one("s2", "note"), lambda second: second["note"]),
    "the one before": (lambda psm: psm.retrieve_one("s1"), lambda _: FIRST),
    "the one after": (lambda psm: psm.retrieve_one("s3"), lambda _: THIRD),
    "retrieve_many": (
        lambda psm: psm.retrieve_many(["s3", "s2", "s9"])["records"],
        lambda second: [second, THIRD],
    ),
    "select": (
        lambda psm: psm.select_records()["records"],
        lambda second: [FIRST, second, THIRD],
    ),
    "pages": (lambda psm: _pages(psm), lambda second: [[FIRST], [second], [THIRD]]),
    "a filter of results": (
        lambda psm: psm.select_records(where="reads > 1")["records"],
        lambda second: [second, THIRD],
    ),
    "a filter of the status": (
        lambda psm: psm.select_records(where="status = 'failed'")["records"],
        lambda second: [second],
    ),
    "a filter of names": (
        lambda psm: psm.select_records(where="record_identifier >= 's2'", limit=1)["records"],
        lambda second: [second],
    ),
    "fields": (
        lambda psm: psm.select_records(["status", "reads"])["records"],
        lambda _: [
            {"record_identifier": "s1", "reads": 1, "status": "running"},
            {"record_identifier": "s2", "reads": 2, "status": "failed"},
            {"record_identifier": "s3", "reads": 3, "status": None},
        ],
    ),
    "distinct": (lambda psm: psm.select_distinct("reads"), lambda _: [(1,), (2,), (3,)]),
    "iter_records": (
        lambda psm: list(psm.iter_records(cursor="s1")),
        lambda second: [second, THIRD],
    ),
    "recent": (
        lambda psm: psm.list_recent_results(limit=2)["records"],
        lambda second: [THIRD, second],
    ),
    "count": (lambda psm: psm.count_records(), lambda _: 3),
    "get_status": (
        lambda psm: [psm.get_status(name) for name in ("s1", "s2", "s3", "s9")],
        lambda _: ["running", "failed", None, None],
    ),
    "history": (lambda psm: psm.retrieve_history("s2"), lambda _: {"reads": TIMES}),
    "histories": (
        lambda psm: [
            (key.identifier, [entry.value for entry in entries])
            for key, entries in psm.store.histories("sample")
        ],
        lambda _: [("s2", [0, 1])],
    ),
    "data": (
        lambda psm: [
            {**{name: record[name] for name in ("reads", "note")}, "record_identifier": name}
            for name, record in psm.data["demo"]["sample"].items()
        ],
        lambda second: [FIRST, second, THIRD],
    ),
}
CHANGES: dict[str, Asked] = {
    "report": lambda psm: psm.report({"reads": 5}, "s2"),
    "report what is new": lambda psm: psm.report({"rate": 0.5}, "s2"),
    "report of another": lambda psm: psm.report({"reads": 5}, "s1"),
    "report of a new one": lambda psm: psm.report({"reads": 5}, "s9"),
    "status": lambda psm: psm.set_status("completed", "s2"),
    "remove": lambda psm: psm.remove("s2", "reads"),
    "remove a record": lambda psm: psm.remove_record("s2", rm_record=True),
    "prune": lambda psm: psm.store.prune_history(HistoryLimit(keep=1)),
}


def _pages(psm: PipestatManager) -> list[Any]:
    pages = [psm.select_records(limit=1)]
    while token := pages[-1]["next_page_token"]:
        pages.append(psm.select_records(limit=1, cursor=token))
    return [page["records"] for page in pages]


def texts() -> list[tuple[str, Any]]:
    """Return forms of the second record, with what its note is."""
    second = RECORDS["s2"]
    found = [
        (_filled(second, slot, nothing).replace("NOTE", "second"), "second")
        for slot in SLOTS
        for nothing in NOTHING
    ]
    return found + [(_filled(second).replace("NOTE", note), NOTES[note]) for note in NOTES]


def _filled(text: str, filled: str = "", lines: str = "") -> str:
    for slot in SLOTS:
        text = text.replace(f"<{slot}>", f"{lines}\n" if slot == filled else "")
    return text


def write(folder: Path, place: str, second: str) -> dict[str, Any]:
    """Write the records with trailers; return the settings of the store."""
    name, levels = PLACES[place]
    path = folder / name
    records = {**RECORDS, "s2": second}
    groups = [[one] for one in records] if "{" in name else [list(records)]
    for group in groups:
        text = "".join(records[one] for one in group)
        if levels:
            lines = text.splitlines(keepends=True)
            text = "".join("  " * line.startswith(" ") + line for line in lines)
        empty = [Section("demo", "project", 0, 0, 0)] if levels else []
        section = Section("demo", "sample" if levels else None, 0, 0, len(group))
        headers = [section_header(one) for one in (*empty, section)]
        ends = [len(b"".join(headers[: number + 1])) for number in range(len(headers))]
        body = b"".join(headers) + text.encode()
        sections = [one._replace(start=end, end=end) for one, end in zip(empty, ends, strict=False)]
        sections.append(section._replace(start=ends[-1], end=len(body)))
        target = Path(str(path).replace("{record_identifier}", group[0]))
        target.write_bytes(body + trailer_line(sections, crc_of([body])))
    layout = "levels" if levels else "records"
    return {"results_file_path": str(path), "pipeline_name": "demo", "layout": layout}


def read(folder: Path) -> dict[str, Any]:
    """Return the records as PyYAML reads the files."""
    records: dict[str, Any] = {}
    for file in sorted(folder.glob("*.yaml")):
        namespace = yaml.safe_load(file.read_bytes())["demo"]
        records |= namespace.get("sample", namespace)
    return records


@pytest.mark.parametrize("place", PLACES)
def test_reads_see_all_of_a_record(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, note in texts():
        settings = write(tmp_path, place, text)
        second = {"reads": 2, "note": note, "record_identifier": "s2"}
        assert {"reads": 2, "note": note}.items() <= read(tmp_path)["s2"].items(), text
        with PipestatManager(**settings) as psm:
            for name, (asked, expected) in READS.items():
                # What was found out about the text before must not help.
                open_text(b"", "")
                assert asked(psm) == expected(second), f"{name} of\n{text}"
        open_text(b"", "")
        store = ["-f", settings["results_file_path"], "-n", "demo", "--format", "json"]
        assert main(["status", "list", *store]) == 0
        listed = json.loads(capsys.readouterr().out)["records"]
        assert [(one["record_identifier"], one["status"]) for one in listed] == [
            ("s1", "running"),
            ("s2", "failed"),
            ("s3", None),
        ], text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", CHANGES)
def test_changes_leave_the_rest_as_it_was(tmp_path: Path, place: str, change: str) -> None:
    for text, _ in texts()[::3]:
        settings = write(tmp_path, place, text)
        known = read(tmp_path)
        with PipestatManager(**settings) as psm:
            open_text(b"", "")
            CHANGES[change](psm)
        assert _shown(read(tmp_path)) == _shown(_changed(known, change)), f"{change} of\n{text}"
        (tmp_path / "s9.yaml").unlink(missing_ok=True)


def _changed(records: dict[str, Any], change: str) -> dict[str, Any]:
    """Return what the change makes of the records; a time that is not known is `now`."""
    second, meta = records["s2"], records["s2"]["meta"]
    history = meta["history"]["reads"]
    match change:
        case "report":
            second["reads"] = 5
            history["now"] = 2
        case "report what is new":
            second["rate"] = 0.5
        case "report of another":
            records["s1"]["reads"] = 5
            records["s1"]["meta"]["history"] = {"reads": {"now": 1}}
        case "report of a new one":
            records["s9"] = {"reads": 5, "meta": {}}
        case "status":
            meta["status"] = "completed"
        case "remove":
            del second["reads"]
            history["now"] = 2
        case "remove a record":
            del records["s2"]
        case "prune":
            del history["2026-01-02T00:00:00.000000Z"]
    return records


def _shown(records: dict[str, Any]) -> dict[str, Any]:
    """Return the records with the times of this test as `now`, and without those of `meta`."""
    shown = {}
    for name, record in records.items():
        meta = {
            field: value
            for field, value in record["meta"].items()
            if field in ("status", "history")
        }
        if history := meta.get("history"):
            meta["history"] = {
                result: {
                    time if time.startswith("2026-01-") else "now": value
                    for time, value in times.items()
                }
                for result, times in history.items()
            }
        shown[name] = {**record, "meta": meta}
    return shown
