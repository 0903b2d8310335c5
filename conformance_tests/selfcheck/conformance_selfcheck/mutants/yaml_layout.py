"""Mutants of spec/yaml.md: the two layouts, and of writers.md: one file for each record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, opening, operation
from conformance_selfcheck.mutants.yaml_documents import dump, load
from conformance_selfcheck.mutants.yaml_store import (
    PLACEHOLDER,
    reading,
    replace_texts,
    results_files,
    text_of,
    written,
)
from pipestat_spec.errors import LayoutError, PipestatError, RecordNotFoundError

_LEVELS = {"sample", "project"}


def is_levels(namespace: Any) -> bool:
    """Tell whether a namespace has the layout `levels`, roughly."""
    return isinstance(namespace, dict) and bool(namespace) and namespace.keys() <= _LEVELS


@reading("PS-YAML-001")
def levels_layout_unknown(text: str) -> str:
    """A file in the layout `levels` cannot be read."""
    document = load(text)
    if isinstance(document, dict) and any(map(is_levels, document.values())):
        raise LayoutError("this layout is not known")
    return text


@reading("PS-YAML-002")
def any_key_called_sample_makes_levels(text: str) -> str:
    """A namespace with a key `sample` or `project` is taken for `levels`, whatever else it has."""
    document = load(text)
    if not isinstance(document, dict):
        return text
    changed = {
        name: {k: v if isinstance(v, dict) else {} for k, v in value.items() if k in _LEVELS}
        if isinstance(value, dict) and value.keys() & _LEVELS
        else value
        for name, value in document.items()
    }
    return text if changed == document else dump(changed)


@reading("PS-YAML-002")
def null_records_left_out(text: str) -> str:
    """A record whose value is null is no record."""
    document = load(text)
    if not isinstance(document, dict):
        return text
    changed = {
        name: {k: v for k, v in value.items() if v is not None}
        if isinstance(value, dict)
        else value
        for name, value in document.items()
    }
    return text if changed == document else dump(changed)


def _as_levels(text: str, namespace: str) -> str:
    document = load(text)
    value = document.get(namespace) if isinstance(document, dict) else None
    if not isinstance(value, dict) or is_levels(value):
        return text
    return dump({**document, namespace: {"project": {}, "sample": value}})


@operation("PS-YAML-003", backend="yaml", on="report set_status remove")
def layout_changed_when_writing(call: Call) -> Any:
    """Every file that is written becomes `levels`."""
    before = [path.read_bytes() for path in results_files(call.session.place)]
    answer = call.go()
    if before and before != [path.read_bytes() for path in results_files(call.session.place)]:
        replace_texts(call.session.place, lambda text: _as_levels(text, call.store.namespace))
    return answer


@opening("PS-YAML-004", backend="yaml")
def new_files_always_levels(schema: Any, settings: dict[str, Any]) -> Any:
    """A new file is written as `levels`, whatever the schema declares."""
    if not results_files(settings["store"]):
        settings.setdefault("layout", "levels")
    return schema


@written("PS-YAML-004")
def empty_levels_left_out(text: str) -> str:
    """In `levels`, a level without records is not written."""
    document = load(text)
    return dump(
        {k: {n: r for n, r in v.items() if r} if is_levels(v) else v for k, v in document.items()}
    )


@opening("PS-YAML-005", backend="yaml")
def configured_layout_ignored(schema: Any, settings: dict[str, Any]) -> Any:
    """A configured layout is ignored where the file has another one."""
    if results_files(settings["store"]):
        settings.pop("layout", None)
    return schema


@operation("PS-YAML-006", backend="yaml", on="report set_status")
def project_results_convert_the_file(call: Call) -> Any:
    """A project-level write to a `records` file makes it `levels`, unasked."""
    if call.level == "project":
        replace_texts(call.session.place, lambda text: _as_levels(text, call.store.namespace))
    return call.go()


@operation("PS-YAML-006", backend="yaml", on="records count retrieve get_status")
def project_level_unreadable_in_records(call: Call) -> Any:
    """A project-level read of a `records` file is refused."""
    if call.level == "project" and call.path.is_file():
        document = load(text_of(call.path))
        value = document.get(call.store.namespace) if isinstance(document, dict) else None
        if value and not is_levels(value):
            raise LayoutError("this file holds no project-level results")
    return call.go()


@operation("PS-YAML-007", backend="yaml", on="report set_status")
def records_called_sample_renamed(call: Call) -> Any:
    """A record called `sample` or `project` is written under another name."""
    record = call.args.get("record")
    if record in _LEVELS and call.level == "sample":
        return call.go(record=f"{record}_")
    return call.go()


@opening("PS-YAML-008", backend="yaml")
def any_file_opened(schema: Any, settings: dict[str, Any]) -> Any:
    """A file of another namespace is opened, and the namespace added to it."""
    settings["multi_pipelines"] = True
    return schema


@operation("PS-YAML-008", backend="yaml", on="report")
def other_namespaces_dropped(call: Call) -> Any:
    """A writer keeps its own namespace alone."""
    call.go()
    namespace = call.store.namespace
    replace_texts(call.session.place, lambda text: dump({namespace: load(text)[namespace]}))


@operation("PS-YAML-008", "PS-RES-013", backend="yaml", on="records count")
def namespaces_leak(call: Call) -> Any:
    """Records of all namespaces of a file are listed and counted."""
    found = set(call.ask("records", level=call.level))
    if call.path.is_file() and call.level == "sample":
        for value in (load(text_of(call.path)) or {}).values():
            found.update((value.get("sample") or {}) if is_levels(value) else value or {})
    return sorted(found) if call.op == "records" else len(found)


def _found(call: Call) -> dict[str, Path]:
    """Return the file of each record that any of a template's files holds."""
    found = {}
    for path in results_files(call.session.place):
        try:
            records = load(text_of(path)).get(call.store.namespace) or {}
        except (AttributeError, PipestatError):
            continue
        found.update(dict.fromkeys(records, path))
    return found


@operation("PS-YAML-033", backend="yaml", on="report")
def records_files_named_by_hand(call: Call) -> Any:
    """In the file name of a record, spaces become underscores."""
    call.go()
    if PLACEHOLDER in call.session.place["path"]:
        for path in results_files(call.session.place):
            folder = Path(str(path).replace(" ", "_").replace("%", "_"))
            folder.parent.mkdir(parents=True, exist_ok=True)
            path.rename(folder)


@operation("PS-YAML-034", backend="yaml", on="records count select")
def only_own_files_listed(call: Call) -> Any:
    """Only the records that this process has written are listed."""
    found = call.go()
    if PLACEHOLDER not in call.session.place["path"]:
        return found
    empty = {"records": [], "count": 0}
    return empty.get(
        call.op, {**found, "records": [], "total_size": 0} if call.op == "select" else found
    )


@operation("PS-YAML-035", backend="yaml")
def misplaced_records_returned(call: Call) -> Any:
    """A record that stands in the file of another one is returned all the same."""
    if call.op == "records" and PLACEHOLDER in call.session.place["path"]:
        return sorted({*call.go(), *_found(call)})
    try:
        return call.go()
    except RecordNotFoundError:
        path = _found(call).get(call.args.get("record", ""))
        if path is None or call.op != "retrieve":
            raise
        record = load(text_of(path))[call.store.namespace][call.args["record"]]
        return {name: value for name, value in record.items() if name != "meta"}
