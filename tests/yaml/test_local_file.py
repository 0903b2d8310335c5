"""What a writer does to the file itself: links, modes, groups, folders, and clear errors."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_yaml.local.local_file import FileLock, mapped_errors, read_file

from pipestat_spec.errors import (
    MissingConfigDataError,
    PipestatDataError,
    PipestatError,
    PipestatStartupError,
)
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from tests.repository import REPOSITORY
from tests.yaml.stores import Stored, open_stored

Open = Callable[..., Stored]


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 21) + 5])
def test_what_is_known_of_a_file_is_compared(tmp_path: Path, size: int) -> None:
    path, content = tmp_path / "file", b"a" * size
    path.write_bytes(content)
    known = bytes(bytearray(content))
    assert read_file(str(path), known) == content
    if size:
        assert read_file(str(path), known) is known
        for other in (known[:-1] + b"b", b"b" + known[1:], known[:-1]):
            assert read_file(str(path), other) == content
    assert read_file(str(path), known + b"a") == content
    path.unlink()
    assert read_file(str(path), known) is None


def test_mode_and_group_stay(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    store.path.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(store.path, 1234, 2345)
    before = store.path.stat()
    store.report("s1", {"n": 2})
    after = store.path.stat()
    assert after.st_ino != before.st_ino
    assert after.st_mode & 0o7777 == 0o664
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_new_file_obeys_the_umask(stored: Open, umask: int, mode: int) -> None:
    store = stored()
    old = os.umask(umask)
    try:
        store.report("s1", {"n": 1})
    finally:
        os.umask(old)
    assert store.path.stat().st_mode & 0o777 == mode
    assert (store.path.parent / ".results.yaml.lock").stat().st_mode & 0o777 == mode


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "results.yaml"
    link.symlink_to("../real/data.yaml")
    store = open_stored(link)
    store.report("s1", {"n": 1})
    store.report("s2", {"n": 2})
    store.set_status("s1", "running")
    assert link.is_symlink()
    assert {path.name for path in (tmp_path / "real").iterdir()} == {
        "data.yaml", ".data.yaml.lock", ".data.yaml.status", "demo_s1_running.flag"
    }  # fmt: skip
    assert store.beside() == {"results.yaml"}
    direct = open_stored(tmp_path / "real" / "data.yaml")
    assert direct.names() == ["s1", "s2"]
    assert (store.status("s1"), direct.status("s1")) == ("running", "running")


def test_missing_folders_appear_with_the_first_write(stored: Open, tmp_path: Path) -> None:
    store = stored("a/b/c/results.yaml")
    assert store.read("s1") is None
    assert store.names() == []
    assert list(tmp_path.iterdir()) == []
    store.report("s1", {"n": 1})
    assert store.beside() == {"results.yaml", ".results.yaml.lock"}


def test_what_a_dead_writer_left_is_removed(stored: Open) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    (store.path.parent / ".results.yaml.tmp").write_text("demo:\n  s1:\n")
    store.report("s1", {"n": 1})
    assert store.beside() == {"results.yaml", ".results.yaml.lock"}


def test_a_temporary_file_is_no_way_out_of_the_folder(stored: Open, tmp_path: Path) -> None:
    store = stored("here/results.yaml")
    store.report("s1", {"n": 1})
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / "here" / ".results.yaml.tmp").symlink_to("../victim")
    store.report("s1", {"n": 2})
    assert (tmp_path / "victim").read_text() == "keep me"
    assert store.results("s1") == {"n": 2}


def one_line(error: PipestatError) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Errno" not in text
    return text


def test_a_folder_in_place_of_the_file(stored: Open, tmp_path: Path) -> None:
    (tmp_path / "results.yaml").mkdir()
    with pytest.raises(PipestatStartupError, match="it is a folder") as caught:
        stored()
    assert str(tmp_path / "results.yaml") in one_line(caught.value)


def test_a_file_in_place_of_a_folder(stored: Open, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(PipestatStartupError, match="not a folder"):
        stored("a/results.yaml")


def test_links_in_a_circle(stored: Open, tmp_path: Path) -> None:
    (tmp_path / "results.yaml").symlink_to("other.yaml")
    (tmp_path / "other.yaml").symlink_to("results.yaml")
    with pytest.raises(PipestatStartupError, match="circle"):
        stored()


def test_a_name_that_is_too_long(stored: Open) -> None:
    with pytest.raises(PipestatStartupError, match="too long"):
        stored("x" * 300 + ".yaml")


def test_no_path() -> None:
    from pipestat_yaml.plugin import YamlFactory

    from pipestat_spec.backend import StoreSettings

    with pytest.raises(MissingConfigDataError, match="results_file_path"):
        YamlFactory().open(StoreSettings("demo", DEFAULT_STATUS_SCHEMA))


DENIED = "PipestatStartupError: {path} cannot be used: permission denied"
UNPRIVILEGED = """
import os, sys
from pathlib import Path
import pipestat_yaml.local.backend, pipestat_spec.text.yaml_parser
from tests.yaml.stores import open_stored
os.setgid(65534); os.setuid(65534)
try:
    store = open_stored(Path(sys.argv[1]))
    print(store.names())
    store.report(*eval(sys.argv[2]))
    print("stored")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.parametrize(
    ("folder", "file", "lines"),
    [
        (0o755, 0o600, [DENIED]),
        (0o755, 0o644, ["['s1']", DENIED]),
        (0o777, 0o644, ["['s1']", DENIED]),
        (0o777, 0o666, ["['s1']", "stored"]),
    ],
)
def test_permissions(folder: int, file: int, lines: list[str]) -> None:
    import shutil
    import tempfile

    place = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        store = open_stored(place / "results.yaml")
        store.report("s1", {"n": 1})
        place.chmod(folder)
        store.path.chmod(file)
        before = store.path.read_bytes()
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(store.path), "('s2', {'n': 1})"],
            cwd=REPOSITORY, capture_output=True, text=True,
        )  # fmt: skip
        found = done.stdout.splitlines()
        assert [line.partition(";")[0].partition(" (")[0] for line in found] == [
            line.format(path=store.path) for line in lines
        ], done.stderr
        if lines[-1] != "stored":
            assert store.path.read_bytes() == before
        assert store.beside() == {"results.yaml", ".results.yaml.lock"}
    finally:
        shutil.rmtree(place)


def test_a_full_disk_stores_nothing(stored: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    real = os.fsync

    def fails(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(PipestatDataError, match=os.strerror(errno.ENOSPC)[1:]) as caught:
        store.report("s1", {"n": 2})
    one_line(caught.value)
    monkeypatch.setattr(os, "fsync", real)
    assert store.path.read_bytes() == before
    assert store.beside() == {"results.yaml", ".results.yaml.lock"}


def test_a_folder_that_cannot_be_synced_leaves_doubt_and_says_so(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    real = os.fsync

    def fails(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(PipestatDataError, match="the change may have been stored") as caught:
        store.report("s1", {"n": 2})
    assert caught.value.code == "store"
    assert "nothing was stored" not in one_line(caught.value)
    assert store.results("s1") == {"n": 2}
    assert store.beside() == {"results.yaml", ".results.yaml.lock"}


def test_a_flag_that_fails_after_the_results_says_so(
    stored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    real = os.replace

    def fails(source: str, target: str) -> None:
        if target.endswith(".flag"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(PipestatDataError, match="the status are stored, the flag may not be"):
        store.set_status("s1", "running", message="why")
    monkeypatch.undo()
    assert store.names() == ["s1"]
    assert store.status("s1") == "running"
    assert store.beside() == {"results.yaml", ".results.yaml.lock", ".results.yaml.status"}


def test_every_system_error_is_one_of_ours(tmp_path: Path) -> None:
    for number in errno.errorcode:
        with pytest.raises(PipestatError) as caught, mapped_errors("x.yaml"):
            raise OSError(number, os.strerror(number), "x.yaml")
        assert one_line(caught.value).startswith("x.yaml")


def test_reading_takes_no_lock_and_makes_no_file(stored: Open, tmp_path: Path) -> None:
    store = stored()
    assert store.names() == []
    assert store.read("s1") is None
    assert store.history("s1") == []
    assert list(tmp_path.iterdir()) == []


def test_many_pieces_are_written_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    pieces = [bytes([n % 256]) * n for n in range(2000)]
    with FileLock(path).held() as file:
        file.replace(pieces)
        file.replace([memoryview(b"a"), b"", b"b" * 3_000_000])
    assert read_file(path) == b"a" + b"b" * 3_000_000
