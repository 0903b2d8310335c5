"""Mutants of spec/writers.md: flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from conformance_selfcheck.mutants.identifiers import flag_folder, rename_flags
from conformance_selfcheck.mutants.mutation import Call, operation
from conformance_selfcheck.mutants.yaml_documents import load
from conformance_selfcheck.mutants.yaml_store import text_of


def _flags(call: Call) -> list[Path]:
    """Return the flags of the call's record, the one modified last first."""
    start = f"{call.store.namespace}_{call.key.identifier}_"
    found = []
    for status in call.store.settings.statuses.identifiers:
        path = flag_folder(call) / f"{start}{status}.flag"
        if path.is_file():
            found.append(path)
    return sorted(found, key=lambda path: -path.stat().st_mtime)


def _status(path: Path) -> str:
    return path.name.removesuffix(".flag").rpartition("_")[2]


@operation("PS-YAML-036", backend="yaml", on="set_status")
def flags_without_namespace(call: Call) -> Any:
    """The name of a flag begins with the record."""
    call.go()
    rename_flags(call, lambda name: name.removeprefix(f"{call.store.namespace}_"))


@operation("PS-YAML-036", backend="yaml", on="set_status")
def flags_are_empty(call: Call) -> Any:
    """Flags have no content."""
    call.go()
    for path in _flags(call):
        path.write_bytes(b"")


@operation("PS-YAML-037", backend="yaml", on="get_status")
def flags_found_by_a_pattern(call: Call) -> Any:
    """The status is looked for by the pattern `{namespace}_{record}*.flag`."""
    start = f"{call.store.namespace}_{call.key.identifier}"
    names = sorted(os.listdir(flag_folder(call))) if flag_folder(call).is_dir() else []
    found = [name for name in names if name.startswith(start) and name.endswith(".flag")]
    return _status(Path(found[0])) if found else call.go()


@operation("PS-YAML-038", backend="yaml", on="get_status")
def first_flag_is_the_status(call: Call) -> Any:
    """Of several flags, the one whose status is defined first counts."""
    known = call.store.settings.statuses.identifiers
    found = sorted(map(_status, _flags(call)), key=known.index)
    return found[0] if found else call.go()


@operation("PS-YAML-038", backend="yaml", on="set_status")
def old_flags_left(call: Call) -> Any:
    """A status change leaves the flags that were there."""
    before = {path: path.stat() for path in _flags(call)}
    call.go()
    for path, old in before.items():
        if not path.exists():
            path.write_text(_status(path))
            os.utime(path, (old.st_atime - 10, old.st_mtime - 10))


@operation("PS-YAML-039", backend="yaml", on="records")
def flags_make_records(call: Call) -> Any:
    """A flag makes its record appear in listings."""
    found = set(call.go())
    for path in flag_folder(call).glob(f"{call.store.namespace}_*.flag"):
        found.add(path.name.removeprefix(f"{call.store.namespace}_").rpartition("_")[0])
    return sorted(found)


@operation("PS-YAML-040", backend="yaml", on="remove")
def flags_outlive_their_record(call: Call) -> Any:
    """Removing a record leaves its flags."""
    before = _flags(call)
    answer = call.go()
    for path in before:
        path.write_text(_status(path))
    return answer


@operation("PS-YAML-041", backend="yaml", on="get_status")
def one_flag_for_two_levels(call: Call) -> Any:
    """Records of one identifier on both levels share the flag, and the status with it."""
    found = call.go()
    return found if call.current is None else next(map(_status, _flags(call)), found)


@operation("PS-YAML-042", backend="yaml", on="get_status")
def status_read_from_metadata(call: Call) -> Any:
    """`meta.status` is the status where there is no flag."""
    found = call.go()
    if found is not None or not call.path.is_file():
        return found
    record = _record(call)
    status = (record.get("meta") or {}).get("status") if isinstance(record, dict) else None
    return status if isinstance(status, str) else None


def _record(call: Call) -> Any:
    document = load(text_of(call.path))
    value = document.get(call.store.namespace) if isinstance(document, dict) else None
    if isinstance(value, dict) and value.keys() <= {"sample", "project"}:
        value = value.get(call.level)
    return value.get(call.key.identifier) if isinstance(value, dict) else None


@operation("PS-WRT-016", backend="yaml", on="clear_status")
def clearing_takes_prefixes(call: Call) -> Any:
    """Clearing a status removes all flags that begin with the record's name."""
    answer = call.go()
    start = f"{call.store.namespace}_{call.key.identifier}_"
    for path in flag_folder(call).glob("*.flag"):
        if path.name.startswith(start):
            path.unlink()
    return answer


@operation("PS-WRT-016", backend="yaml", on="clear_status")
def other_flags_outlive_clearing(call: Call) -> Any:
    """Of several flags, clearing removes the one that is the status."""
    before = _flags(call)[1:]
    answer = call.go()
    for path in before:
        path.write_text(_status(path))
    return answer
