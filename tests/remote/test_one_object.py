"""One object on S3: what is stored, and with how many requests."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import LayoutError, ResultConflictError
from tests.commands import pipestat_spec
from tests.remote.conftest import Managers, Place


def test_a_report_is_a_get_and_a_put(place: Place, manager: Managers) -> None:
    psm = manager()
    assert psm.report({"n": 1}, "s1")
    assert place.proxy.requests() == ["GET", "PUT"]
    psm.report({"n": 2}, "s1")
    assert place.proxy.requests() == ["GET", "PUT"]
    psm.report({"n": 2}, "s1")
    assert place.proxy.requests() == ["GET"]
    assert psm.retrieve_one("s1", "n") == 2
    assert place.proxy.requests() == ["GET"]
    assert place.bucket.results() == {"s1": {"n": 2}}
    assert place.bucket.names() == ["run/results.yaml"]


def test_the_name_of_the_pipeline_costs_no_request(place: Place, manager: Managers) -> None:
    manager().report({"n": 1}, "s1")
    place.proxy.requests()
    found = PipestatManager.from_config({**place.config, "pipeline_name": None})
    assert found.pipeline_name == "demo"
    found.report({"n": 2}, "s2")
    assert place.proxy.requests() == ["GET", "PUT"]


def test_a_command_is_a_get_and_a_put(place: Place, tmp_path: Path) -> None:
    command = ["report", "-f", place.url, "-r", "s1", "n:=1", "--status", "running"]
    pipestat_spec(*command, cwd=tmp_path, AWS_ENDPOINT_URL=place.proxy.url)
    assert place.proxy.requests() == ["GET", "PUT"]
    # The same again changes nothing, which is for the present object to say.
    pipestat_spec(*command, cwd=tmp_path, AWS_ENDPOINT_URL=place.proxy.url)
    assert place.proxy.requests() == ["GET", "GET"]


def test_results_and_status_are_one_put(place: Place, manager: Managers) -> None:
    psm = manager()
    with psm.record("s1") as run:
        run.report(n=1)
    assert place.bucket.document()["demo"]["s1"]["meta"]["status"] == "completed"
    assert psm.get_status("s1") == "completed"
    place.proxy.requests()
    psm.report_many({"s2": {"n": 2}, "s3": {"n": 3}})
    assert place.proxy.requests() == ["GET", "PUT"]
    psm.set_status("failed", "s2")
    assert place.proxy.requests() == ["GET", "PUT"]
    assert psm.clear_status("s2") == ["failed"]
    assert "status" not in place.bucket.document()["demo"]["s2"]["meta"]
    assert place.bucket.names() == ["run/results.yaml"]


def test_five_hundred_documents_are_one_put(
    place: Place, manager: Managers, tmp_path: Path
) -> None:
    documents = [
        {
            "pipestat_report": "1.0",
            "record_identifier": f"s{number}",
            "results": {"n": number},
            "status": "completed",
        }
        for number in range(500)
    ]
    file = tmp_path / "all.pipestat.json"
    file.write_text(json.dumps(documents))
    report = manager().ingest([file])
    assert report.changed == 500
    assert len(place.proxy.requests()) <= 4
    assert len(place.bucket.results()) == 500
    assert manager().ingest([file]).changed == 0


def test_the_last_record_leaves_the_object(place: Place, manager: Managers) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    psm.remove_record("s1", rm_record=True)
    assert place.bucket.document() == {"demo": {}}
    assert psm.count_records() == 0


def test_a_refused_report_puts_nothing(place: Place, manager: Managers) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    before = place.bucket.headers("run/results.yaml")["etag"]
    place.proxy.requests()
    assert psm.report({"n": 2}, "s1", force_overwrite=False) is False
    assert place.proxy.requests() == ["GET"]
    assert place.bucket.headers("run/results.yaml")["etag"] == before


def test_what_opening_saw_refuses_nothing(place: Place, manager: Managers) -> None:
    # What was read when the store was opened may be old by the time of the first report.
    psm, other = manager(force_overwrite=False), manager()
    other.report({"n": 1}, "s1")
    early = manager(force_overwrite=False)
    other.report({"n": 2}, "s1")
    assert early.report({"n": 2}, "s1")
    assert psm.report({"n": 3}, "s1") is False
    assert place.bucket.results() == {"s1": {"n": 2}}


def test_what_opening_saw_leaves_nothing_as_it_is(place: Place, manager: Managers) -> None:
    other = manager()
    other.report({"n": 1}, "s1")
    early, careful = manager(), manager(force_overwrite=False)
    other.report({"n": 2}, "s1")
    # To both of them it looks as if 1 were stored.
    assert careful.report({"n": 1}, "s1") is False
    assert early.report({"n": 1}, "s1")
    assert place.bucket.results() == {"s1": {"n": 1}}


def test_settings_and_object_that_disagree(place: Place, manager: Managers) -> None:
    place.bucket.put("run/results.yaml", b"other: {s1: {n: 1}}\n")
    with pytest.raises(LayoutError, match=f"s3://{place.bucket.name}/run/results.yaml holds"):
        manager()
    manager(multi_pipelines=True).report({"n": 2}, "s2")
    assert place.bucket.results(namespace="other") == {"s1": {"n": 1}}
    assert place.bucket.results() == {"s2": {"n": 2}}


def test_the_environment_names_the_server(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.proxy.url)
    psm = PipestatManager(results_file_path=place.url, pipeline_name="demo")
    psm.report({"n": 1}, "s1")
    assert place.proxy.requests() == ["GET", "PUT"]


def test_metadata_of_others_stays(place: Place, manager: Managers) -> None:
    place.bucket.put("run/results.yaml", b"demo: {s1: {n: 1}}\n", x_amz_meta_owner="ann")
    manager().report({"n": 2}, "s2")
    headers = place.bucket.headers("run/results.yaml")
    assert headers["x-amz-meta-owner"] == "ann"
    assert len(headers["x-amz-meta-pipestat-writes"].split()) == 1


def test_the_list_of_writes_has_an_end(place: Place, manager: Managers) -> None:
    place.bucket.put("run/results.yaml", b"", x_amz_meta_owner="x" * 1000)
    psm = manager()
    for number in range(70):
        psm.report({"n": number}, "s1", history_enabled=False)
    headers = place.bucket.headers("run/results.yaml")
    meta = {k: v for k, v in headers.items() if k.startswith("x-amz-meta-")}
    assert sum(len(k) + len(v) for k, v in meta.items()) <= 2048
    writes = meta["x-amz-meta-pipestat-writes"].split()
    assert len(writes) == len(set(writes)) == 61
    assert writes[-1] == "+"


def test_a_store_says_what_it_can(manager: Managers) -> None:
    claimed = {str(capability) for capability in manager().store.backend.capabilities}
    assert claimed == {
        *("atomic-batch", "concurrent-writers", "durable", "exact-integers", "history"),
        *("multi-namespace", "project-level", "source", "status", "status-times", "times"),
    }


def test_keys_are_in_no_log(
    place: Place, manager: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {**place.options, "key": "AKIAOTHERKEY", "secret": "othersecret"}
    with caplog.at_level(logging.WARNING):
        psm = manager(storage_options=options)
        psm.report({"n": 1}, "s1")
    assert "othersecret" not in caplog.text + repr(psm) + str(psm) + repr(vars(psm))
    assert not issubclass(ResultConflictError, OSError)
