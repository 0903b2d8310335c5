"""Which namespaces the files of a store hold."""

from __future__ import annotations

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.text.file_names import PLACEHOLDER
from pipestat_yaml.local.local_file import LocalFile, mapped_errors
from pipestat_yaml.text.document import Document
from pipestat_yaml.text.layout import LEVEL_KEYS
from pipestat_yaml.text.loading import open_document

__all__ = ["list_namespaces", "named_in", "records_in"]


def list_namespaces(path: str) -> list[str]:
    """Return the namespaces in the file, or in all files of a `{record_identifier}` path."""
    if PLACEHOLDER not in path:
        return sorted(named_in(_open(path)))
    from pipestat_yaml.local.record_files import find_files, own_records

    found: set[str] = set()
    for file in find_files(path):
        document = _open(file)
        for name in named_in(document) - found:
            if own_records(path, file, records_in(document, name)):
                found.add(name)
    return sorted(found)


def _open(path: str) -> Document:
    with mapped_errors(path):
        return open_document(LocalFile(path).read() or b"", path)


def named_in(document: Document) -> set[str]:
    """Return the namespaces of a document."""
    return {name for name in document.namespaces if not name.startswith("_")}


def records_in(document: Document, namespace: str) -> list[str]:
    try:
        return [
            identifier
            for section in (None, *LEVEL_KEYS)
            for identifier in document.identifiers(namespace, section)
        ]
    except PipestatDataError:
        # Something else than a namespace, in a file that only looks like one of ours.
        return []
