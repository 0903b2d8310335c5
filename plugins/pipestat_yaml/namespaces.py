"""Which namespaces the files of a store hold."""

from __future__ import annotations

from pipestat_yaml.loading import open_document
from pipestat_yaml.local_file import LocalFile, mapped_errors
from pipestat_yaml.results_file import PLACEHOLDER

__all__ = ["list_namespaces"]


def list_namespaces(path: str) -> list[str]:
    """Return the namespaces in the file, or in all files of a `{record_identifier}` path."""
    files = [path]
    if PLACEHOLDER in path:
        from pipestat_yaml.record_files import find_files

        files = find_files(path)
    found: set[str] = set()
    for file in files:
        with mapped_errors(file):
            document = open_document(LocalFile(file).read() or b"", file)
        found.update(name for name in document.namespaces if not name.startswith("_"))
    return sorted(found)
