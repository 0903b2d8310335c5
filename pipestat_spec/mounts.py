"""What the locks of a mount are worth, read from the mount table (spec/writers.md).

`flock` locks whole files, as stores of text files do; `posix` locks ranges of bytes, as SQLite
does. A mount can keep one on its own machine and send the other to the server.
"""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.errors import UnsafeStoreError
from pipestat_spec.logs import logger

__all__ = [
    "MOUNT_TABLE",
    "Locks",
    "Mount",
    "check_locks",
    "find_mount",
    "is_on_network",
    "lock_fault",
    "unlockable",
    "warn_unsafe",
]

Locks: TypeAlias = Literal["flock", "posix"]
MOUNT_TABLE = "/proc/self/mountinfo"


class _Kind(NamedTuple):
    """What is known of a network file system.

    Each option of `local` keeps the locks of that kind on the machine that asks for them. Where
    locks are `doubtful`, what becomes of them is set up on the server or in a file of options.
    """

    local: dict[Locks, frozenset[str]]
    doubtful: bool = False


def _both(*options: str) -> dict[Locks, frozenset[str]]:
    return {"flock": frozenset(options), "posix": frozenset(options)}


_NFS = _Kind(
    {
        "flock": frozenset(("nolock", "local_lock=all", "local_lock=flock")),
        "posix": frozenset(("nolock", "local_lock=all", "local_lock=posix")),
    }
)
_CIFS = _Kind(_both("nobrl", "nolock"))
_SURE, _DOUBTFUL = _Kind({}), _Kind({}, doubtful=True)
# The options are those of nfs(5), mount.cifs(8), mount.lustre(8), gfs2(5) and of OCFS2 in the
# kernel's documentation. FUSE gives locks to its file systems only if they ask for them.
_KINDS: dict[str, _Kind] = {
    "nfs": _NFS,
    "nfs4": _NFS,
    "lustre": _Kind(_both("localflock", "noflock")),
    "cifs": _CIFS,
    "smb3": _CIFS,
    "gfs2": _Kind(_both("localflocks")),
    "ocfs2": _Kind({"flock": frozenset(("localflocks",))}),
    **dict.fromkeys(("afs", "ceph", "fuse.glusterfs", "glusterfs", "gpfs", "panfs"), _SURE),
    **dict.fromkeys(
        (
            *("9p", "beegfs", "ncpfs", "orangefs", "smbfs", "vboxsf", "virtiofs"),
            *("fuse.gcsfuse", "fuse.goofys", "fuse.mount-s3", "fuse.rclone", "fuse.s3fs"),
            "fuse.sshfs",
        ),
        _DOUBTFUL,
    ),
}
_HINT = (
    "use a path with {record_identifier}, a database server, or ingest report documents in one "
    "process; 'unsafe_writes: true' accepts that simultaneous writers lose results"
)
_known: dict[tuple[int, int, Locks], str | None] = {}


class Mount(NamedTuple):
    """One line of the mount table."""

    device: str
    folder: str
    kind: str
    options: frozenset[str]


def check_locks(folder: str, locks: Locks) -> None:
    """Raise UnsafeStoreError when locks in `folder`, which need not exist, exclude nobody.

    Where that is not known a warning says so, once for each mount and process.
    """
    if fault := lock_fault(folder, locks):
        raise UnsafeStoreError(f"{folder}: {fault}", hint=_HINT, folder=folder)


def unlockable(folder: str) -> UnsafeStoreError:
    """Return the error about an existing folder in which no file can be locked."""
    mount = find_mount(folder)
    where = f"{mount.folder} is a {mount.kind} mount" if mount else "it lies on a mount"
    return UnsafeStoreError(f"{folder}: {where} that has no locks", hint=_HINT, folder=folder)


def lock_fault(folder: str, locks: Locks) -> str | None:
    """Return why locks in `folder` exclude nobody, or None; looked up once for each device."""
    if not os.path.exists(folder):
        folder = _existing(folder)
    # A child process after a fork may live in another mount namespace.
    key = (os.getpid(), os.stat(folder).st_dev, locks)
    if key not in _known:
        mount = find_mount(os.path.realpath(folder))
        _known[key] = _fault_of(mount, locks) if mount else None
        if mount and _KINDS.get(mount.kind, _SURE).doubtful:
            logger().warning(
                "%s: %s is a %s mount: whether a lock there excludes writers on other hosts cannot "
                "be seen; write from one host at a time, or to a database server",
                *(folder, mount.folder, mount.kind),
            )
    return _known[key]


def warn_unsafe(fault: str) -> None:
    """Say that the promises to simultaneous writers are not given."""
    logger().warning("%s; with unsafe_writes, simultaneous writers can lose results", fault)


def is_on_network(folder: str) -> bool:
    """Tell whether an existing folder lies on a file system that other hosts may have mounted."""
    mount = find_mount(os.path.realpath(folder))
    return mount is not None and mount.kind in _KINDS


def _existing(folder: str) -> str:
    folder = os.path.realpath(folder)
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def find_mount(folder: str) -> Mount | None:
    """Return the mount that an existing folder lies on; None where there is no table."""
    try:
        with open(MOUNT_TABLE, encoding="utf-8", errors="surrogateescape") as lines:
            mounts = [mount for line in lines if (mount := _parse(line))]
    except OSError:
        return None
    device = os.stat(folder).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    around = [mount for mount in mounts if _holds(mount.folder, folder)]
    # A later line covers an earlier one with the same folder; the longest folder wins.
    around.sort(key=lambda mount: (mount.device == number, len(mount.folder)))
    if not around:
        return None
    best = around[-1]
    same = [m for m in around if (m.device, m.folder) == (best.device, best.folder)]
    return same[-1]


def _parse(line: str) -> Mount | None:
    fields = line.split()
    try:
        dash = fields.index("-", 6)
        device, folder, kind = fields[2], _unescape(fields[4]), fields[dash + 1]
        options = {*fields[5].split(","), *fields[dash + 3].split(",")}
    except (ValueError, IndexError):
        return None
    return Mount(device, folder, kind, frozenset(options))


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _holds(outer: str, folder: str) -> bool:
    return folder == outer or folder.startswith(outer.rstrip("/") + "/")


def _fault_of(mount: Mount, locks: Locks) -> str | None:
    """Return why locks on this mount exclude nobody, or None."""
    harmful = mount.options & _KINDS.get(mount.kind, _SURE).local.get(locks, frozenset())
    if not harmful:
        return None
    return (
        f"{mount.folder} is a {mount.kind} mount with {', '.join(sorted(harmful))}, "
        "where a lock does not exclude writers on other hosts"
    )
