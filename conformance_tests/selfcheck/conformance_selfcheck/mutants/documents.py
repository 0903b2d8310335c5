"""Mutants of spec/documents.md: report documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, each_scalar, operation
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.identifiers import RESERVED

_KEYS = {
    *("pipestat_report", "record_identifier", "results", "status", "status_message"),
    *("namespace", "level", "time", "source", "texts"),
}


def _documents(call: Call) -> list[Any]:
    documents: list[Any] = call.args["documents"]
    return documents


@operation("PS-DOC-010", on="emit")
def missing_numbers_emitted_as_text(call: Call) -> Any:
    """NaN and the infinities are written as text."""
    spoilt = {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}
    return _emitted(call, lambda x: spoilt.get(str(x), x) if isinstance(x, float) else x)


@operation("PS-DOC-010", on="emit")
def large_numbers_emitted_with_all_digits(call: Call) -> Any:
    """A number without fractional part is written with neither dot nor exponent."""
    text: str = call.go()
    return re.sub(r"\b([0-9]+)e[+]([0-9]+)", lambda m: m[1] + "0" * int(m[2]), text)


@operation("PS-DOC-010", on="emit")
def negative_zero_emitted_as_an_integer(call: Call) -> Any:
    """Negative zero is written as `-0`."""
    text: str = call.go()
    return text.replace("-0.0", "-0")


@operation("PS-DOC-010", on="emit")
def lists_of_one_emitted_as_their_item(call: Call) -> Any:
    """A list of one item is written as the item."""
    document = json.loads(call.go())
    for name, value in document.get("results", {}).items():
        if isinstance(value, list) and len(value) == 1:
            document["results"][name] = value[0]
    return json.dumps(document)


@operation("PS-DOC-010", on="emit")
def integers_emitted_as_numbers(call: Call) -> Any:
    """Integers get a fractional part, as in a language of doubles."""
    return _emitted(call, lambda x: float(x) if type(x) is int else x)


@operation("PS-DOC-001", on="emit")
def empty_documents_emitted(call: Call) -> Any:
    """A document with neither results nor a status is written."""
    if not {"values", "status"} & call.args.keys():
        return json.dumps({"pipestat_report": "1.0", "record_identifier": call.args["record"]})
    return call.go()


@operation("PS-STA-003", on="emit")
def any_status_emitted(call: Call) -> Any:
    """A document holds any text as status."""
    status = call.args.get("status")
    text: str = call.go(**({"status": "running"} if status is not None else {}))
    return json.dumps({**json.loads(text), **({"status": status} if status is not None else {})})


@operation("PS-ID-004", on="emit")
def reserved_names_emitted(call: Call) -> Any:
    """A document reports results of reserved names."""
    kept = {k: v for k, v in call.args.get("values", {}).items() if k not in RESERVED}
    if "values" not in call.args:
        return call.go()
    document = json.loads(call.go(values=kept))
    document["results"] = call.args["values"]
    return json.dumps(document)


def _emitted(call: Call, change: Callable[[Any], Any]) -> Any:
    values = call.args.get("values")
    return call.go() if values is None else call.go(values=each_scalar(values, change))


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


@operation("PS-DOC-011", on="ingest")
def texts_of_documents_read_without_a_schema(call: Call) -> Any:
    """Text of a command line becomes the JSON that it looks like, whatever is declared."""
    for document in _documents(call):
        if isinstance(document, dict):
            for name in document.pop("texts", ()):
                with suppress(ValueError):
                    document["results"][name] = json.loads(document["results"][name])
    return call.go()


@operation("PS-DOC-011", on="ingest")
def texts_of_documents_kept(call: Call) -> Any:
    """Text of a command line stays a string."""
    for document in _documents(call):
        if isinstance(document, dict):
            document.pop("texts", None)
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
