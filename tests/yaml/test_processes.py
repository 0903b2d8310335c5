"""Many writers at once, readers meanwhile, and writers that die (real processes)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.errors import PipestatStartupError, UnsafeStoreError
from tests import patience, writers
from tests.yaml.stores import Stored

Open = Callable[..., Stored]
Trials = Callable[[int, int], Iterator[random.Random]]


def start(path: Path, record: str, first: int, count: int, layout: str) -> writers.Writer:
    return writers.start("tests.yaml.writer", path, record, first, count, layout)


class Reader(threading.Thread):
    """Parses the file in a loop and notes every state that is not whole."""

    def __init__(self, store: Stored, keys: set[str]) -> None:
        super().__init__()
        self.store, self.keys = store, keys
        self.faults: list[str] = []
        self.rounds = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        seen = 0
        while not self.stopped.is_set():
            try:
                data = self.store.path.read_bytes()
                tree: Any = yaml.load(data, yaml.CSafeLoader)["demo"]
                count = sum(len(record) for record in tree.get("sample", tree).values())
                assert data.rstrip().rpartition(b"\n")[2].startswith(b"# pipestat-spec"), data[-99:]
                assert count >= seen, (count, seen)
                seen = count
                ours = {name: self.store.read(name) for name in self.store.names()}
                assert set(ours) <= self.keys
                assert all(ours.values())
            except FileNotFoundError:
                continue
            except Exception as error:  # noqa: BLE001
                self.faults.append(repr(error))
            self.rounds += 1


@pytest.mark.parametrize("layout", ["records", "levels"])
@pytest.mark.parametrize("same_record", [False, True])
def test_writers_lose_nothing_and_readers_see_whole_files(
    stored: Open, layout: str, same_record: bool
) -> None:
    store = stored(layout=layout)
    workers, each = 8, 12
    names = ["one"] * workers if same_record else [f"r{number}" for number in range(workers)]
    processes = [
        start(store.path, name, number * 100, each, layout) for number, name in enumerate(names)
    ]
    reader = Reader(store, set(names))
    reader.start()
    try:
        writers.go(processes)
        assert all(writers.finish(processes))
    finally:
        reader.stopped.set()
        reader.join()
    assert reader.faults == []
    assert reader.rounds > 3
    wanted: dict[str, dict[str, int]] = {}
    for number, name in enumerate(names):
        values = {f"n{n}": n for n in range(number * 100, number * 100 + each)}
        wanted.setdefault(name, {}).update(values)
    tree = store.raw()["demo"]
    tree = tree["sample"] if layout == "levels" else tree
    assert {n: {k: v for k, v in r.items() if k != "meta"} for n, r in tree.items()} == wanted
    flags = {path.name for path in store.path.parent.glob("*.flag")}
    assert len(flags) == len(set(names))
    assert store.beside() == {
        "results.yaml", ".results.yaml.lock", ".results.yaml.status", *flags
    }  # fmt: skip


def test_kill_9_at_any_moment(stored: Open, trials: Trials) -> None:
    """What was acknowledged is there, the file is whole, and the next report comes through."""
    for number, source in enumerate(trials(150, 10)):
        layout = source.choice(["records", "levels"])
        store = stored(f"{number}/results.yaml", layout=layout)
        store.report_many({f"old{n}": {"text": "x" * 100} for n in range(source.choice([0, 1500]))})
        process = start(store.path, "s1", 0, 10_000, layout)
        writers.go([process])
        time.sleep(source.uniform(0, 0.15))
        process.kill()
        out, _ = process.communicate()
        acknowledged = [line for line in out.split("\n")[:-1] if line]
        assert store.status("s1") in (None, "running", "failed")
        assert len(list(store.path.parent.glob("demo_s1_*.flag"))) <= 1
        store.report("next", {"n": 1})
        tree = store.raw()["demo"]
        records = tree["sample"] if layout == "levels" else tree
        assert set(acknowledged) <= set(records.get("s1", {}))
        assert store.vouched()
        assert records["next"]["n"] == 1
        store.set_status("s1", "completed")
        assert store.status("s1") == "completed"
        assert store.beside() == {
            "results.yaml", ".results.yaml.lock", ".results.yaml.status", "demo_s1_completed.flag"
        }  # fmt: skip


def test_a_stopped_writer_holds_the_others_up_and_they_say_so(
    stored: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    from pipestat_yaml.local import local_file

    monkeypatch.setattr(local_file, "WARN_AFTER", 0.05)
    store = stored()
    store.report("s1", {"n": 1})
    lock = os.open(store.path.parent / ".results.yaml.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    thread = threading.Thread(target=store.report, args=("s1", {"n": 2}))
    thread.start()
    patience.wait_until(lambda: caplog.records, "the writer says that it waits")
    assert store.results("s1") == {"n": 1}
    os.close(lock)
    thread.join(patience.SECONDS)
    assert store.results("s1") == {"n": 2}
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for another process that writes {store.path}"
    ]


def test_who_holds_the_lock_for_ever_is_named(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may read the results can lock them, too; nobody waits for that without end."""
    from pipestat_yaml.local import local_file

    monkeypatch.setattr(local_file, "GIVE_UP_AFTER", 0.3)
    store = stored()
    store.report("s1", {"n": 1})
    path = store.path.parent / ".results.yaml.lock"
    program = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(PipestatStartupError, match=f"held by process {holder.pid}"):
            store.report("s1", {"n": 2})
        assert store.results("s1") == {"n": 1}
        holder.communicate(b"\n")
    store.report("s1", {"n": 2})
    assert store.results("s1") == {"n": 2}


def test_a_lock_that_is_a_link_is_refused(stored: Open, tmp_path: Path) -> None:
    """Whoever may write to the folder does not make us create files elsewhere."""
    store = stored()
    store.report("s1", {"n": 1})
    path = store.path.parent / ".results.yaml.lock"
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    with pytest.raises(UnsafeStoreError, match="symbolic link"):
        store.report("s1", {"n": 2})
    assert not elsewhere.exists()
    assert store.results("s1") == {"n": 1}


def test_a_lock_file_that_somebody_deletes(stored: Open) -> None:
    """A writer that waited for the deleted file locks the new one."""
    import fcntl

    store = stored()
    store.report("s1", {"n": 1})
    path = store.path.parent / ".results.yaml.lock"
    old = os.open(path, os.O_RDWR)
    fcntl.flock(old, fcntl.LOCK_EX)
    thread = threading.Thread(target=store.report, args=("s1", {"n": 2}))
    thread.start()
    time.sleep(0.2)
    path.unlink()
    new = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(new, fcntl.LOCK_EX)
    os.close(old)
    time.sleep(0.2)
    assert store.results("s1") == {"n": 1}
    os.close(new)
    thread.join(patience.SECONDS)
    assert store.results("s1") == {"n": 2}


def test_a_child_process_does_not_keep_the_lock(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    ready = threading.Event()

    def change(current: Any) -> Any:
        from pipestat_spec.backend import Outcome

        children.append(os.fork())
        if children[-1] == 0:
            signal.pause()  # until it is killed
            os._exit(0)
        ready.set()
        return Outcome(current)

    from pipestat_spec.models.record import RecordKey

    children: list[int] = []
    store.backend.update(RecordKey("sample", "s1"), change)
    try:
        thread = threading.Thread(target=store.report, args=("s1", {"n": 2}), daemon=True)
        thread.start()
        thread.join(patience.SECONDS)
        assert not thread.is_alive()
    finally:
        os.kill(children[0], signal.SIGKILL)
        os.waitpid(children[0], 0)


def test_threads(stored: Open) -> None:
    store = stored()
    threads = [
        threading.Thread(
            target=lambda n=n: [store.report("s1", {f"n{n}-{i}": i}) for i in range(10)]
        )
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.results("s1")) == 60
