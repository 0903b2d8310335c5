"""Where files that are made of the results go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipestat_spec.text.file_names import PLACEHOLDER, encode_component

if TYPE_CHECKING:
    from pipestat_spec.opening import OpenedStore

__all__ = ["link_folder", "output_folder"]


def output_folder(opened: OpenedStore, given: str | os.PathLike[str] | None = None) -> str:
    """Return the folder given, that of the configuration, or that of the results.

    The last is the results file's, without what differs from record to record; for a store
    without a local file it is that of the configuration file, or the current one.
    """
    folder = given or opened.config.get("output_dir")
    if folder:
        return os.fspath(folder)
    file = opened.store.results_file(None)
    if file is not None and "://" not in file:
        return os.path.dirname(file.partition(PLACEHOLDER)[0])
    return os.path.dirname(opened.config.path) if opened.config.path else os.getcwd()


def link_folder(opened: OpenedStore, output_dir: str | None = None) -> str:
    """Return the folder of the links, `{pipeline}_links` among the other output."""
    name = f"{encode_component(opened.store.namespace)}_links"
    return os.path.join(output_folder(opened, output_dir), name)
