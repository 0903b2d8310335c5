"""Where the results and the files of a record are (SPEC.md sections 3.5 and 7.6)."""

from __future__ import annotations

import os

from pipestat_spec.models.file_names import PLACEHOLDER, expand_record_path
from pipestat_spec.store import Store

__all__ = ["record_folder", "results_file"]


def results_file(store: Store, identifier: str | None) -> str | None:
    """Return the results file, of a record where each has its own; None where there is none."""
    file: str | None = getattr(store.backend, "file", None)
    if file is None or identifier is None or PLACEHOLDER not in file:
        return file
    return expand_record_path(file, identifier)


def record_folder(store: Store, identifier: str) -> str:
    """Return the folder where relative paths of a record's files start (PS-REC-005)."""
    file = results_file(store, identifier)
    return store.settings.base_folder if file is None else os.path.dirname(file)
