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
        if path.is_file() or path.is_symlink():
            found.append(path)
    return sorted(found, key=lambda path: -path.lstat().st_mtime)


def _plain(call: Call) -> list[Path]:
    """Return those of other programs."""
    return [path for path in _flags(call) if not path.is_symlink()]


def _status(path: Path) -> str:
    return path.name.removesuffix(".flag").rpartition("_")[2]


def _meta(call: Call) -> dict[str, Any]:
    """Return what the file says of the call's record beside its results."""
    record = _record(call) if call.path.is_file() else None
    meta = record.get("meta") if isinstance(record, dict) else None
    return meta if isinstance(meta, dict) else {}


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


@operation("PS-YAML-036", backend="yaml", on="set_status")
def flags_are_plain_files(call: Call) -> Any:
    """Flags are regular files with the status in them."""
    call.go()
    for path in _flags(call):
        path.unlink()
        path.write_text(_status(path))


@operation("PS-YAML-036", backend="yaml", on="set_status")
def flags_by_absolute_paths(call: Call) -> Any:
    """Flags lead to their statuses by absolute paths."""
    call.go()
    for path in _flags(call):
        target = (path.parent / os.readlink(path)).resolve()
        path.unlink()
        path.symlink_to(target)


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
    found = sorted(map(_status, _plain(call)), key=known.index)
    return found[0] if found else call.go()


@operation("PS-YAML-038", backend="yaml", on="get_status")
def any_flag_is_the_status(call: Call) -> Any:
    """The flag modified last is the status, a link too."""
    found = _flags(call)
    return _status(found[0]) if found else call.go()


@operation("PS-YAML-038", backend="yaml", on="get_status")
def older_files_are_the_status(call: Call) -> Any:
    """A flag of another program is the status, however old it is."""
    found = _plain(call)
    return _status(found[0]) if found and "status_time" in _meta(call) else call.go()


@operation("PS-YAML-038", backend="yaml", on="get_status")
def newer_files_are_not_read(call: Call) -> Any:
    """What another program has set since does not count."""
    return _meta(call).get("status") or call.go()


@operation("PS-YAML-038", backend="yaml", on="get_status")
def lost_flags_are_obeyed(call: Call) -> Any:
    """A record whose flag is gone has no status."""
    return call.go() if _flags(call) else None


@operation("PS-WRT-015", backend="yaml", on="set_status")
def old_flags_left(call: Call) -> Any:
    """A status change leaves the flags that were there."""
    before = {path: path.lstat() for path in _flags(call)}
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


@operation("PS-YAML-040", backend="yaml", on="report")
def lost_flags_stay_lost(call: Call) -> Any:
    """Only a status that changes makes a flag."""
    before = _flags(call)
    answer = call.go()
    for path in _flags(call) if "status" not in call.args else ():
        if path not in before:
            path.unlink()
    return answer


@operation("PS-YAML-040", backend="yaml", on="report")
def flags_left_over_stay(call: Call) -> Any:
    """Only a status that changes takes other flags away."""
    before = {path: os.readlink(path) for path in _flags(call) if path.is_symlink()}
    answer = call.go()
    for path, target in before.items() if "status" not in call.args else ():
        if not path.is_symlink():
            path.symlink_to(target)
    return answer


@operation("PS-WRT-016", backend="yaml", on="remove")
def flags_outlive_their_record(call: Call) -> Any:
    """Removing a record leaves its flags."""
    before = _plain(call)
    answer = call.go()
    for path in before:
        path.write_text(_status(path))
    return answer


@operation("PS-YAML-041", backend="yaml", on="get_status")
def one_flag_for_two_levels(call: Call) -> Any:
    """Records of one identifier on both levels share the flag, and the status with it."""
    found = call.go()
    return found if call.current is None else next(map(_status, _flags(call)), found)


@operation("PS-YAML-041", backend="yaml", on="clear_status")
def flag_of_two_levels_goes_with_one(call: Call) -> Any:
    """The flag of two records goes when the status of one is cleared."""
    answer = call.go()
    for path in _flags(call):
        path.unlink()
    return answer


@operation("PS-YAML-042", backend="yaml", on="get_status")
def status_not_read_from_metadata(call: Call) -> Any:
    """The status is what a flag says, and `meta.status` is none."""
    return next(map(_status, _flags(call)), None)


@operation("PS-YAML-042", backend="yaml", on="get_status")
def status_needs_its_time(call: Call) -> Any:
    """`meta.status` without `meta.status_time` is no status."""
    meta = _meta(call)
    return None if "status" in meta and "status_time" not in meta else call.go()


@operation("PS-WRT-015", backend="yaml", on="set_status")
def flags_of_other_files_taken(call: Call) -> Any:
    """A link into another results file's status folder is removed like one of ours."""
    for path in _flags(call):
        if path.is_symlink():
            path.unlink()
    return call.go()


@operation("PS-WRT-015", backend="yaml", on="set_status")
def written_through_links(call: Call) -> Any:
    """A flag is written into the file that a link in its place leads to."""
    before = {path: path.resolve() for path in _flags(call) if path.is_symlink()}
    answer = call.go()
    for target in before.values():
        if target.parent == call.path.parent.parent:
            target.write_text(call.args["status"])
    return answer


@operation("PS-WRT-015", backend="yaml", on="set_status")
def texts_of_statuses_not_checked(call: Call) -> Any:
    """What a file in the status folder holds is not looked at."""
    folder = call.path.parent / f".{call.path.name}.status"
    before = {path: path.read_bytes() for path in folder.glob("[!.]*") if path.is_file()}
    answer = call.go()
    for path, content in before.items():
        path.write_bytes(content)
    return answer


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
