"""The operations of the conformance protocol, on a store of the package pipestat-spec.

`protocol/README.md` lists them with their arguments and results.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from pipestat_spec.domain.filter_conditions import filter_from_conditions
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.times import format_utc, parse_time
from pipestat_spec.errors import (
    DocumentError,
    RecordNotFoundError,
    SchemaError,
    UnsupportedOperation,
)
from pipestat_spec.models.query import And, Query, reference_page
from pipestat_spec.models.record import Level, Record, RecordKey
from pipestat_spec.models.schema.status_schema import parse_status_schema
from pipestat_spec.models.verdict import Judgement
from pipestat_spec.store import Store

__all__ = ["OPERATIONS", "Session", "StoreSession"]

_Args = Mapping[str, Any]


class Session(ABC):
    """One open store of an implementation."""

    @abstractmethod
    def perform(self, op: str, args: _Args) -> Any:
        """Make one operation and return its JSON result; raises PipestatError."""

    @abstractmethod
    def close(self) -> None:
        """Close the store; a later session has to find what was acknowledged."""


class StoreSession(Session):
    """One open store of the package."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def perform(self, op: str, args: _Args) -> Any:
        operation = OPERATIONS.get(op)
        if operation is None:
            raise UnsupportedOperation(f"there is no operation {op!r}")
        return operation(self.store, args)

    def close(self) -> None:
        self.store.close()


def _level(args: _Args) -> Level:
    level: Level = args.get("level", "sample")
    return level


def _key(store: Store, args: _Args) -> RecordKey:
    level = _level(args)
    if level == "project" and "record" not in args:
        return RecordKey(level, store.settings.project_name)
    return RecordKey(level, args["record"])


def _report(store: Store, args: _Args) -> None:
    store.report(
        _key(store, args),
        args["values"],
        overwrite=args.get("overwrite", False),
        history=args.get("history", True),
        strict=not args.get("convert", False),
        status=args.get("status"),
        status_message=args.get("status_message"),
        source=args.get("source"),
    )


def _report_many(store: Store, args: _Args) -> None:
    store.apply(
        [
            (key, store.rules.report(key, values, overwrite=args.get("overwrite", False)))
            for key, values in (
                (RecordKey(_level(args), record), values)
                for record, values in args["records"].items()
            )
        ]
    )


def _retrieve(store: Store, args: _Args) -> dict[str, Any]:
    record = store.get(_key(store, args))
    names = args.get("results")
    if names is None:
        return dict(record.results)
    found = {name: record.results[name] for name in names if name in record.results}
    if not found:
        raise RecordNotFoundError(f"record {record.key.identifier!r} has none of the results")
    return found


def _value(store: Store, args: _Args) -> Any:
    return _retrieve(store, {**args, "results": [args["result"]]})[args["result"]]


def _describe(store: Store, args: _Args) -> dict[str, Any]:
    record = store.get(_key(store, args))
    return {
        "status": record.status,
        "status_message": record.status_message,
        "status_time": record.status_time and format_utc(record.status_time),
        "source": None if record.source is None else dict(record.source),
        "created": record.created and format_utc(record.created),
        "modified": record.modified and format_utc(record.modified),
    }


def _records(store: Store, args: _Args) -> list[str]:
    found = store.scan(_level(args), args.get("after"), args.get("limit"))
    return [record.key.identifier for record in found]


def _count(store: Store, args: _Args) -> int:
    return store.count(_level(args))


def _remove(store: Store, args: _Args) -> None:
    key = _key(store, args)
    if "result" in args:
        store.remove_result(key, args["result"])
    else:
        store.remove_record(key)


def _set_status(store: Store, args: _Args) -> None:
    store.set_status(_key(store, args), args["status"], args.get("message"), args.get("source"))


def _status_of(record: Record | None) -> str | None:
    return record.status if record else None


def _get_status(store: Store, args: _Args) -> str | None:
    return _status_of(store.read(_key(store, args)))


def _clear_status(store: Store, args: _Args) -> str | None:
    key = _key(store, args)
    names = args.get("names")
    if names is not None:
        for name in names:
            store.settings.statuses.check(name)
        if _status_of(store.read(key)) not in names:
            return None
    return store.clear_status(key)


def _statuses(store: Store, args: _Args) -> dict[str, Any]:  # noqa: ARG001
    return store.settings.statuses.as_dict()


def _history(store: Store, args: _Args) -> dict[str, dict[str, Any]]:
    wanted = args.get("result")
    found: dict[str, dict[str, Any]] = {} if wanted is None else {wanted: {}}
    for entry in store.history(_key(store, args)):
        if wanted is None or entry.result == wanted:
            found.setdefault(entry.result, {})[format_utc(entry.time)] = entry.value
    return found


def _select(store: Store, args: _Args) -> Mapping[str, Any]:
    condition = filter_from_conditions(
        args.get("conditions") or [], args.get("bool_operator", "AND")
    )
    if args.get("where") is not None:
        text = parse_filter(args["where"])
        condition = text if condition is None else And((condition, text))
    columns = args.get("columns")
    limit = args.get("limit")
    query = Query(
        _level(args),
        None if columns is None else tuple(columns),
        condition,
        limit,
        args.get("cursor"),
    )
    return reference_page(store.select(query), limit)


def _distinct(store: Store, args: _Args) -> list[list[Any]]:
    return [list(row) for row in store.distinct(_level(args), args["columns"])]


def _recent(store: Store, args: _Args) -> Mapping[str, Any]:
    start, end, limit = args.get("start"), args.get("end"), args.get("limit")
    page = store.recent(
        _level(args),
        limit=limit,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end, end=True),
        time_column=args.get("time_column", "modified"),
        cursor=args.get("cursor"),
    )
    return reference_page(page, limit)


def _verdict(store: Store, args: _Args) -> dict[str, Any]:
    judgement = store.get(_key(store, args)).judgement or Judgement()
    return {
        "verdict": str(judgement.verdict),
        "reasons": [
            {key: value for key, value in reason.as_dict().items() if key != "text"}
            for reason in judgement.reasons
        ],
    }


def _schema(store: Store, args: _Args) -> dict[str, Any]:  # noqa: ARG001
    schema = store.settings.schema
    return {
        "pipeline_name": store.namespace,
        "levels": {
            level: {
                name: {
                    "type": None if result.types is None else sorted(result.types),
                    "object_type": result.object_type,
                    "highlight": result.highlight,
                }
                for name, result in definition.results.items()
            }
            for level, definition in (schema.levels.items() if schema else ())
        },
        "statuses": list(store.settings.statuses.identifiers),
    }


def _highlighted(store: Store, args: _Args) -> list[str]:
    schema = store.settings.schema
    return schema.highlighted_results(_level(args)) if schema else []


def _ingest(store: Store, args: _Args) -> None:
    from pipestat_spec.ingest import ingest

    ingest(
        store,
        args["documents"],
        overwrite=args.get("overwrite", True),
        keep_going=args.get("keep_going", False),
        path_prefixes=[(old, new) for old, new in args.get("path_prefixes", [])],
    )


def _emit(store: Store, args: _Args) -> str:  # noqa: ARG001
    # Models of documents take longer to import than the rest, and programs start by the hundred.
    from pipestat_spec.documents.report import REPORT_DOCUMENT_VERSION, parse_report_document

    given = {_IN_DOCUMENTS.get(name, name): value for name, value in args.items()}
    document = parse_report_document({"pipestat_report": REPORT_DOCUMENT_VERSION, **given})
    if document.status is not None:
        try:
            parse_status_schema({document.status: {"description": "", "color": [0, 0, 0]}})
        except SchemaError as error:
            raise DocumentError(str(error)) from None
    return json.dumps(document.to_dict(), allow_nan=False)


_IN_DOCUMENTS = {"record": "record_identifier", "values": "results"}

OPERATIONS: Mapping[str, Callable[[Store, _Args], Any]] = {
    "report": _report,
    "report_many": _report_many,
    "retrieve": _retrieve,
    "value": _value,
    "describe": _describe,
    "records": _records,
    "count": _count,
    "remove": _remove,
    "set_status": _set_status,
    "get_status": _get_status,
    "clear_status": _clear_status,
    "statuses": _statuses,
    "history": _history,
    "select": _select,
    "distinct": _distinct,
    "recent": _recent,
    "verdict": _verdict,
    "schema": _schema,
    "highlighted": _highlighted,
    "ingest": _ingest,
    "emit": _emit,
}
