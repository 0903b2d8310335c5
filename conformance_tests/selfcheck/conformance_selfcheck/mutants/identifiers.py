"""Mutants of spec/core.md: names that are mixed up, and files with wrong names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, operation
from pipestat_spec.errors import InvalidIdentifierError
from pipestat_spec.models.identifiers import RESERVED


@operation("PS-ID-001", on="report")
def record_identifiers_limited_to_200(call: Call) -> Any:
    """Record identifiers of more than 200 code points are refused."""
    if len(call.args.get("record", "")) > 200:
        raise InvalidIdentifierError("the identifier is too long")
    return call.go()


@operation("PS-ID-001", on="report set_status")
def control_characters_removed(call: Call) -> Any:
    """Control characters of a record identifier are removed, and not refused."""
    record = re.sub(r"[\x00-\x1f\x7f-\x9f]", "", call.args.get("record", ""))
    return call.go(record=record) if record else call.go()


@operation("PS-ID-002", on="report retrieve value records remove set_status get_status")
def case_folded(call: Call) -> Any:
    """Record identifiers are stored in lower case."""
    return call.go(record=call.args["record"].lower()) if "record" in call.args else call.go()


@operation("PS-ID-002", "PS-RES-015", on="remove")
def removal_takes_prefixes(call: Call) -> Any:
    """Removing a record also removes those whose names begin with its name and `_`."""
    call.go()
    for record in call.ask("records", level=call.level):
        if "result" not in call.args and record.startswith(call.args["record"] + "_"):
            call.go(record=record)


@operation("PS-ID-002", "PS-STA-005", on="get_status")
def status_leaks_between_prefixes(call: Call) -> Any:
    """The status of `s1_x` is the answer for `s1`, when that has none."""
    found = call.go()
    for record in call.ask("records", level=call.level) if found is None else ():
        if record.startswith(call.args.get("record", "")):
            found = found or call.go(record=record)
    return found


@operation("PS-ID-003", on="records")
def order_by_locale(call: Call) -> Any:
    """Records are listed as a dictionary orders them, without regard to case."""
    return sorted(call.go(), key=lambda record: (record.casefold(), record))


@operation("PS-ID-003", on="records")
def order_by_utf16(call: Call) -> Any:
    """Records are listed by their UTF-16 units."""
    return sorted(call.go(), key=lambda record: record.encode("utf-16-be"))


@operation("PS-ID-004", on="report")
def reserved_names_accepted(call: Call) -> Any:
    """A result with a reserved name is left out, and not refused."""
    return call.go(values={k: v for k, v in call.values.items() if k not in RESERVED})


@operation("PS-ID-009", "PS-RES-013")
def levels_mixed_up(call: Call) -> Any:
    """Records of both levels are kept in one place."""
    if call.level == "project":
        call.args.setdefault("record", call.store.settings.project_name)
    return call.go(level="sample")


@operation("PS-ID-010", on="report retrieve value set_status get_status")
def project_record_has_another_name(call: Call) -> Any:
    """The record of a project-level operation that names none is called `default`."""
    if call.level == "project" and "record" not in call.args:
        return call.go(record="default")
    return call.go()


def flag_folder(call: Call) -> Path:
    """Return the folder of the flags of a YAML store."""
    return Path(call.session.opening.settings.get("flag_file_dir", call.path.parent))


def rename_flags(call: Call, rename: Any) -> None:
    """Give every flag the name that `rename` makes of it."""
    for path in list(flag_folder(call).rglob("*.flag")):
        name = rename(path.name)
        if name != path.name:
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, path.parent / name)


@operation("PS-ID-005", on="set_status", backend="yaml")
def lower_case_escapes(call: Call) -> Any:
    """Characters in file names are percent-encoded with lower-case digits."""
    call.go()
    rename_flags(call, lambda name: re.sub("%..", lambda match: match[0].lower(), name))


@operation("PS-ID-006", on="set_status", backend="yaml")
def long_names_hashed_otherwise(call: Call) -> Any:
    """The hash of a long name in a file name is written in upper case."""
    call.go()
    rename_flags(call, lambda name: re.sub("~[0-9a-f]{16}", lambda match: match[0].upper(), name))


@operation("PS-ID-007", on="records", backend="yaml")
def records_read_from_file_names(call: Call) -> Any:
    """Every flag makes a record, named as its file is."""
    found = set(call.go())
    for path in flag_folder(call).glob(f"{call.store.namespace}_*.flag"):
        found.add(path.name.removeprefix(f"{call.store.namespace}_").rpartition("_")[0])
    return sorted(found)


@operation("PS-ID-008", on="set_status", backend="yaml")
def identifier_escapes_its_folder(call: Call) -> Any:
    """The name of a flag is made of the record identifier as it is, `../` included."""
    call.go()
    record, status = call.args["record"], call.args["status"]
    if "../" in record or record.startswith("/"):
        path = Path(os.path.normpath(flag_folder(call) / f"{record}_{status}.flag"))
        # Never beyond what the suite removes after the vector.
        top = call.path.parent.parent
        if path.is_relative_to(top):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(status)
