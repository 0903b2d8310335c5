"""`remove`, `status set|get|clear`, `init`, `convert`, `ingest`, `infer-schema`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.cli.runs import Run, stored


def test_remove_one_and_several_results(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1", "name=x", "ok=true")
    run("remove", "-r", "s1", "-i", "reads")
    assert stored(store) == {"name": "x", "ok": True}
    assert '"reads"' in run("history", "-r", "s1", "--format", "json").out
    before = store.read_bytes()
    done = run("remove", "-r", "s1", "-i", "name", "-i", "zzz", code=1)
    assert "'zzz'" in done.err
    assert store.read_bytes() == before
    assert run("remove", "-r", "s1", "-i", "name", "-i", "ok").err == "s1: removed name, ok\n"
    assert stored(store) == {}


def test_a_whole_record_goes_only_when_asked_for(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1", "--status", "running")
    run("report", "-r", "s2", "reads=2")
    before = store.read_bytes()
    assert "--whole-record" in run("remove", "-r", "s1", code=1).err
    run("remove", "-r", "s1", "-i", "reads", "--whole-record", code=2)
    assert store.read_bytes() == before
    run("remove", "-r", "s1", "--whole-record")
    records = yaml.safe_load(store.read_text())["rnaseq"]["sample"]
    assert list(records) == ["s2"]
    assert not list(store.parent.glob("*.flag"))
    assert "'s1'" in run("remove", "-r", "s1", "--whole-record", code=1).err


def test_status(run: Run, store: Path) -> None:
    assert "there are no results at" in run("status", "get", "-r", "s1", code=1).err
    run("report", "-r", "s2", "reads=1")
    none = run("status", "get", "-r", "s1")
    assert (none.out, none.err) == ("", "s1: no such record, no status\n")
    assert run("status", "get", "-r", "s1", "--format", "json").out == "null\n"
    assert run("status", "set", "-r", "s1", "running").err == "s1: status running\n"
    run("status", "set", "failed", "-r", "s1", "--message", "-x and 'y'")
    assert run("status", "get", "-r", "s1").out == "failed\n"
    assert run("status", "get", "-r", "s1", "--format", "json").out == '"failed"\n'
    assert [flag.name for flag in store.parent.glob("*.flag")] == ["rnaseq_s1_failed.flag"]
    assert run("status", "clear", "-r", "s1").err == "s1: status failed cleared\n"
    assert run("status", "clear", "-r", "s1").err == "s1: there was no status\n"
    assert not list(store.parent.glob("*.flag"))


def test_since_when_a_status_stands(run: Run, folder: Path) -> None:
    run("status", "set", "-f", "x.db", "-r", "s1", "running")
    run("report", "-f", "x.db", "-r", "s2", "reads=1")
    listed = json.loads(run("status", "list", "-f", "x.db", "--format", "json").out)["records"]
    assert [one["status"] for one in listed] == ["running", None]
    since = listed[0]["status_time"]
    assert datetime.fromisoformat(since) <= datetime.now(UTC)
    assert listed[1]["status_time"] is None
    table = run("status", "list", "-f", "x.db", "--format", "tsv").out.splitlines()
    assert table == [
        "record_identifier\tstatus\tstatus_time\tstatus_message",
        f"s1\trunning\t{since}\t",
        "s2\t\t\t",
    ]
    found = run("status", "get", "-f", "x.db", "-r", "s1")
    assert (found.out, found.err) == ("running\n", f"s1: since {since}\n")
    assert run("status", "get", "-f", "x.db", "-r", "s1", "-q").err == ""
    records = json.loads(run("select", "-f", "x.db", "--format", "json").out)["records"]
    assert [record["status_time"] for record in records] == [since, None]
    chosen = run("select", "-f", "x.db", "--columns", "status_time", "--format", "csv").out
    assert chosen == f"record_identifier,status_time\ns1,{since}\ns2,\n"


def test_status_get_says_why(run: Run, folder: Path) -> None:
    run("status", "set", "-f", "x.db", "-r", "s1", "failed", "-m", "no reads\nin lane 2")
    found = run("status", "get", "-f", "x.db", "-r", "s1")
    assert found.out == "failed\n"
    assert re.fullmatch(r"s1: since [-0-9T:.]+Z: no reads in lane 2\n", found.err)


def test_a_status_that_is_not_defined(run: Run, folder: Path) -> None:
    done = run("status", "set", "-f", "r.yaml", "-r", "s1", "done", code=1)
    assert "'done' is not defined; defined are running, completed" in done.err
    (folder / "statuses.yaml").write_text("done: {description: done, color: [0, 0, 0]}\n")
    run("status", "set", "-f", "r.yaml", "--status-schema", "statuses.yaml", "-r", "s1", "done")
    assert (folder / "default_pipeline_name_s1_done.flag").exists()


def test_flags_go_where_they_are_wanted(run: Run, store: Path) -> None:
    run("status", "set", "-r", "s1", "running", "--flag-dir", "flags")
    assert (store.parent / "flags" / "rnaseq_s1_running.flag").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["status"], "set, get, clear, list"),
        (["status", "sett"], "did you mean 'set'"),
        (["status", "set", "-r", "s1"], "STATUS"),
        (["status", "set", "-r", "s1", "running", "failed"], "failed"),
    ],
)
def test_wrong_usage_of_status(run: Run, store: Path, arguments: list[str], part: str) -> None:
    assert part in run(*arguments, code=2).err


# init


def test_init_writes_files_that_work(run: Run, folder: Path) -> None:
    run("init", "new/project")
    place = folder / "new" / "project"
    config = str(place / "pipestat.yaml")
    run("validate", "-c", config)
    run("report", "-c", config, "-r", "s1", "reads=12")
    assert stored(place / "results.yaml") == {"reads": 12}
    before = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
    done = run("init", "-g", "new/project", code=1)
    assert "nothing was written" in done.err
    assert {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()} == before
    (place / "output_schema.yaml").write_text("mine")
    run("init", "-o", "new/project")
    assert (place / "output_schema.yaml").read_text() != "mine"


def test_init_keeps_a_single_existing_file(run: Run, folder: Path) -> None:
    (folder / "output_schema.yaml").write_text("mine")
    assert "output_schema.yaml exists already" in run("init", code=1).err
    assert sorted(path.name for path in folder.iterdir()) == ["output_schema.yaml", "schema.yaml"]


# convert


def test_convert_to_the_other_layout_and_back(run: Run, folder: Path) -> None:
    run("report", "-f", "a.yaml", "-r", "s1", "a:=1", "--status", "failed", "-m", "why")
    run("report", "-f", "a.yaml", "-r", "s1", "-o", "a:=2")
    assert "default_pipeline_name" in (folder / "a.yaml").read_text()
    done = run("convert", "a.yaml", "b/b.yaml", "--layout", "levels")
    assert done.err == "1 record: 1 copied, 0 replaced, 0 there already\n"
    document = yaml.safe_load((folder / "b" / "b.yaml").read_text())["default_pipeline_name"]
    assert set(document) == {"sample", "project"}
    assert run("status", "get", "-f", "b/b.yaml", "-r", "s1").out == "failed\n"
    for file in ("a.yaml", "b/b.yaml"):
        history = run("history", "-f", file, "-r", "s1", "--format", "json").out
        assert [(e["result"], e["value"]) for e in json.loads(history)["records"]] == [("a", 1)]
    again = run("convert", "a.yaml", "b/b.yaml", "--layout", "levels")
    assert again.err == "1 record: 0 copied, 0 replaced, 1 there already\n"
    run("report", "-f", "b/b.yaml", "-r", "s1", "-o", "a:=3")
    run("convert", "a.yaml", "b/b.yaml", code=1)
    run("convert", "a.yaml", "b/b.yaml", "-o")
    assert stored(folder / "b" / "b.yaml") == {"a": 2}


def test_convert_by_configuration(run: Run, folder: Path) -> None:
    run("report", "-f", "a.yaml", "-r", "s1", "a:=1")
    (folder / "c.yaml").write_text("results_file_path: 'out/{record_identifier}.yaml'\n")
    run("convert", "-q", "a.yaml", "c.yaml")
    assert stored(folder / "out" / "s1.yaml") == {"a": 1}


def test_convert_refuses_one_store_for_both(run: Run, folder: Path) -> None:
    run("report", "-f", "a.yaml", "-r", "s1", "a:=1")
    (folder / "link.yaml").symlink_to("a.yaml")
    before = (folder / "a.yaml").read_bytes()
    assert "the same store" in run("convert", "a.yaml", "link.yaml", code=1).err
    assert (folder / "a.yaml").read_bytes() == before


def test_convert_keeps_what_it_replaces(run: Run, folder: Path) -> None:
    run("report", "-f", "a.yaml", "-r", "s1", "a:=1")
    run("report", "-f", "b.db", "-r", "s1", "a:=2")
    run("convert", "-q", "-o", "a.yaml", "b.db")
    assert run("retrieve", "-f", "b.db", "-r", "s1", "-i", "a").out == "1\n"
    history = json.loads(run("history", "-f", "b.db", "-r", "s1", "--format", "json").out)
    assert [(entry["result"], entry["value"]) for entry in history["records"]] == [("a", 2)]


@pytest.mark.parametrize("target", ["all.yaml", "all/{record_identifier}.yaml", "all.db"])
def test_convert_copies_every_namespace(run: Run, folder: Path, target: str) -> None:
    for name in ("rna", "qc"):
        run("report", "-f", "both.db", "--pipeline-name", name, "-r", "s1", f"a={name}")
    done = run("convert", "both.db", target)
    assert done.err == "2 records: 2 copied, 0 replaced, 0 there already\n"
    for name in ("rna", "qc"):
        found = run("retrieve", "-f", target, "--pipeline-name", name, "-r", "s1", "-i", "a")
        assert found.out == f"{name}\n"
    run("convert", "-q", "both.db", "one.yaml", "--pipeline-name", "qc")
    assert set(yaml.safe_load((folder / "one.yaml").read_text())) == {"qc"}


def test_convert_of_several_namespaces_writes_none_when_one_is_refused(
    run: Run, folder: Path
) -> None:
    for name, value in (("qc", "a:=1"), ("rna", 'a="x"')):
        run("report", "-f", "both.db", "--pipeline-name", name, "-r", "s1", value)
    (folder / "plain.yaml").write_text("a: {type: integer}\n")
    assert "record 's1'" in run("convert", "both.db", "b.yaml", "-s", "plain.yaml", code=1).err
    assert not (folder / "b.yaml").exists()


# ingest


def document(record: str, **more: object) -> dict[str, object]:
    return {"pipestat_report": "1.0", "record_identifier": record, **more}


def test_ingest(run: Run, store: Path) -> None:
    jobs = store.parent / "jobs"
    jobs.mkdir()
    plot = {"path": "work/p.png", "title": "t"}
    (jobs / "a.pipestat.json").write_text(
        json.dumps(document("s1", results={"reads": 1, "plot": plot}, status="completed"))
    )
    (jobs / "b.pipestat.jsonl").write_text(json.dumps(document("s2", results={"reads": 2})) + "\n")
    (jobs / "other.json").write_text("{")
    arguments = ["ingest", "jobs", "--path-prefix", "work=/published"]
    done = run(*arguments)
    assert done.err == "ingested 2 documents: 2 records changed, 0 unchanged\n"
    assert stored(store) == {"reads": 1, "plot": {"path": "/published/p.png", "title": "t"}}
    before = store.read_bytes()
    assert "0 records changed, 2 unchanged" in run(*arguments).err
    assert store.read_bytes() == before


def test_ingest_names_every_wrong_document(run: Run, store: Path) -> None:
    good = store.parent / "good.pipestat.json"
    good.write_text(json.dumps(document("s1", results={"reads": 1})))
    bad = store.parent / "bad.pipestat.json"
    bad.write_text(json.dumps([document("s2", results={"reads": "x"}), document("s3")]))
    done = run("ingest", str(good), str(bad), code=1)
    assert [line.partition(":")[0] for line in done.err.splitlines()] == [
        "refused",
        "refused",
        "error",
    ]
    assert "'reads'" in done.err
    assert not store.exists()
    done = run("ingest", "--keep-going", str(good), str(bad), code=1)
    assert stored(store) == {"reads": 1}
    assert "ingested 1 document:" in done.err


def test_ingest_without_overwriting(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1")
    file = store.parent / "a.pipestat.json"
    file.write_text(json.dumps(document("s1", results={"reads": 2})))
    before = store.read_bytes()
    assert "'reads'" in run("ingest", "--no-overwrite", str(file), code=1).err
    assert store.read_bytes() == before
    run("ingest", str(file))
    assert stored(store) == {"reads": 2}
    run("ingest", code=2)


# infer-schema


def test_infer_schema(run: Run, folder: Path) -> None:
    run("report", "-f", "r.yaml", "-r", "s1", "a:=1", "b=x", "--pipeline-name", "p")
    run("report", "-f", "r.yaml", "-r", "s2", "a:=1.5", "b:=true")
    done = run("infer-schema", "-f", "r.yaml", "-o", "inferred.yaml")
    assert done.err.startswith("warning: ")
    schema = yaml.safe_load((folder / "inferred.yaml").read_text())
    assert schema["pipeline_name"] == "p"
    assert schema["samples"]["a"]["type"] == "number"
    assert json.loads(run("infer-schema", "-f", "r.yaml", "--format", "json").out) == schema
    assert "several types" in run("infer-schema", "-f", "r.yaml", "--strict", code=1).err
    run("infer-schema", code=2)
    assert "missing.yaml" in run("infer-schema", "-f", "missing.yaml", code=1).err


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"results_file_path": "r.yaml", "pipeline_name": "p"}),
        json.dumps({"pipeline_name": "p", "results_file_path": "r.yaml"}, indent=2),
        "{results_file_path: r.yaml, pipeline_name: p}\n",
        "# mine\n---\n'pipeline_name': p\n\"results_file_path\": r.yaml\n",
    ],
)
def test_convert_takes_any_form_of_a_configuration(run: Run, folder: Path, text: str) -> None:
    (folder / "from.json").write_text(text)
    (folder / "to.json").write_text(text.replace("r.yaml", "copy.yaml"))
    run("report", "-c", "from.json", "-r", "s1", "a=1")
    run("convert", "-q", "from.json", "to.json")
    assert yaml.safe_load((folder / "copy.yaml").read_text())["p"]["s1"]["a"] == "1"
    # What holds results and looks like one is none.
    (folder / "backend.yaml").write_text("backend:\n  s1: {a: 1}\nother: {}\n")
    run("convert", "-q", "backend.yaml", "b.yaml", "--pipeline-name", "backend")
    assert list(yaml.safe_load((folder / "b.yaml").read_text())) == ["backend"]


def test_convert_tells_what_is_wrong_in_a_configuration(run: Run, folder: Path) -> None:
    (folder / "c.json").write_text('{"results_file_path": "r.yaml",\n "backend": yaml]')
    (folder / "twice.json").write_text('{"backend": "yaml", "backend": "sql"}')
    assert "c.json: line 2, column 17: " in run("convert", "c.json", "x.yaml", code=1).err
    err = run("convert", "twice.json", "x.yaml", code=1).err
    assert "twice.json: the key 'backend' stands twice in one object" in err
    assert not (folder / "x.yaml").exists()


def test_convert_without_history(run: Run, folder: Path) -> None:
    for value in ("1", "2"):
        run("report", "-f", "a.yaml", "-o", "-r", "s1", f"a={value}")
    assert run("convert", "--no-history", "a.yaml", "b.yaml").err == (
        "1 record: 1 copied, 0 replaced, 0 there already\n"
    )
    [records] = yaml.safe_load((folder / "b.yaml").read_text()).values()
    assert records["s1"]["a"] == "2"
    assert "history" not in records["s1"]["meta"]
    run("convert", "-q", "a.yaml", "c.yaml")
    [records] = yaml.safe_load((folder / "c.yaml").read_text()).values()
    assert list(records["s1"]["meta"]["history"]["a"].values()) == ["1"]
    # What is replaced in the target is no history of the source.
    run("report", "-f", "b.yaml", "-o", "-r", "s1", "a=3")
    run("convert", "-q", "-o", "--no-history", "a.yaml", "b.yaml")
    [records] = yaml.safe_load((folder / "b.yaml").read_text()).values()
    assert list(records["s1"]["meta"]["history"]["a"].values()) == ["2", "3"]
