"""Mounts on which a file lock excludes nobody, read from the mount table (spec/writers.md)."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from pipestat_spec.errors import UnsafeStoreError

__all__ = ["MOUNT_TABLE", "Mount", "check_locks", "find_mount", "lock_fault", "unlockable"]

MOUNT_TABLE = "/proc/self/mountinfo"
_HINT = (
    "use a path with {record_identifier} or a database, or ingest report documents in one process; "
    "'unsafe_writes: true' accepts that simultaneous writers lose results"
)
_known: dict[tuple[int, int], str | None] = {}


class Mount(NamedTuple):
    """One line of the mount table."""

    device: str
    folder: str
    kind: str
    options: frozenset[str]


def check_locks(folder: str, table: str | None = None) -> None:
    """Raise UnsafeStoreError when a lock in `folder`, which need not exist, excludes nobody."""
    fault = lock_fault(folder, table)
    if fault:
        raise UnsafeStoreError(f"{folder}: {fault}", hint=_HINT, folder=folder)


def unlockable(folder: str) -> UnsafeStoreError:
    """Return the error about an existing folder in which no file can be locked."""
    mount = find_mount(folder, MOUNT_TABLE)
    where = f"{mount.folder} is a {mount.kind} mount" if mount else "it lies on a mount"
    return UnsafeStoreError(f"{folder}: {where} that has no locks", hint=_HINT, folder=folder)


def lock_fault(folder: str, table: str | None = None) -> str | None:
    """Return why a lock in `folder` excludes nobody, or None; looked up once for each device."""
    if not os.path.exists(folder):
        folder = _existing(folder)
    # A child process after a fork may live in another mount namespace.
    key = (os.getpid(), os.stat(folder).st_dev)
    if table is None and key in _known:
        return _known[key]
    mount = find_mount(os.path.realpath(folder), table or MOUNT_TABLE)
    fault = _fault_of(mount) if mount else None
    if table is None:
        _known[key] = fault
    return fault


def _existing(folder: str) -> str:
    folder = os.path.realpath(folder)
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def find_mount(folder: str, table: str) -> Mount | None:
    """Return the mount that an existing folder lies on; None where there is no table."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as lines:
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
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _holds(outer: str, folder: str) -> bool:
    return folder == outer or folder.startswith(outer.rstrip("/") + "/")


def _fault_of(mount: Mount) -> str | None:
    """Return why locks on this mount exclude nobody, or None."""
    if mount.kind in ("nfs", "nfs4"):
        harmful = mount.options & {"nolock", "local_lock=all", "local_lock=flock"}
    elif mount.kind == "lustre":
        harmful = mount.options & {"localflock", "noflock"}
    else:
        return None
    if not harmful:
        return None
    return (
        f"{mount.folder} is a {mount.kind} mount with {', '.join(sorted(harmful))}, "
        "where a lock does not exclude writers on other hosts"
    )
