"""A target opens stores, and a session performs the operations on one."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.operations import Session, StoreSession
from pipestat_conformance.vectors import Opening
from pipestat_spec.store import Store

__all__ = ["PluginTarget", "Target", "clean_settings", "default_profiles"]


class Target(ABC):
    """One implementation under test."""

    name: str
    version: str = "0"
    language: str = "Python"
    # Known once the capabilities were asked for.
    refused_identifiers: str | None = None

    @abstractmethod
    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
        """Return what a store opened so claims; `folder` is for files of the target's own."""

    @abstractmethod
    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        """Open a store; raises PipestatError."""

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        """Return the profiles that are claimed."""
        return default_profiles(capabilities)

    def close(self) -> None:  # noqa: B027
        """Let go of what is kept for all stores; more of them may be opened afterwards."""


def default_profiles(capabilities: tuple[str, ...], *layouts: str) -> tuple[str, ...]:
    """Return what a backend behind our own domain claims: every profile it is capable of."""
    capable = ("history", "concurrent-writers", "durable", "exact-integers")
    domain = ("emitter", "core", "schema", "documents", "query", "qc")
    return (*domain, *(name for name in capable if name in capabilities), *layouts)


@contextmanager
def clean_settings() -> Iterator[None]:
    """Hide the caller's PIPESTAT_ variables, but for those that choose plugins."""
    kept = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("PIPESTAT_") and name != "PIPESTAT_PLUGINS"
    }
    try:
        yield
    finally:
        os.environ.update(kept)


@dataclass
class PluginTarget(Target):
    """A storage plugin of the package pipestat-spec, by the name of its backend.

    In `store`, `path` is the results file of a backend that has one; keys of the
    configuration stand for themselves; all others are the backend's own options.
    """

    name: str
    layouts: tuple[str, ...] = field(default=(), init=False)
    # The store that told the capabilities stays open: others of its server share its connections,
    # which without it were made anew for each of them.
    _kept: Store | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.version = _version(self.name)
        self.layouts = {"yaml": ("yaml-layout",), "sql": ("sql-layout",)}.get(self.name, ())

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
        self.close()
        kept = self._kept = self.open_store(store, Opening(None, {"namespace": "ns"}), folder)
        self.refused_identifiers = kept.backend.refused_identifiers
        return tuple(sorted(map(str, kept.backend.capabilities)))

    def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        return default_profiles(capabilities, *self.layouts)

    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        return StoreSession(self.open_store(store, opening, folder))

    def open_store(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Store:
        """Open the store as a configuration would; raises PipestatError."""
        from pipestat_spec.configuration import parse_config
        from pipestat_spec.models.config import Config
        from pipestat_spec.opening import open_store
        from pipestat_spec.plugins.loading import plugins

        with clean_settings():
            document = {**self._configuration(store), **_settings(opening, folder)}
            config: Config = parse_config(document, backends=plugins().backends)
            return open_store(config, {}).store

    def _configuration(self, store: Mapping[str, Any]) -> dict[str, Any]:
        from pipestat_spec.models.config import KEYS
        from pipestat_spec.plugins.loading import plugins

        implied_by = plugins().backend(self.name).implied_by
        config: dict[str, Any] = {"backend": self.name}
        options: dict[str, Any] = {}
        for key, value in store.items():
            if key == "path" and "results_file_path" in implied_by:
                config["results_file_path"] = value
            else:
                (config if key in KEYS else options)[key] = value
        return {**config, self.name: options} if options else config


def _version(backend: str) -> str:
    """Return the version of the distribution that brings a backend; of a stand-in, our own."""
    from importlib.metadata import version

    from pipestat_spec.plugins.loading import plugins

    found = plugins()
    owner = found.providers.get(f"backend:{backend}")
    brought = [p.entry_point.distribution for p in found.loaded if p.name == owner]
    # What was laid into a folder by hand may state none.
    return version(brought[0] if brought else "pipestat-spec") or Target.version


_RENAMED = {"namespace": "pipeline_name"}


def _settings(opening: Opening, folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in opening.settings.items():
        if key == "status_schema":
            settings["status_schema_path"] = _written(value, folder / "status_schema.json")
        elif value is not None:
            settings[_RENAMED.get(key, key)] = value
    if opening.schema is not None:
        settings["schema_path"] = _written(opening.schema, folder / "output_schema.json")
    # A dollar sign in a setting is itself here, not a variable.
    return {key: _escaped(value) for key, value in settings.items()}


def _written(document: Any, path: Path) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def _escaped(value: Any) -> Any:
    return value.replace("${", "$${") if isinstance(value, str) else value
