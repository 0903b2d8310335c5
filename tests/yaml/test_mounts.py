"""Mounts whose locks exclude nobody are refused (the mount table is given)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pipestat_yaml.local import mounts
from pipestat_yaml.local.mounts import check_locks, find_mount

from pipestat_spec.backend import Capability
from pipestat_spec.errors import UnsafeStoreError
from tests.yaml.stores import Stored

Open = Callable[..., Stored]

NFS = "rw,relatime,vers=3,rsize=1048576,namlen=255,hard,proto=tcp,sec=sys,"


def table(tmp_path: Path, kind: str, options: str, *, folder: Path | None = None) -> str:
    device = os.stat(tmp_path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    place = str(folder or tmp_path).replace(" ", "\\040")
    path = tmp_path / "mountinfo"
    path.write_text(
        "22 1 0:1 / / rw,relatime - overlay overlay rw\n"
        "broken line\n"
        f"40 22 0:99 / /elsewhere rw shared:5 - nfs h:/x {NFS}nolock,local_lock=all\n"
        f"41 22 {number} / {place} rw,noatime shared:1 master:2 - {kind} host:/vol {options}\n"
    )
    return str(path)


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("nfs", NFS + "nolock,local_lock=all,addr=10.0.0.1", "local_lock=all, nolock"),
        ("nfs", NFS + "local_lock=flock", "local_lock=flock"),
        ("nfs4", "rw,vers=4.2,local_lock=all", "local_lock=all"),
        ("lustre", "rw,localflock,lazystatfs", "localflock"),
        ("lustre", "rw,noflock", "noflock"),
    ],
)
def test_refused(tmp_path: Path, kind: str, options: str, named: str) -> None:
    with pytest.raises(UnsafeStoreError) as caught:
        check_locks(str(tmp_path), table(tmp_path, kind, options))
    text = str(caught.value)
    assert f"is a {kind} mount with {named}" in text
    assert "unsafe_writes: true" in text
    assert "database" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("nfs", NFS + "local_lock=none"),
        ("nfs", NFS + "local_lock=posix"),
        ("nfs4", "rw,vers=4.2,local_lock=none"),
        ("lustre", "rw,flock,lazystatfs"),
        ("ext4", "rw"),
        ("xfs", "rw,nolock"),
        ("fuse.sshfs", "rw"),
    ],
)
def test_accepted(tmp_path: Path, kind: str, options: str) -> None:
    check_locks(str(tmp_path), table(tmp_path, kind, options))


def test_folders_that_do_not_exist_yet(tmp_path: Path) -> None:
    with pytest.raises(UnsafeStoreError):
        check_locks(str(tmp_path / "a" / "b"), table(tmp_path, "lustre", "rw,localflock"))


def test_the_mount_is_found_by_device_and_longest_folder(tmp_path: Path) -> None:
    spaced = tmp_path / "with space"
    spaced.mkdir()
    path = table(tmp_path, "nfs", NFS + "local_lock=all", folder=spaced)
    with pytest.raises(UnsafeStoreError):
        check_locks(str(spaced), path)
    mount = find_mount(str(tmp_path), path)
    assert mount is not None
    assert mount.kind == "overlay"


def test_a_later_mount_covers_an_earlier_one(tmp_path: Path) -> None:
    path = Path(table(tmp_path, "nfs", NFS + "local_lock=all"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1].replace("local_lock=all", "local_lock=none")]))
    check_locks(str(tmp_path), str(path))


def test_without_a_table_nothing_is_refused(tmp_path: Path) -> None:
    check_locks(str(tmp_path), str(tmp_path / "none"))


def test_a_store_refuses_to_write_and_still_reads(
    stored: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    monkeypatch.setattr(mounts, "MOUNT_TABLE", table(tmp_path, "lustre", "rw,localflock"))
    monkeypatch.setattr(mounts, "_known", {})
    with pytest.raises(UnsafeStoreError, match="unsafe_writes"):
        store.report("s1", {"n": 2})
    assert store.path.read_bytes() == before
    assert store.results("s1") == {"n": 1}
    unsafe = stored(unsafe_writes=True)
    unsafe.report("s1", {"n": 3})
    assert store.results("s1") == {"n": 3}
    [message] = [record.getMessage() for record in caplog.records]
    assert "is a lustre mount with localflock" in message
    assert Capability.CONCURRENT_WRITERS in store.backend.capabilities
    assert Capability.CONCURRENT_WRITERS not in unsafe.backend.capabilities


def test_escapes_of_the_table(tmp_path: Path) -> None:
    odd = tmp_path / "a b#c\\040d"
    odd.mkdir()
    escaped = str(tmp_path) + "/a\\040b\\043c\\134040d"
    path = Path(table(tmp_path, "nfs", NFS + "local_lock=all"))
    path.write_text(path.read_text().replace(f" {tmp_path} ", f" {escaped} "))
    mount = find_mount(str(odd), str(path))
    assert mount is not None
    assert mount.folder == str(odd)


def test_the_table_is_read_once_for_each_device(
    stored: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    path = Path(table(tmp_path, "ext4", "rw"))
    monkeypatch.setattr(mounts, "MOUNT_TABLE", str(path))
    monkeypatch.setattr(mounts, "_known", {})
    store.report("s1", {"n": 1})
    path.unlink()
    table(tmp_path, "lustre", "rw,localflock")
    store.report("s1", {"n": 2})
    monkeypatch.setattr(mounts, "_known", {})
    with pytest.raises(UnsafeStoreError):
        store.report("s1", {"n": 3})


def test_a_file_system_without_locks(
    stored: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Lustre without any lock option answers flock with ENOSYS."""
    import errno
    import fcntl

    store = stored()

    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(UnsafeStoreError, match=r"is a .* mount that has no locks") as caught:
        store.report("s1", {"n": 1})
    assert caught.value.code == "unsafe"
    assert "unsafe_writes: true" in str(caught.value)
    assert not store.path.exists()
    unsafe = stored(unsafe_writes=True)
    unsafe.report("s1", {"n": 1})
    unsafe.report("s2", {"n": 1})
    assert unsafe.results("s1") == {"n": 1}
    [message] = [record.getMessage() for record in caplog.records]
    assert "that has no locks; with unsafe_writes, simultaneous writers can lose" in message
