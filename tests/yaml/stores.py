"""Short forms for what a test does to a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pipestat_yaml.plugin import YamlFactory

from pipestat_spec.backend import StoreSettings
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from tests.open_backend import OpenBackend


@dataclass
class Stored(OpenBackend):
    """A backend and the path of its file."""

    path: Path

    def raw(self) -> Any:
        """Return the file as PyYAML reads it."""
        return yaml.safe_load(self.path.read_bytes())

    def vouched(self) -> bool:
        """Tell whether the file ends in our trailer."""
        return self.path.read_bytes().rstrip().rpartition(b"\n")[2].startswith(b"# pipestat-spec: ")

    def beside(self) -> set[str]:
        """Return the names of everything in the file's folder."""
        return {path.name for path in self.path.parent.iterdir()}


def settings_for(path: Path, **changes: Any) -> StoreSettings:
    config = {"results_file_path": str(path), **changes.pop("config", {})}
    return StoreSettings(
        namespace=changes.pop("namespace", "demo"),
        statuses=changes.pop("statuses", DEFAULT_STATUS_SCHEMA),
        config=config,
        **changes,
    )


def open_stored(path: Path, **changes: Any) -> Stored:
    return Stored(YamlFactory().open(settings_for(path, **changes)), path)
