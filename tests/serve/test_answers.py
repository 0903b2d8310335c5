"""What the API answers, from stores of two kinds; expected values as reported."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from pipestat_serve.documents import Documents, Part
from pipestat_serve.feed import Feed
from pipestat_serve.files import ServedLinks
from pipestat_serve.metrics import Metrics
from pipestat_serve.served import open_stores

from pipestat_spec import PipestatManager
from tests.serve.conftest import Serve
from tests.serve.servers import Server, until
from tests.sql.servers import PostgresServer

SCHEMA = """
title: RNA
pipeline_name: rnaseq
samples:
  reads: {type: integer, description: number of reads, highlight: true, qc: {fail: "value > 50"}}
  genome: {type: string, description: genome}
  align: {type: object, description: alignment, properties: {rate: {type: number}}}
  report: {type: file, description: a report}
  big: {type: integer, description: a large number}
project:
  total: {type: integer, description: of all}
"""
HOSTILE = "../../etc/passwd"
ODD = "a/b ?#%&ü.\u2028"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file and a database with the same records, and files that they report."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "schema.yaml").write_text(SCHEMA)
    (folder / "files").mkdir()
    (folder / "files" / "own.txt").write_text("own text")
    (folder / "files" / "page.html").write_text("<script>alert(1)</script>")
    (folder / "outside.txt").write_text("secret")
    (folder / "files" / "link.txt").symlink_to(folder / "outside.txt")
    for place in ("results.yaml", "results.db"):
        with PipestatManager(
            schema_path=folder / "schema.yaml", results_file_path=folder / place
        ) as psm:
            psm.report_many({f"s{i:02}": {"reads": i, "genome": "hg38"} for i in range(30)})
            psm.report({"align": {"rate": 0.5}, "big": 2**60, "genome": "mm10"}, ODD)
            psm.report({"reads": 100}, "s00")
            psm.set_status("failed", "s01")
            psm.set_status("completed", "s02")
            psm.report({"total": 30}, "lab", level="project")
            paths = {
                "own": "files/own.txt",
                "page": "files/page.html",
                "up": f"files/../{HOSTILE}",
                "absolute": "/etc/passwd",
                "beside": "outside.txt",
                "linked": "files/link.txt",
                "web": "https://example.org/x.txt",
                "folder": "files",
                "missing": "files/none.txt",
            }
            for name, path in paths.items():
                psm.report({"report": {"path": path, "title": name}}, f"file {name}")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    started = Server(folder, "results.yaml", "results.db", "-s", "schema.yaml", "--files", "files")
    yield started
    assert started.process.poll() is None, started.told
    started.kill()


@pytest.fixture(params=["rnaseq", "rnaseq-2"])
def store(request: pytest.FixtureRequest) -> str:
    return f"/api/v1/stores/{request.param}"


def test_the_stores_with_their_counts(server: Server) -> None:
    found = server.get("/api/v1/stores").json()
    assert [one["store"] for one in found["records"]] == ["rnaseq", "rnaseq-2"]
    for one, kind, place in zip(
        found["records"], ("yaml", "sql"), ("results.yaml", "results.db"), strict=True
    ):
        assert one["title"] == "RNA"
        assert one["backend"] == kind
        assert one["location"].endswith(place)
        counts = one["records"]["sample"]
        assert (counts["count"], counts["statuses"]) == (40, {"failed": 1, "completed": 1})
        # 30 have reads, one of them too many.
        expected = {"fail": 1, "warn": 0, "pass": 29, "not judged": 10}
        assert counts["verdicts"] == expected
        assert one["records"]["project"]["count"] == 1
    page = server.get("/", Accept="text/html").body.decode()
    assert 'href="s/rnaseq-2/"' in page
    assert "failed <b>1</b>" in page


def test_pages_go_through_all_records(server: Server, store: str) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = urlencode({"limit": 7, "columns": "reads", "where": "genome = 'hg38'"})
        answer = server.get(f"{store}/records?{query}" + (f"&cursor={cursor}" if cursor else ""))
        page = answer.json()
        assert page["total_size"] == 30
        assert len(page["records"]) <= 7
        seen += [one["record_identifier"] for one in page["records"]]
        assert all(set(one) == {"record_identifier", "reads"} for one in page["records"])
        cursor = page["next_page_token"]
    assert seen == [f"s{i:02}" for i in range(30)]


def test_one_record_with_a_name_of_any_kind(server: Server, store: str) -> None:
    found = server.get(f"{store}/record?{urlencode({'record_identifier': ODD})}").json()
    assert found["record_identifier"] == ODD
    assert found["results"] == {"align": {"rate": 0.5}, "big": 2**60, "genome": "mm10"}
    assert server.get(f"{store}/record?record_identifier=lab&level=project").json()["results"] == {
        "total": 30
    }


def test_lines_of_all_records(server: Server, store: str) -> None:
    answer = server.get(f"{store}/records.jsonl?{urlencode({'where': 'reads >= 20'})}")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [one["reads"] for one in lines] == [100, *range(20, 30)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/distinct?columns=genome", [{"genome": None}, {"genome": "hg38"}, {"genome": "mm10"}]),
        ("/statuses?where=status+%3D+%27failed%27", [["s01", "failed"]]),
        ("/history?record_identifier=s00", [["reads", 0]]),
    ],
)
def test_lists(server: Server, store: str, path: str, expected: list[Any]) -> None:
    records = server.get(store + path).json()["records"]
    named = {"distinct": None, "statuses": ("record_identifier", "status")}
    keys = named.get(path[1:].partition("?")[0], ("result", "value"))
    found = records if keys is None else [[one[key] for key in keys] for one in records]
    if keys is None:
        # A record without any of the columns is left out.
        expected = [row for row in expected if row["genome"] is not None]
    assert found == expected


def test_verdicts(server: Server, store: str) -> None:
    query = urlencode({"where": "reads >= 28"})
    found = server.get(f"{store}/verdicts?{query}").json()["records"]
    told = [(one["record_identifier"], one["verdict"]) for one in found]
    assert told == [("s00", "fail"), ("s28", "pass"), ("s29", "pass")]
    assert found[0]["reasons"][0]["values"] == {"reads": 100}
    assert server.get(f"{store}/record?record_identifier=s00").json()["verdict"] == "fail"
    assert server.get(f"{store}/verdicts?level=project").status == 404


def test_schema_and_statuses(server: Server, store: str) -> None:
    schema = server.get(f"{store}/schema").json()
    assert schema["highlighted"]["sample"] == ["reads"]
    assert schema["levels"]["sample"]["align"]["properties"]["rate"]["type"] == "number"
    defined = [one["status"] for one in server.get(f"{store}/statuses/defined").json()["records"]]
    assert defined == ["running", "completed", "failed", "waiting", "partial"]


@pytest.mark.parametrize("kind", ["record?record_identifier=s03", "records?limit=5", "document"])
def test_an_etag_lasts_until_something_changes(
    server: Server, store: str, folder: Path, kind: str
) -> None:
    # Two changes within a tick of the clock leave one trace: shortly after one there is no ETag.
    first = until(lambda: (a := server.get(f"{store}/{kind}")) and "etag" in a.headers and a)
    again = server.get(f"{store}/{kind}", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    place = "results.db" if store.endswith("-2") else "results.yaml"
    with PipestatManager(
        schema_path=folder / "schema.yaml", results_file_path=folder / place
    ) as psm:
        # Of another record too: what a store can tell is whether anything has changed.
        psm.set_status("running", "s09")
        psm.clear_status("s09")
    changed = server.get(f"{store}/{kind}", If_None_Match=first.headers["etag"])
    assert changed.status == 200
    later = until(lambda: server.get(f"{store}/{kind}").headers.get("etag"))
    assert later != first.headers["etag"]


def test_answers_are_packed(server: Server, store: str) -> None:
    for path in ("records?limit=1000", "document", "records.jsonl"):
        plain = server.get(f"{store}/{path}", Accept_Encoding="identity")
        packed = server.get(f"{store}/{path}", Accept_Encoding="gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        if path != "document":
            assert gzip.decompress(packed.body) == plain.body


def test_paths_of_pipestats_reader(server: Server) -> None:
    assert server.get("/data/s05").json()["result"]["reads"] == 5
    assert server.get("/data/s05/reads").json() == {"result": 5}
    assert server.get("/data/").json()["result"]["total_size"] == 40
    assert server.get("/all_table_contents/").json()["table_contents"]["total_size"] == 40
    schema = server.get("/output_schema/?pipeline_type=project").json()["output schema"]
    assert schema["total"]["type"] == "integer"
    files = server.get("/file/").json()["records_by_filetype"]
    assert {
        "record_identifier": "file own",
        "result_identifier": "report",
        "path": "files/own.txt",
    } in files
    body = {"column_names": ["reads"], "filter_conditions": [["reads", "ge", 28]]}
    found = server.get("/filtered_table_contents/", "POST", body).json()["response"]
    assert [one["reads"] for one in found["records"]] == [100, 28, 29]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("records?where=reads+%3E", 400, "filter"),
        ("records?limit=0", 422, "limit"),
        ("records?limit=99999999999999999999", 422, "limit"),
        ("records?level=nothing", 422, "level"),
        ("record", 422, "record_identifier"),
        ("record?record_identifier=nobody", 404, "nobody"),
        ("record?record_identifier=%00", 400, "record"),
        ("history?record_identifier=nobody", 404, "nobody"),
        ("file?record_identifier=s01&result=report", 404, "no file"),
        ("nothing", 404, "Not Found"),
    ],
)
def test_what_is_wrong_is_told(
    server: Server, store: str, path: str, status: int, told: str
) -> None:
    answer = server.get(f"{store}/{path}")
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert told in body["detail"]


FILES = [
    ("own", 200),
    ("page", 200),
    ("up", 404),
    ("absolute", 404),
    ("beside", 404),
    ("linked", 404),
    ("web", 404),
    ("folder", 404),
    ("missing", 404),
]


@pytest.mark.parametrize(("name", "status"), FILES)
def test_files_only_from_allowed_folders(
    server: Server, name: str, status: int, folder: Path
) -> None:
    store = "/api/v1/stores/rnaseq"
    query = urlencode({"record_identifier": f"file {name}"})
    answer = server.get(f"{store}/file?{query}&result=report")
    assert answer.status == status
    (entry,) = server.get(f"{store}/files?{query}").json()["records"]
    if status != 200:
        assert b"secret" not in answer.body
        assert entry["href"] is None or entry["href"].startswith("https://")
        return
    assert answer.body == (folder / entry["path"]).read_bytes()
    assert server.get(f"{store}/{entry['href']}").body == answer.body
    # What a pipeline wrote runs nothing here.
    assert "sandbox" in answer.headers["content-security-policy"]
    way = "attachment" if name == "page" else "inline"
    assert answer.headers["content-disposition"].startswith(way)


def test_files_stay_away_without_an_allowed_folder(folder: Path) -> None:
    server = Server(folder, "results.yaml")
    try:
        query = urlencode({"record_identifier": "file own", "result": "report"})
        assert server.get(f"/api/v1/stores/rnaseq/file?{query}").status == 404
    finally:
        server.kill()


def test_events_tell_what_changes(server: Server, store: str, folder: Path) -> None:
    name = store.rpartition("/")[2]
    place = "results.db" if name.endswith("-2") else "results.yaml"
    cursor = server.get(f"{store}/document").headers["pipestat-cursor"]
    events = server.events(name, cursor)
    assert next(events)[0] == "beat"
    with PipestatManager(
        schema_path=folder / "schema.yaml", results_file_path=folder / place
    ) as psm:
        psm.report({"reads": 7}, "new")
        last, table = _change(events, "new")
        assert (table["ids"], table["status"]) == (["new"], [None])
        psm.set_status("running", "new")
        _, table = _change(events, "new")
        assert table["status"] == ["running"]
        psm.remove_record("new", rm_record=True)
        kind, _, data = next(event for event in events if event[0] != "beat")
        assert (kind, data["removed"]["sample"]) == ("change", ["new"])
        events.close()  # type: ignore[attr-defined]
    # Who comes back hears what was missed; who comes from another start reads all again.
    missed = server.events(name, "", Last_Event_ID=last)
    assert [kind for kind, _, _ in (next(missed), next(missed), next(missed))] == [
        "beat",
        "change",
        "change",
    ]
    assert next(e for e in server.events(name, "other-3") if e[0] != "beat")[0] == "reset"


def test_a_server_of_databases(serve: Serve, postgres: PostgresServer) -> None:
    address = postgres.url(postgres.new_database())
    with PipestatManager(results_file_path=address, pipeline_name="p") as psm:
        psm.report({"n": 1}, "a")
        server = serve(address)
        (entry,) = server.get("/api/v1/stores").json()["records"]
        assert entry["location"].startswith("postgresql")
        cursor = server.get("/api/v1/stores/p/document").headers["pipestat-cursor"]
        events = server.events("p", cursor)
        psm.set_status("failed", "a")
        _, table = _change(events, "a")
        assert table["status"] == ["failed"]


def _change(events: Iterator[tuple[str, str, Any]], name: str) -> tuple[str, Any]:
    """Return id and table of the next change that is about a record."""
    for kind, cursor, data in events:
        if kind == "change" and data["sample"] and name in data["sample"]["ids"]:
            return cursor, data["sample"]
    raise AssertionError("the events ended")


def test_one_who_reads_slowly_gets_one_word(folder: Path) -> None:
    """What waits is bounded: it is replaced by `reset`, and others are not held up."""
    served = open_stores([str(folder / "results.yaml")], {})[0]
    feed = Feed(served, Documents(served, ServedLinks((), ""), None), Metrics())

    async def follow() -> tuple[list[bytes], list[bytes]]:
        slow, quick = await feed.events(feed.cursor()), await feed.events(feed.cursor())
        first = [await anext(slow), await anext(quick)]
        assert all(b"event: beat" in one for one in first)
        seen = []
        for number in range(200):
            feed.publish("change", {"number": number})
            seen.append(await anext(quick))
        late = []
        while not late or b'"number":199' not in late[-1]:
            late.append(await anext(slow))
        await slow.aclose()  # type: ignore[attr-defined]
        await quick.aclose()  # type: ignore[attr-defined]
        return seen, late

    seen, late = asyncio.run(follow())
    assert [json.loads(one.split(b"data: ")[1])["number"] for one in seen] == list(range(200))
    assert len(late) < 100
    assert b"event: reset" in late[0]
    served.store.close()


def test_many_ask_at_once(server: Server, store: str) -> None:
    answers: list[int] = []
    ask = lambda: answers.append(server.get(f"{store}/records?limit=40").status)  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 30


def test_a_store_that_cannot_be_read_is_told_and_comes_back(
    tmp_path: Path,
) -> None:
    with PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="p") as psm:
        psm.report({"n": 1}, "s")
    server = Server(tmp_path, "r.yaml")
    try:
        good = (tmp_path / "r.yaml").read_text()
        cursor = server.get("/api/v1/stores/p/document").headers["pipestat-cursor"]
        events = server.events("p", cursor)
        (tmp_path / "r.yaml").write_text("p: {: [")
        kind, _, data = next(event for event in events if event[0] != "beat")
        assert kind == "trouble"
        assert "r.yaml" in data["problem"]
        answer = server.get("/api/v1/stores/p/records")
        assert answer.status == 503
        assert "r.yaml" in answer.json()["detail"]
        (tmp_path / "r.yaml").write_text(good)
        assert next(event for event in events if event[0] != "beat")[0] in ("reset", "change")
        until(lambda: server.get("/api/v1/stores/p/records").status == 200)
    finally:
        server.kill()


def test_quoted_names_stay_names(server: Server) -> None:
    for name in (HOSTILE, "..", "%2e%2e%2fx", "s01\x00", "<script>"):
        answer = server.get(f"/data/{quote(name, safe='')}")
        assert answer.status in (400, 404), name
        assert b"root:" not in answer.body


def test_each_project_of_a_database_is_a_store(serve: Serve, tmp_path: Path) -> None:
    for project in ("north", "south"):
        with PipestatManager(
            results_file_path=tmp_path / "r.db", pipeline_name="p", project_name=project
        ) as psm:
            psm.report({"where": project}, "a")
    server = serve("r.db")
    found = server.get("/api/v1/stores").json()["records"]
    assert [(one["store"], one["title"]) for one in found] == [
        ("p", "p · north"),
        ("p-2", "p · south"),
    ]
    record = server.get("/api/v1/stores/p-2/record?record_identifier=a").json()
    assert record["results"] == {"where": "south"}


def test_many_documents_at_once_are_made_once_or_twice(folder: Path) -> None:
    """Also shortly after a change, when nothing tells whether there was another one."""
    served = open_stores([str(folder / "results.yaml")], {})[0]
    documents = Documents(served, ServedLinks((), ""), None)
    made: list[bytes] = []
    start = threading.Barrier(20)

    def ask() -> None:
        start.wait()
        made.append(documents.packed(None, Part()))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each that is made is another object.
    assert len({id(one) for one in made}) < 10
    assert len(made) == 20
    served.store.close()
