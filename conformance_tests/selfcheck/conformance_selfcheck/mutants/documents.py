"""Mutants of spec/documents.md: report documents."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, each_scalar, operation
from pipestat_spec.errors import PipestatError

_KEYS = {
    *("pipestat_report", "record_identifier", "results", "status", "status_message"),
    *("namespace", "level", "time", "source"),
}


def _documents(call: Call) -> list[Any]:
    documents: list[Any] = call.args["documents"]
    return documents


@operation("PS-DOC-001", on="ingest")
def unknown_keys_ignored(call: Call) -> Any:
    """Keys of a document that do not exist are ignored."""
    return call.go(
        documents=[
            {k: v for k, v in d.items() if k in _KEYS} if isinstance(d, dict) else d
            for d in _documents(call)
        ]
    )


@operation("PS-DOC-001", on="ingest")
def foreign_namespaces_ingested(call: Call) -> Any:
    """A document of another namespace is ingested."""
    for document in _documents(call):
        if isinstance(document, dict):
            document.pop("namespace", None)
    return call.go()


@operation("PS-DOC-003", on="ingest")
def documents_stored_one_by_one(call: Call) -> Any:
    """Documents are stored one after the other, until one is wrong."""
    for document in _documents(call):
        call.go(documents=[document])


@operation("PS-DOC-003", on="ingest")
def wrong_documents_skipped(call: Call) -> Any:
    """Wrong documents are left out, though nobody asked for that."""
    return call.go(keep_going=True)


@operation("PS-DOC-004", on="ingest")
def last_document_wins(call: Call) -> Any:
    """Of documents of one record the last in order wins, whatever its attempt and time."""
    for document in _documents(call):
        if isinstance(document, dict):
            document.pop("time", None)
            if isinstance(document.get("source"), dict):
                document["source"].pop("attempt", None)
    return call.go()


@operation("PS-DOC-005", on="ingest")
def ingestion_never_overwrites(call: Call) -> Any:
    """What is stored stays, unless the caller asks for overwriting."""
    return call.go(overwrite=call.args.get("overwrite", False))


@operation("PS-DOC-005", on="ingest")
def ingestion_always_overwrites(call: Call) -> Any:
    """What is stored is replaced, though overwriting is switched off."""
    return call.go(overwrite=True)


@operation("PS-DOC-006", on="ingest")
def ingestion_begins_anew(call: Call) -> Any:
    """Every ingestion removes what it is about, and stores it anew."""
    for document in _documents(call):
        if isinstance(document, dict):
            with suppress(PipestatError, KeyError):
                level = document.get("level", "sample")
                call.ask("remove", record=document["record_identifier"], level=level)
    return call.go()


@operation("PS-DOC-007", on="ingest")
def interrupted_ingestion_not_completed(call: Call) -> Any:
    """A call of which some is stored already is taken for done."""
    records = call.ask("records") + call.ask("records", level="project")
    if any(isinstance(d, dict) and d.get("record_identifier") in records for d in _documents(call)):
        return None
    return call.go()


@operation("PS-DOC-008", on="ingest")
def prefixes_match_names_that_go_on(call: Call) -> Any:
    """The prefix `/work` also matches `/workshop/x`."""
    prefixes = call.args.pop("path_prefixes", [])

    def mapped(value: Any) -> Any:
        for old, new in prefixes:
            if isinstance(value, str) and value.startswith(old):
                return new + value[len(old) :]
        return value

    return call.go(
        documents=[
            {**d, "results": each_scalar(d.get("results", {}), mapped)} for d in _documents(call)
        ]
    )


@operation("PS-DOC-008", on="ingest")
def first_prefix_applies(call: Call) -> Any:
    """Of several prefixes the first one applies, and not the longest."""
    prefixes = call.args.get("path_prefixes", [])
    kept = [
        p for i, p in enumerate(prefixes) if not any(p[0].startswith(q[0]) for q in prefixes[:i])
    ]
    return call.go(path_prefixes=kept)
