"""Where a manager's results and flags are, and the file that a new store starts with."""

from __future__ import annotations

import os

from pipestat_spec.errors import PipestatStartupError
from pipestat_spec.models.config import Config
from pipestat_spec.text.file_names import PLACEHOLDER
from pipestat_spec.text.yaml_writer import yaml_text

__all__ = ["create_results_file", "flag_folder"]


def flag_folder(config: Config, file: str | None) -> str | None:
    """Return the folder of the status flags, None for a store that has none."""
    if file is None:
        return None
    folder: str = config.get("flag_file_dir") or os.path.dirname(file)
    return folder


def create_results_file(config: Config, path: str | None, pipeline_name: str) -> None:
    """Write a local results file without records where none exists, as pipestat does.

    Programs that read it directly may do so before the first report. Raises
    PipestatStartupError.
    """
    if path is None or config.get("results_file_path") is None or "://" in path:
        return
    if config.get("backend", "yaml") != "yaml" or config.get("layout", "levels") != "levels":
        return
    if PLACEHOLDER in str(config.get("results_file_path")) or os.path.exists(path):
        return
    text = yaml_text({pipeline_name: {"project": {}, "sample": {}}}) + "\n"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # Whoever is first makes it; what another writer replaces it with meanwhile stays.
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return
    except OSError as error:
        raise PipestatStartupError(f"{path}: {error.strerror}", file=path) from None
