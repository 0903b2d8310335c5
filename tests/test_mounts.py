"""Mounts whose locks exclude nobody are refused (the mount table is given)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager, mounts
from pipestat_spec.backend import Capability
from pipestat_spec.errors import UnsafeStoreError
from pipestat_spec.mounts import Locks, check_locks, find_mount, is_on_network
from tests.yaml.stores import Stored, open_stored

Open = Callable[..., Stored]
Table = Callable[..., Path]

NFS = "rw,relatime,vers=3,rsize=1048576,namlen=255,hard,proto=tcp,sec=sys,"


@pytest.fixture
def stored(tmp_path: Path) -> Open:
    """`stored(**settings)` opens a results file in the test's folder."""
    return lambda **settings: open_stored(tmp_path / "results.yaml", **settings)


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """`mounted(kind, options)` makes the system say that the test's folder is such a mount."""
    path = tmp_path / "mountinfo"

    def mount(kind: str, options: str, *, folder: Path | None = None) -> Path:
        device = os.stat(tmp_path).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        place = str(folder or tmp_path).replace(" ", "\\040")
        path.write_text(
            "22 1 0:1 / / rw,relatime - overlay overlay rw\n"
            "broken line\n"
            f"40 22 0:99 / /elsewhere rw shared:5 - nfs h:/x {NFS}nolock,local_lock=all\n"
            f"41 22 {number} / {place} rw,noatime shared:1 master:2 - {kind} host:/vol {options}\n"
        )
        monkeypatch.setattr(mounts, "MOUNT_TABLE", str(path))
        monkeypatch.setattr(mounts, "_known", {})
        return path

    return mount


@pytest.mark.parametrize(
    ("kind", "options", "locks", "named"),
    [
        ("nfs", NFS + "nolock,local_lock=all,addr=10.0.0.1", "flock", "local_lock=all, nolock"),
        ("nfs", NFS + "local_lock=flock", "flock", "local_lock=flock"),
        ("nfs", NFS + "local_lock=posix", "posix", "local_lock=posix"),
        ("nfs4", "rw,vers=4.2,local_lock=all", "flock", "local_lock=all"),
        ("nfs4", "rw,vers=4.2,local_lock=all", "posix", "local_lock=all"),
        ("lustre", "rw,localflock,lazystatfs", "flock", "localflock"),
        ("lustre", "rw,noflock", "posix", "noflock"),
        ("cifs", "rw,vers=3.1.1,cache=strict,nobrl", "flock", "nobrl"),
        ("cifs", "rw,vers=3.1.1,cache=strict,nobrl", "posix", "nobrl"),
        ("smb3", "rw,nobrl", "flock", "nobrl"),
        ("gfs2", "rw,localflocks", "flock", "localflocks"),
        ("gfs2", "rw,localflocks", "posix", "localflocks"),
        ("ocfs2", "rw,localflocks", "flock", "localflocks"),
    ],
)
def test_refused(
    tmp_path: Path, mounted: Table, kind: str, options: str, locks: Locks, named: str
) -> None:
    mounted(kind, options)
    with pytest.raises(UnsafeStoreError) as caught:
        check_locks(str(tmp_path), locks)
    text = str(caught.value)
    assert f"is a {kind} mount with {named}" in text
    assert "unsafe_writes: true" in text
    assert "database" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("kind", "options", "locks"),
    [
        ("nfs", NFS + "local_lock=none", "flock"),
        ("nfs", NFS + "local_lock=posix", "flock"),
        ("nfs", NFS + "local_lock=flock", "posix"),
        ("nfs4", "rw,vers=4.2,local_lock=none", "flock"),
        ("lustre", "rw,flock,lazystatfs", "flock"),
        ("cifs", "rw,vers=3.1.1,cache=strict", "flock"),
        ("gfs2", "rw", "flock"),
        ("ocfs2", "rw,localflocks", "posix"),
        ("ceph", "rw", "flock"),
        ("ext4", "rw", "flock"),
        ("xfs", "rw,nolock", "flock"),
    ],
)
def test_accepted(
    tmp_path: Path,
    mounted: Table,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    options: str,
    locks: Locks,
) -> None:
    mounted(kind, options)
    check_locks(str(tmp_path), locks)
    assert caplog.records == []


@pytest.mark.parametrize("kind", ["beegfs", "fuse.sshfs", "fuse.s3fs", "9p", "virtiofs"])
def test_a_mount_that_is_doubtful_is_told_once(
    tmp_path: Path, mounted: Table, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    mounted(kind, "rw")
    check_locks(str(tmp_path), "flock")
    check_locks(str(tmp_path / "deeper"), "flock")
    [message] = [record.getMessage() for record in caplog.records]
    assert f"{tmp_path} is a {kind} mount" in message


@pytest.mark.parametrize(
    ("kind", "network"), [("ext4", False), ("nfs4", True), ("cifs", True), ("overlay", False)]
)
def test_network_file_systems(tmp_path: Path, mounted: Table, kind: str, network: bool) -> None:
    mounted(kind, "rw")
    assert is_on_network(str(tmp_path)) is network
    assert is_on_network("/") is False


def test_folders_that_do_not_exist_yet(tmp_path: Path, mounted: Table) -> None:
    mounted("lustre", "rw,localflock")
    with pytest.raises(UnsafeStoreError):
        check_locks(str(tmp_path / "a" / "b"), "flock")


def test_the_mount_is_found_by_device_and_longest_folder(tmp_path: Path, mounted: Table) -> None:
    spaced = tmp_path / "with space"
    spaced.mkdir()
    mounted("nfs", NFS + "local_lock=all", folder=spaced)
    with pytest.raises(UnsafeStoreError):
        check_locks(str(spaced), "flock")
    mount = find_mount(str(tmp_path))
    assert mount is not None
    assert mount.kind == "overlay"


def test_a_later_mount_covers_an_earlier_one(tmp_path: Path, mounted: Table) -> None:
    path = mounted("nfs", NFS + "local_lock=all")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1].replace("local_lock=all", "local_lock=none")]))
    check_locks(str(tmp_path), "flock")


def test_without_a_table_nothing_is_refused(tmp_path: Path, mounted: Table) -> None:
    mounted("nfs", NFS + "local_lock=all").unlink()
    check_locks(str(tmp_path), "flock")


def test_a_store_refuses_to_write_and_still_reads(
    stored: Open, mounted: Table, caplog: pytest.LogCaptureFixture
) -> None:
    store = stored()
    store.report("s1", {"n": 1})
    before = store.path.read_bytes()
    mounted("lustre", "rw,localflock")
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


def test_a_database_refuses_to_be_written_and_is_read(
    tmp_path: Path, mounted: Table, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "results.db"

    def manager(**options: bool) -> PipestatManager:
        return PipestatManager(results_file_path=str(path), pipeline_name="demo", **options)

    with manager() as psm:
        psm.report({"n": 1}, "s1")
    mounted("cifs", "rw,nobrl")
    with manager() as psm:
        with pytest.raises(UnsafeStoreError, match="is a cifs mount with nobrl"):
            psm.report({"n": 2}, "s2")
        assert psm.count_records() == 1
    with manager(unsafe_writes=True) as psm:
        psm.report({"n": 2}, "s2")
    [message] = [record.getMessage() for record in caplog.records]
    assert "is a cifs mount with nobrl" in message


def test_escapes_of_the_table(tmp_path: Path, mounted: Table) -> None:
    odd = tmp_path / "a b#c\\040d"
    odd.mkdir()
    escaped = str(tmp_path) + "/a\\040b\\043c\\134040d"
    path = mounted("nfs", NFS + "local_lock=all")
    path.write_text(path.read_text().replace(f" {tmp_path} ", f" {escaped} "))
    mount = find_mount(str(odd))
    assert mount is not None
    assert mount.folder == str(odd)


def test_the_table_is_read_once_for_each_device(
    stored: Open, mounted: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    path = mounted("ext4", "rw")
    store.report("s1", {"n": 1})
    path.write_text(path.read_text().replace("ext4 host:/vol rw", "lustre host:/vol rw,localflock"))
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
