"""What is special about LMDB: short keys, one environment, a map that has to grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_lmdb.environment import Environment, check_mount

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDatabaseError, UnsafeStoreError

WRITER = """
import json, sys
from pipestat_spec import PipestatManager
config, writer = sys.argv[1:]
psm = PipestatManager(config_file=config)
for n in range(20):
    psm.report({"n": n, "text": "x" * 20_000}, f"{writer}.{n}")
"""
# Grows the map a page at a time, as often as it can.
GROWER = """
import sys, lmdb
environment = lmdb.open(sys.argv[1], map_size=1 << 16, sync=False)
for n in range(10_000):
    try:
        with environment.begin(write=True) as transaction:
            transaction.put(n.to_bytes(4), bytes(3000))
    except lmdb.MapFullError:
        environment.set_mapsize(environment.info()["map_size"] + 4096)
"""
Opening = Callable[..., PipestatManager]


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def write(**settings: object) -> Path:
        path = tmp_path / f"pipestat{len(list(tmp_path.iterdir()))}.yaml"
        options = {"path": "lmdb", "map_size": settings.pop("map_size", 1 << 16)}
        path.write_text(json.dumps({"backend": "lmdb", "lmdb": options, **settings}))
        return path

    return write


@pytest.fixture
def opened(config: Callable[..., Path]) -> Opening:
    return lambda **settings: PipestatManager(config_file=str(config(**settings)))


def test_long_identifiers_are_kept_apart_and_in_order(opened: Opening) -> None:
    # In UTF-8 all but the short ones are longer than a key of LMDB may be.
    alike = "\U0001f9ec" * 200
    names = [alike + end for end in ("c", "a", "b", "ab", "\U0001f9ec", "")] + ["\U0001f9eb", "é"]
    psm = opened()
    for number, name in enumerate(names):
        psm.report({"n": number}, name)
    assert list(psm) == sorted(names)
    assert {name: psm.retrieve_one(name, "n") for name in names} == dict(
        zip(names, range(8), strict=True)
    )
    pages, cursor = [], None
    while True:
        page = psm.select_records(limit=3, cursor=cursor)
        pages += [record["record_identifier"] for record in page["records"]]
        cursor = page["next_page_token"]
        if cursor is None:
            break
    assert pages == sorted(names)


def test_the_map_grows_under_several_processes_and_threads(
    opened: Opening, config: Callable[..., Path]
) -> None:
    reader = opened()
    file = str(config())
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, file, f"w{i}"], stderr=subprocess.PIPE)
        for i in range(3)
    ]

    def report(name: str) -> None:
        for n in range(20):
            reader.report({"n": n, "text": "y" * 20_000}, f"{name}.{n}")

    threads = [threading.Thread(target=report, args=(f"t{i}",)) for i in range(3)]
    for thread in threads:
        thread.start()
    for writer in writers:
        _, stderr = writer.communicate(timeout=120)
        assert writer.returncode == 0, stderr.decode()
    for thread in threads:
        thread.join()
    # 120 records of 20 kB in a map that began with 64 kB.
    expected = sorted(f"{who}{i}.{n}" for who in "wt" for i in range(3) for n in range(20))
    assert list(reader) == expected


def test_the_map_grows_while_it_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "lmdb"
    folder.mkdir()
    writer = subprocess.Popen([sys.executable, "-c", GROWER, folder])
    while writer.poll() is None:
        Environment(str(folder), 1 << 16).run(lambda transaction: transaction.id())
    assert writer.returncode == 0


def test_two_managers_share_the_environment_of_a_folder(opened: Opening) -> None:
    one, two = opened(), opened()
    one.report({"n": 1}, "s1")
    assert two.retrieve_one("s1", "n") == 1
    one.close()
    two.report({"n": 2}, "s1")
    with pytest.raises(PipestatDatabaseError, match="closed"):
        one.retrieve_one("s1")
    assert opened().retrieve_one("s1", "n") == 2


def test_namespaces_and_projects_are_kept_apart(opened: Opening) -> None:
    managers = {
        (namespace, project): opened(pipeline_name=namespace, project_name=project)
        for namespace in ("a", "b")
        for project in ("p", "q")
    }
    for number, manager in enumerate(managers.values()):
        manager.report({"n": number}, "s1")
        manager.set_status("running", "s1")
    for number, manager in enumerate(managers.values()):
        assert manager.count_records() == 1
        assert manager.retrieve_one("s1", "n") == number
    managers["a", "p"].remove_record("s1", rm_record=True)
    assert [manager.count_records() for manager in managers.values()] == [0, 1, 1, 1]


def test_a_forked_process_has_an_environment_of_its_own(opened: Opening) -> None:
    psm = opened()
    psm.report({"n": 1}, "s1")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            psm.report({"n": 2}, "s1")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert psm.retrieve_one("s1", "n") == 2
    psm.report({"n": 3}, "s1")
    assert psm.retrieve_one("s1", "n") == 3


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/data/x/lmdb", "nfs4"), ("/data", "nfs4"), ("/a b/lmdb", "lustre")],
)
def test_a_network_file_system_is_refused(tmp_path: Path, folder: str, kind: str) -> None:
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda / ext4 rw 0 0\nnas:/x /data nfs4 rw 0 0\nd /data2 ext4 rw 0 0\n"
        "fs /a\\040b lustre rw 0 0\n/dev/sdb /data/local xfs rw 0 0\n"
    )
    with pytest.raises(UnsafeStoreError, match=kind):
        check_mount(folder, str(table))
    for local in ("/home/x", "/data2/lmdb", "/data/local/lmdb", "/database"):
        check_mount(local, str(table))


def test_no_exception_of_lmdb_escapes(tmp_path: Path, config: Callable[..., Path]) -> None:
    (tmp_path / "lmdb").mkdir()
    (tmp_path / "lmdb" / "data.mdb").write_bytes(b"no database" * 2000)
    with pytest.raises(PipestatDatabaseError, match="lmdb"):
        PipestatManager(config_file=str(config()))
    (tmp_path / "lmdb" / "data.mdb").unlink()
    (tmp_path / "lmdb" / "lock.mdb").unlink(missing_ok=True)
    (tmp_path / "lmdb").rmdir()
    (tmp_path / "lmdb").write_text("a file")
    with pytest.raises(PipestatDatabaseError, match="lmdb"):
        PipestatManager(config_file=str(config()))
