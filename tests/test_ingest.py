"""Report documents: finding, reading, checking, folding and storing them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.backend import Capability
from pipestat_spec.documents.report import (
    ReportDocument,
    parse_report_document,
)
from pipestat_spec.errors import DocumentError, PipestatDataError, ResultConflictError
from pipestat_spec.ingest import (
    Contribution,
    find_documents,
    fold,
    ingest,
    read_documents,
)
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.opening import open_store
from pipestat_spec.path_prefixes import PathPrefixes, map_paths, parse_path_prefix
from pipestat_spec.store import Store

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer}
  rate: {type: number}
  note: {type: string}
  plot: {type: image}
  plots: {type: array, items: {type: image}}
  either: {anyOf: [{type: file}, {type: integer}]}
  table: {type: object, additionalProperties: {$ref: "#/$defs/entry"}}
project:
  total: {type: integer}
$defs:
  entry:
    type: object
    properties:
      log: {type: file}
      path: {type: string}
"""
MakeStore = Callable[..., Store]


@pytest.fixture
def make_store(tmp_path: Path, schema_file: Callable[[str], Path]) -> MakeStore:
    def make(schema: str | None = SCHEMA, name: str = "results.yaml", **arguments: Any) -> Store:
        settings = {"results_file_path": str(tmp_path / name), **arguments}
        if schema is not None:
            settings["schema_path"] = str(schema_file(schema))
        return open_store(Config(), settings).store

    return make


def document(record: str = "s1", **keys: Any) -> dict[str, Any]:
    return {"pipestat_report": "1.0", "record_identifier": record, **keys}


def write(path: Path, *documents: Any) -> Path:
    """Write one document, several as an array, or one a line when the name ends in jsonl."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(item) + "\n" for item in documents)
    else:
        text = json.dumps(documents[0] if len(documents) == 1 else list(documents))
    path.write_text(text, encoding="utf-8")
    return path


def sample(store: Store, identifier: str = "s1") -> Any:
    return store.read(RecordKey("sample", identifier))


def refused(store: Store, *documents: Any, **options: Any) -> list[str]:
    """Return the problems of a call that has to be refused, and that nothing was stored."""
    before = [list(store.scan(level)) for level in ("sample", "project")]
    with pytest.raises(DocumentError) as caught:
        ingest(store, documents, **options)
    assert [list(store.scan(level)) for level in ("sample", "project")] == before
    assert str(caught.value).endswith("; nothing was ingested")
    problems = caught.value.data["problems"]
    assert isinstance(problems, list)
    assert all("\n" not in problem and problem in str(caught.value) for problem in problems)
    return problems


# Finding


def test_folders_are_searched_in_code_point_order_and_files_taken_by_any_name(
    tmp_path: Path,
) -> None:
    for name in ("b.pipestat.json", "B.pipestat.jsonl", "a/z.pipestat.json", "a.pipestat.json"):
        write(tmp_path / "docs" / name, document())
    for name in ("other.json", "x.pipestat.json.tmp", "pipestat.json"):
        write(tmp_path / "docs" / name, document())
    single = write(tmp_path / "report.txt", document())
    found = find_documents([single, str(tmp_path / "docs"), tmp_path / "missing.json"])
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "report.txt",
        "docs/B.pipestat.jsonl",
        "docs/a/z.pipestat.json",
        "docs/a.pipestat.json",
        "docs/b.pipestat.json",
        "missing.json",
    ]


def test_symbolic_links_are_followed_without_loops(tmp_path: Path) -> None:
    write(tmp_path / "work" / "one.pipestat.json", document())
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "link").symlink_to(tmp_path / "work")
    (docs / "again").symlink_to(tmp_path / "work")
    (tmp_path / "work" / "loop").symlink_to(docs)
    (docs / "file.pipestat.json").symlink_to(tmp_path / "work" / "one.pipestat.json")
    (docs / "broken.pipestat.json").symlink_to(tmp_path / "nowhere")
    assert [str(path.relative_to(docs)) for path in find_documents([docs])] == [
        "again/one.pipestat.json",
        "broken.pipestat.json",
        "file.pipestat.json",
    ]


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path, make_store: MakeStore) -> None:
    # A name in the path that is longer than a file system takes: also root cannot list it.
    closed = tmp_path / ("d" * 300)
    (problem,) = refused(make_store(), closed)
    assert problem.startswith(f"{closed}: cannot be read: ")


# Reading


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty; was the job that wrote it stopped?"),
        (b'{"a": 1,\n "b" 2}', "not JSON: line 2, column 6: expecting ':' delimiter"),
        (b'{"a": NaN}', "NaN is not a JSON number; write null"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number; write null"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "the key 'b' stands twice in one object; keep one"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        (b'{"a": "x\ny"}', "not JSON: line 1, column 9: invalid control character at"),
        (b"[" * 100_000, "the depth is too great; flatten the value"),
        (b"1" * 5000, "an integer is outside the signed 64-bit range"),
        (
            b"{} {}",
            "not JSON: line 1, column 4: extra data; put several documents into an array, "
            "or one a line into a file *.pipestat.jsonl",
        ),
    ],
)
def test_what_is_no_json_is_told_with_its_place(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "x.pipestat.json"
    path.write_bytes(content)
    (found,) = read_documents(path)
    assert (found.where, found.problem) == (str(path), problem)


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "x.pipestat.jsonl"
    path.write_bytes('{"a": "\u2028"}\r\n\n{"a": }\n{"b": 2}'.encode())
    found = list(read_documents(path))
    assert [(item.where, item.content, item.problem) for item in found] == [
        (f"{path}: line 1", {"a": "\u2028"}, None),
        (f"{path}: line 3", None, "not JSON: column 7: expecting value"),
        (f"{path}: line 4", {"b": 2}, None),
    ]


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "x.pipestat.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert [item.content for item in read_documents(path)] == [{"a": 1}]


# Storing


def test_the_document_of_the_specification_is_stored(tmp_path: Path, make_store: MakeStore) -> None:
    store = make_store()
    path = write(
        tmp_path / "s1.pipestat.json",
        {
            "pipestat_report": "1.0",
            "namespace": "rnaseq",
            "level": "sample",
            "record_identifier": "s1",
            "results": {"reads": 1200},
            "status": "completed",
            "status_message": "fine",
            "time": "2026-01-31T12:00:00Z",
            "source": {"engine": "nextflow", "run": "r7", "task": "ab/12cd", "attempt": 1},
        },
    )
    report = ingest(store, [path])
    assert (report.documents, report.records, report.changed, report.unchanged) == (1, 1, 1, 0)
    record = sample(store)
    assert record.results == {"reads": 1200}
    assert (record.status, record.status_message) == ("completed", "fine")
    assert record.source == {"engine": "nextflow", "run": "r7", "task": "ab/12cd", "attempt": 1}
    # Times are those of the ingestion, not of the document.
    assert datetime.now(UTC) - record.modified < timedelta(minutes=5)
    stored = yaml.safe_load((tmp_path / "results.yaml").read_text())
    assert stored["rnaseq"]["sample"]["s1"]["reads"] == 1200


def test_the_same_call_twice_changes_nothing(tmp_path: Path, make_store: MakeStore) -> None:
    store = make_store()
    for number in range(5):
        keys = {"results": {"reads": number, "rate": 1}, "source": {"attempt": 1}}
        write(tmp_path / "docs" / f"{number}.pipestat.json", document(f"s{number % 3}", **keys))
    write(tmp_path / "docs" / "p.pipestat.json", document("p", level="project", status="failed"))
    first = ingest(store, [tmp_path / "docs"])
    assert (first.documents, first.records, first.changed) == (6, 4, 4)
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    again = ingest(make_store(), [tmp_path / "docs"])
    assert (again.documents, again.records, again.changed, again.unchanged) == (6, 4, 0, 4)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == files


def test_a_differing_value_is_overwritten_with_history_or_refused(make_store: MakeStore) -> None:
    store = make_store()
    ingest(store, [document(results={"reads": 1, "note": "x"}), document("s2", status="running")])
    later = [
        document("s0", results={"reads": 5}),
        document(results={"reads": 2}),
        document("s2", results={"reads": 3}),
    ]
    with pytest.raises(ResultConflictError, match="result 'reads' of record 's1' is already 1"):
        ingest(store, later, overwrite=False)
    assert sample(store).results == {"reads": 1, "note": "x"}
    assert sample(store, "s0") is None
    assert sample(store, "s2").results == {}
    report = ingest(store, later, overwrite=False, keep_going=True)
    assert (report.documents, report.records, report.changed) == (2, 2, 2)
    (line,) = report.rejected
    assert line.startswith("result 'reads' of record 's1' is already 1, not 2")
    assert ingest(store, later).changed == 1
    assert sample(store).results == {"reads": 2, "note": "x"}
    (entry,) = store.history(RecordKey("sample", "s1"))
    assert (entry.result, entry.value) == ("reads", 1)


def test_every_conflict_is_named(make_store: MakeStore) -> None:
    store = make_store()
    ingest(store, [document(name, results={"reads": 1}) for name in ("a", "b", "c")])
    values = {"a": 1, "b": 2, "c": 3, "d": 4}
    later = [document(name, results={"reads": value}) for name, value in values.items()]
    with pytest.raises(ResultConflictError) as caught:
        ingest(store, later, overwrite=False)
    assert caught.value.data["problems"] == [
        "result 'reads' of record 'b' is already 1, not 2",
        "result 'reads' of record 'c' is already 1, not 3",
    ]
    assert sample(store, "d") is None


def test_a_conflict_stores_nothing_where_each_record_has_a_file(make_store: MakeStore) -> None:
    store = make_store(name="{record_identifier}.yaml")
    assert Capability.ATOMIC_BATCH not in store.backend.capabilities
    ingest(store, [document("b", results={"reads": 1})])
    later = [document("a", results={"reads": 1}), document("b", results={"reads": 2})]
    with pytest.raises(ResultConflictError):
        ingest(store, later, overwrite=False)
    assert sample(store, "a") is None
    assert ingest(store, later).changed == 2


def test_one_bad_document_keeps_all_out_and_every_bad_one_is_named(
    tmp_path: Path, make_store: MakeStore
) -> None:
    docs = tmp_path / "docs"
    write(docs / "0good.pipestat.json", document("good", results={"reads": 1}))
    write(docs / "1key.pipestat.json", document(result={"reads": 1}, status="failed"))
    write(docs / "2type.pipestat.json", document(results={"reads": "many"}))
    write(docs / "3space.pipestat.json", document(namespace="atac", status="failed"))
    (docs / "4json.pipestat.json").write_text('{"pipestat_report": ')
    write(docs / "5status.pipestat.json", document(status="asleep"))
    write(docs / "6array.pipestat.json", document("good2", results={"reads": 2}), [1])
    lines = [document("good3", status="failed"), document("", status="failed")]
    write(docs / "7lines.pipestat.jsonl", *lines)
    write(docs / "8id.pipestat.json", document(results={"id": 1, "reads": 1}))
    missing = tmp_path / "missing.pipestat.json"
    problems = refused(make_store(), docs, missing)
    expected = [
        "docs/1key.pipestat.json: unknown key 'result'; did you mean 'results'?",
        "docs/2type.pipestat.json: result 'reads'",
        "docs/3space.pipestat.json: namespace 'atac' is not that of the store, 'rnaseq'; "
        "ingest it with the pipeline name 'atac'",
        "docs/4json.pipestat.json: not JSON: line 1, column 21: expecting value",
        "docs/5status.pipestat.json: status 'asleep' is not defined; defined are running,",
        "docs/6array.pipestat.json: document 2: [1] is not a report document",
        "docs/7lines.pipestat.jsonl: line 2: record_identifier: the record identifier is empty",
        "docs/8id.pipestat.json: results: 'id' cannot name a result",
        "missing.pipestat.json: cannot be read: there is no such file",
    ]
    assert len(problems) == len(expected)
    for problem, start in zip(problems, expected, strict=True):
        assert problem.startswith(f"{tmp_path}/{start}")
    assert not (tmp_path / "results.yaml").exists()

    store = make_store()
    report = ingest(store, [docs, missing], keep_going=True)
    assert (report.documents, report.changed, list(report.rejected)) == (3, 3, problems)
    assert [record.key.identifier for record in store.scan("sample")] == ["good", "good2", "good3"]


def test_documents_may_be_given_as_mappings_and_models(make_store: MakeStore) -> None:
    store = make_store()
    model = ReportDocument(pipestat_report="1.7", record_identifier="m", results={"reads": 1})
    assert ingest(store, [document("d", results={"reads": (2)}), model]).changed == 2
    assert ingest(store, document("one", status="running")).changed == 1
    first, second = refused(store, model, {**document(), "record": 1}, "nowhere.json")
    assert first.startswith("document 2: unknown key 'record'; did you mean 'record_id")
    assert second == "nowhere.json: cannot be read: there is no such file"


def test_a_document_is_not_kept_after_it_was_checked(make_store: MakeStore) -> None:
    class Mark:
        """Lives as long as its document, which has no hash to be found by."""

    class Document(dict[str, Any]):
        mark: Mark

    alive: WeakSet[Mark] = WeakSet()
    counts = []

    def made() -> Iterator[Document]:
        for number in range(20):
            one = Document(document(f"s{number}", results={"reads": number}))
            one.mark = Mark()
            alive.add(one.mark)
            yield one
            del one
            counts.append(len(alive))

    ingest(make_store(), made())
    assert max(counts) <= 1


def test_documents_without_values_are_no_change(make_store: MakeStore) -> None:
    store = make_store()
    assert ingest(store, []).documents == 0
    report = ingest(store, [document(results={})])
    assert (report.documents, report.records, report.changed) == (1, 1, 0)
    assert sample(store) is None


def test_without_a_schema_any_value_goes_and_statuses_are_checked_all_the_same(
    make_store: MakeStore,
) -> None:
    store = make_store(schema=None, pipeline_name="free")
    ingest(store, [document(namespace="free", results={"anything": [1, {"a": None}]})])
    assert sample(store).results == {"anything": [1, {"a": None}]}
    assert len(refused(store, document(status="asleep"))) == 1


def test_progress_counts_documents_and_then_records(tmp_path: Path, make_store: MakeStore) -> None:
    files = [
        write(tmp_path / f"{i}.pipestat.json", document(results={"reads": 1})) for i in range(2)
    ]
    told: list[tuple[str, int]] = []
    other = document("other", results={"reads": 1})
    ingest(make_store(), [*files, other], progress=lambda *now: told.append(now))
    assert told[:3] == [("reading", 1), ("reading", 2), ("reading", 3)]
    assert set(told[3:]) == {("storing", 1), ("storing", 2)}


# Folding


def test_the_highest_attempt_wins_then_the_latest_time_then_the_last(make_store: MakeStore) -> None:
    def told(value: int, attempt: int | None, time: str | None, **keys: Any) -> dict[str, Any]:
        keys["results"] = {name: value for name in ("reads", "rate", "note") if name in keys}
        keys = {key: item for key, item in keys.items() if key not in ("reads", "rate", "note")}
        keys["source"] = {"run": str(value)} | ({"attempt": attempt} if attempt else {})
        return document(**keys, **({"time": time} if time else {}))

    store = make_store(schema=None, pipeline_name="p")
    ingest(
        store,
        [
            told(1, 2, "2026-01-01T10:00:00Z", reads=1, status="completed", status_message="two"),
            told(2, 1, "2026-01-01T12:00:00Z", reads=1, rate=1, status="failed"),
            # The same moment as 12:00Z, an hour before what the text seems to say.
            told(3, 1, "2026-01-01T13:00:00+01:00", rate=1, note=1),
            told(4, 1, None, rate=1, note=1),
            told(5, None, "2027-01-01T00:00:00Z", note=1, status="running"),
        ],
    )
    record = sample(store)
    assert record.results == {"reads": 1, "rate": 3, "note": 3}
    assert (record.status, record.status_message) == ("completed", "two")
    assert record.source == {"run": "1", "attempt": 2}
    assert store.history(RecordKey("sample", "s1")) == []


def test_the_status_time_is_that_of_its_document(make_store: MakeStore) -> None:
    store = make_store(schema=None, name="x.db", pipeline_name="p")
    ingest(
        store,
        [
            document(status="completed", time="2026-01-31T13:00:00+01:00"),
            document(results={"n": 1}, time="2026-02-01T00:00:00Z"),
        ],
    )
    assert sample(store).status_time == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_levels_and_records_do_not_meet(make_store: MakeStore) -> None:
    store = make_store()
    ingest(
        store,
        [
            document("x", results={"reads": 1}),
            document("x", level="project", results={"total": 2}),
            document("X", results={"reads": 3}),
        ],
    )
    assert [record.results for record in store.scan("sample")] == [{"reads": 3}, {"reads": 1}]
    assert [record.results for record in store.scan("project")] == [{"total": 2}]


def test_the_loser_is_checked_too(make_store: MakeStore) -> None:
    winner = document(results={"reads": 1}, source={"attempt": 2})
    assert len(refused(make_store(), document(results={"reads": "x"}), winner)) == 1


_MOMENTS = st.datetimes(timezones=st.just(UTC))
_CONTRIBUTIONS = st.lists(
    st.builds(
        Contribution,
        st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
        st.sampled_from((None, "running", "failed")),
        st.none(),
        st.none() | st.fixed_dictionaries({"run": st.integers()}),
        st.integers(0, 3),
        st.none() | _MOMENTS,
    ),
    unique_by=lambda item: (item.attempt, item.time),
)


@given(_CONTRIBUTIONS.flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_the_order_does_not_matter_where_attempts_or_times_differ(
    pair: tuple[list[Contribution], list[Contribution]],
) -> None:
    assert fold(pair[0]) == fold(pair[1])


@given(_CONTRIBUTIONS)
def test_each_part_is_that_of_the_highest_document_that_has_one(items: list[Contribution]) -> None:
    outcome = fold(items)
    oldest = datetime.min.replace(tzinfo=UTC)
    ranked = sorted(items, key=lambda item: (item.attempt, item.time or oldest), reverse=True)
    for name in "abc":
        holders = [item.results[name] for item in ranked if name in item.results]
        assert outcome.results.get(name) == (holders[0] if holders else None)
    statuses = [item.status for item in ranked if item.status]
    assert outcome.status == (statuses[0] if statuses else None)
    sources = [item.source for item in ranked if item.source]
    assert outcome.source == (sources[0] if sources else None)


# Path prefixes


@pytest.mark.parametrize(
    ("prefixes", "path", "mapped"),
    [
        ([("/work", "/pub")], "/work/a.png", "/pub/a.png"),
        ([("/work", "/pub")], "/work", "/pub"),
        ([("/work", "/pub")], "/workshop/a.png", "/workshop/a.png"),
        ([("/work", "/pub")], "x/work/a.png", "x/work/a.png"),
        ([("/work/", "/pub/")], "/work/a.png", "/pub/a.png"),
        ([("/work", "/pub"), ("/work/ab", "/ab")], "/work/ab/x", "/ab/x"),
        ([("/work/ab", "/ab"), ("/work", "/pub")], "/work/abc/x", "/pub/abc/x"),
        ([("/", "/root")], "/a/b", "/root/a/b"),
        ([("/work", "/")], "/work/a", "/a"),
        ([("/work", "/")], "/work", "/"),
        ([("/work", "")], "/work/a/b", "a/b"),
        ([("/work", "")], "/work", "."),
        ([("work", "pub")], "work/a", "pub/a"),
        ([("/a", "/a/b")], "/a/x", "/a/b/x"),
        ([("/work", "s3://bucket/run")], "/work/a.png", "s3://bucket/run/a.png"),
        ([("s3://", "/mnt/s3")], "s3://bucket/x", "/mnt/s3/bucket/x"),
    ],
)
def test_prefixes_end_where_a_component_ends(
    prefixes: list[tuple[str, str]], path: str, mapped: str
) -> None:
    assert PathPrefixes(prefixes).replace(path) == mapped


def test_a_prefix_is_written_old_equals_new() -> None:
    assert parse_path_prefix("/a=/b=c") == ("/a", "/b=c")
    assert parse_path_prefix("/a=") == ("/a", "")
    for wrong in ("/a", "=/b", ""):
        with pytest.raises(PipestatDataError, match="write OLD=NEW"):
            parse_path_prefix(wrong)


def test_paths_are_mapped_where_the_schema_says_file_or_image() -> None:
    level = parse_output_schema(yaml.safe_load(SCHEMA)).levels["sample"]
    image = {"path": "/w/a.png", "title": "/w/t", "thumbnail_path": "/w/b.png"}
    values = {
        "note": "/w/x",
        "plot": {**image, "thumbnail": "/w/c.png"},
        "plots": [image, image],
        "either": {"path": "/w/e", "title": "e"},
        "table": {"/w/k": {"log": {"path": "/w/l", "title": "l", "more": "/w"}, "path": "/w/p"}},
        # Not declared: known by its shape.
        "extra": {"deep": [{"path": "/w/z", "title": "z"}, {"path": "/w/q", "title": 1}]},
    }
    moved = {"path": "/p/a.png", "title": "/w/t", "thumbnail_path": "/p/b.png"}
    assert map_paths(values, level, PathPrefixes([("/w", "/p")])) == {
        "note": "/w/x",
        "plot": {**moved, "thumbnail": "/p/c.png"},
        "plots": [moved, moved],
        "either": {"path": "/p/e", "title": "e"},
        "table": {"/w/k": {"log": {"path": "/p/l", "title": "l", "more": "/w"}, "path": "/w/p"}},
        "extra": {"deep": [{"path": "/p/z", "title": "z"}, {"path": "/w/q", "title": 1}]},
    }


def test_each_path_is_mapped_once_even_when_new_continues_old(make_store: MakeStore) -> None:
    store = make_store()
    plot = {"path": "/a/p.png", "title": "t", "thumbnail": "/a/t.png"}
    ingest(store, [document(results={"plot": plot})], path_prefixes=[("/a", "/a/b")])
    assert sample(store).results["plot"] == {
        "path": "/a/b/p.png",
        "title": "t",
        "thumbnail_path": "/a/b/t.png",
    }


# The document itself


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"pipestat_report": "2.0"},
            "pipestat_report: version '2.0' of report documents is not known; write '1.0'",
        ),
        ({"pipestat_report": "1"}, "pipestat_report: version '1' of report documents is not known"),
        ({"pipestat_report": 1.0}, "pipestat_report: 1.0 is not a string"),
        ({"level": "samples"}, "level: 'samples' is not a level; did you mean 'sample'?"),
        ({"record_identifier": 7}, "record_identifier: record identifier 7 is not a string"),
        ({"namespace": ""}, "namespace: the pipeline name is empty"),
        ({"results": [1]}, "results: [1] is not an object"),
        ({"results": {"n": float("nan")}}, "result 'n': nan is not a JSON number; report null"),
        ({"results": {"n": 2**63}}, "result 'n': the integer 9223372036854775808 is outside"),
        ({"results": {"t": "a\0"}}, "result 't': the string holds a NUL character"),
        ({"status": ["failed"]}, "status: ['failed'] is not a string"),
        ({"status": None}, "status: null says nothing; leave the key out"),
        ({"status_message": "x"}, "status_message stands without a status; add the status"),
        ({"time": "2026-01-31"}, "time: '2026-01-31' is not a time with an offset; write it as"),
        ({"time": "2026-01-31T12:00:00"}, "time: '2026-01-31T12:00:00' is not a time with an"),
        ({"time": "2026-13-31T12:00:00Z"}, "time: '2026-13-31T12:00:00Z' is not a time"),
        ({"source": "nextflow"}, "source: 'nextflow' is not an object"),
        ({"source": {"attempt": 0}}, "source.attempt: 0 is not at least 1"),
        ({"source": {"attempt": True}}, "source.attempt: True is not an integer"),
        ({"source": {"task": 12}}, "source.task: 12 is not a string"),
        ({"Results": {}}, "unknown key 'Results'; did you mean 'results'?"),
        ({"zzz": {}}, "unknown key 'zzz'; known keys are pipestat_report, namespace, level,"),
    ],
)
def test_a_wrong_document_is_told_in_one_line(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_report_document({**document(results={"n": 1}), **changes}, "f.json")
    problems: Any = caught.value.data["problems"]
    (line,) = problems
    assert line.startswith(f"f.json: {problem}")
    assert "pydantic" not in line
    assert "http" not in line


@pytest.mark.parametrize("missing", ["pipestat_report", "record_identifier"])
def test_what_is_required(missing: str) -> None:
    content = document(status="failed")
    del content[missing]
    with pytest.raises(DocumentError, match=f"the key '{missing}' is missing"):
        parse_report_document(content)


def test_a_document_comes_back_as_it_was_given() -> None:
    content = document(results={"n": [1, None]}, source={"attempt": 3, "lane": {"x": 1}})
    assert parse_report_document(content).to_dict() == content
    assert parse_report_document(content).source_dict() == {"attempt": 3, "lane": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31 12:00:00.5+02:00", datetime(2026, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_times_of_documents(text: str, moment: datetime) -> None:
    assert parse_report_document(document(status="failed", time=text)).time == moment
