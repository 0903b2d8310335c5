"""Everything that is not S3: files, memory, the web, and what else fsspec knows."""

from __future__ import annotations

import functools
import http.server
import json
import logging
import subprocess
import sys
import threading
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import (
    MissingConfigDataError,
    PipestatError,
    UnsafeStoreError,
    UnsupportedOperation,
)
from tests.commands import pipestat_spec
from tests.environments import clean_environment

HELD = b"demo:\n  s1:\n    n: 1\n    meta:\n      status: completed\n  s2:\n    n: 2\n"


def opened(url: str, **more: Any) -> PipestatManager:
    return PipestatManager.from_config({"results_file_path": url, "pipeline_name": "demo", **more})


# The local path


@pytest.mark.parametrize("prefix", ["file://", "local://", "file://localhost"])
def test_file_urls_are_local_paths(tmp_path: Path, prefix: str) -> None:
    opened(f"{prefix}{tmp_path}/r.yaml", flag_file_dir=f"file://{tmp_path}/flags").set_status(
        "running", "s1"
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        *("r.yaml", ".r.yaml.lock", ".r.yaml.status"),
        "flags",
    }
    assert [path.name for path in (tmp_path / "flags").iterdir()] == ["demo_s1_running.flag"]


def test_remote_flags_of_a_local_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingConfigDataError, match="cannot be remote"):
        opened(str(tmp_path / "r.yaml"), flag_file_dir="s3://bucket/flags")


@pytest.mark.parametrize("url", ["results.yaml", "file:///tmp/{0}/results.yaml"])
def test_a_local_report_imports_no_fsspec(tmp_path: Path, url: str) -> None:
    script = (
        "import sys, json\n"
        "from pipestat_spec import PipestatManager\n"
        "psm = PipestatManager(results_file_path=sys.argv[1], pipeline_name='demo')\n"
        "psm.report({'n': 1}, 's1')\n"
        "psm.select_records()\n"
        "print(json.dumps([n for n in sys.modules if 'fsspec' in n or '.remote.' in n]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, url.format(uuid.uuid4().hex)],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = [] if "://" not in url else ["pipestat_yaml.remote.urls"]
    assert json.loads(done.stdout) == allowed


# Memory


@pytest.fixture
def memory() -> str:
    return f"memory://{uuid.uuid4().hex}/results.yaml"


def test_memory_is_shared_within_the_process(memory: str) -> None:
    import fsspec

    first, second = opened(memory), opened(memory)
    threads = [
        threading.Thread(target=(first, second)[i % 2].report, args=({"n": i}, f"s{i}"))
        for i in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.count_records() == second.count_records() == 20
    with fsspec.open(memory, "rb") as file:
        assert file.read().startswith(b"demo:\n  s")
    claimed = set(first.store.backend.capabilities)
    assert not claimed & {"durable", "concurrent-writers"}
    assert {"history", "status", "atomic-batch"} <= claimed


def test_one_object_for_each_record_in_memory(memory: str) -> None:
    psm = opened(memory.replace("results", "{record_identifier}"))
    psm.report_many({f"s{number}": {"n": number} for number in range(20)})
    psm.remove_record("s3", rm_record=True)
    assert psm.count_records() == 19
    assert psm.select_records(limit=2)["next_page_token"] == "s1"


# The web


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    root = tmp_path / "web"
    root.mkdir()
    (root / "results.yaml").write_bytes(HELD)
    handler = functools.partial(QuietHandler, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_reading_over_http(web: str) -> None:
    psm = opened(f"{web}/results.yaml")
    assert psm.retrieve_one("s1") == {"n": 1, "record_identifier": "s1"}
    assert psm.get_status("s1") == "completed"
    assert psm.select_records(where="n > 1")["records"] == [{"n": 2, "record_identifier": "s2"}]
    assert opened(f"{web}/results.yaml", pipeline_name=None).pipeline_name == "demo"
    assert opened(f"{web}/missing.yaml").count_records() == 0


def test_one_object_for_each_record_over_http(web: str, tmp_path: Path) -> None:
    folder = tmp_path / "web" / "r"
    folder.mkdir()
    for number in range(3):
        (folder / f"s{number}.yaml").write_text(f"demo: {{s{number}: {{n: {number}}}}}")
    psm = opened(f"{web}/r/{{record_identifier}}.yaml")
    assert psm.count_records() == 3
    assert [record["n"] for record in psm.select_records(where="n > 0")["records"]] == [1, 2]
    with pytest.raises(UnsupportedOperation, match="cannot be written"):
        psm.report({"n": 1}, "s1")


@pytest.mark.parametrize("unsafe", [False, True])
def test_writing_over_http_is_refused_by_name(web: str, unsafe: bool) -> None:
    psm = opened(f"{web}/results.yaml", unsafe_writes=unsafe)
    for write in (
        lambda: psm.report({"n": 3}, "s3"),
        lambda: psm.report({"n": 1}, "s1"),
        lambda: psm.set_status("failed", "s1"),
        lambda: psm.remove_record("s1", rm_record=True),
        lambda: psm.report_many({"s1": {"n": 1}, "s2": {"n": 2}}),
    ):
        with pytest.raises(UnsupportedOperation) as caught:
            write()
        assert str(caught.value).startswith(
            f"{web}/results.yaml is read over HTTP and cannot be written; "
        )
    assert "concurrent-writers" not in psm.store.backend.capabilities


def test_the_command_line_over_http(web: str, tmp_path: Path) -> None:
    done = pipestat_spec("retrieve", "-f", f"{web}/results.yaml", "-r", "s1", cwd=tmp_path)
    assert "n: 1" in done.stdout
    done = pipestat_spec("select", "-f", f"{web}/results.yaml", "--where", "n > 1", cwd=tmp_path)
    assert "s2" in done.stdout
    done = pipestat_spec(
        "report", "-f", f"{web}/results.yaml", "-r", "s1", "n=3", cwd=tmp_path, code=1
    )
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


def test_passwords_in_a_url_are_not_shown(web: str) -> None:
    url = web.replace("http://", "http://ann:pwtopsecret@") + "/results.yaml?token=tktopsecret"
    with pytest.raises(UnsupportedOperation) as caught:
        opened(url).report({"n": 1}, "s1")
    assert "topsecret" not in str(caught.value)
    assert str(caught.value).startswith(f"{web}/results.yaml is read")


# What else fsspec knows


def test_chained_urls_are_read(tmp_path: Path, web: str) -> None:
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        archive.writestr("in/results.yaml", HELD)
    psm = opened(f"zip://in/results.yaml::file://{tmp_path}/run.zip")
    assert psm.retrieve_one("s2", "n") == 2
    with pytest.raises(UnsafeStoreError, match="offers no put that replaces only"):
        psm.report({"n": 3}, "s3")
    assert opened(f"simplecache::{web}/results.yaml").retrieve_one("s2", "n") == 2


def test_other_file_systems_are_written_on_demand(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A folder as a file system of its own: neither S3 nor a local path to us.
    url = "dir://deep/results.yaml"
    options = {"path": str(tmp_path), "target_protocol": "file"}
    psm = opened(url, storage_options=options)
    assert psm.count_records() == 0
    with pytest.raises(UnsafeStoreError) as caught:
        psm.report({"n": 1}, "s1")
    assert "unsafe_writes: true" in str(caught.value)
    assert not list(tmp_path.iterdir())
    psm = opened(url, storage_options=options, unsafe_writes=True)
    assert not set(psm.store.backend.capabilities) & {"durable", "concurrent-writers"}
    with caplog.at_level(logging.WARNING):
        psm.report({"n": 1}, "s1")
        psm.report({"n": 2}, "s2")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert opened(url, storage_options=options).count_records() == 2
    assert (tmp_path / "deep" / "results.yaml").read_bytes().startswith(b"demo:\n  s1:\n")


def test_one_object_for_each_record_elsewhere(tmp_path: Path) -> None:
    options = {"path": str(tmp_path), "target_protocol": "file"}
    psm = opened("dir://r/{record_identifier}/x.yaml", storage_options=options, unsafe_writes=True)
    psm.report_many({f"s{number}": {"n": number} for number in range(5)})
    assert psm.count_records() == 5
    assert sorted(p.parent.name for p in tmp_path.rglob("x.yaml")) == [f"s{n}" for n in range(5)]


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PipestatError, match="there is no such file or folder"):
        opened(f"zip://r.yaml::file://{tmp_path}/missing.zip")


def test_a_file_system_that_nobody_knows() -> None:
    with pytest.raises(PipestatError, match=r"^nosuch://b/r\.yaml: "):
        opened("nosuch://b/r.yaml")
