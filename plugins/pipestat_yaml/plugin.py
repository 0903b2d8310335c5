"""The plugin's registration; imports its libraries when a store is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pipestat_yaml.remote.urls import Location

__all__ = ["YamlFactory", "register_backends"]

_PATH = "results_file_path"


class YamlFactory(BackendFactory):
    """Opens results files in YAML."""

    name = "yaml"
    implied_by = (_PATH,)

    def open(self, settings: StoreSettings) -> Backend:
        """Open the file, or the files of a `{record_identifier}` path; they need not exist."""
        from pipestat_spec.text.file_names import PLACEHOLDER

        path = _path(settings)
        if not isinstance(path, str):
            from pipestat_yaml.remote.factory import open_backend

            return open_backend(path, settings)
        settings = _with_local_flags(settings)
        if PLACEHOLDER in path:
            from pipestat_yaml.local.record_files import RecordFilesBackend

            return RecordFilesBackend(path, settings)
        from pipestat_yaml.local.backend import open_file

        return open_file(path, settings)

    def namespaces(self, settings: StoreSettings) -> list[str]:
        """Return the namespaces that the file or the files hold, in code-point order."""
        from pipestat_spec.text.file_names import PLACEHOLDER

        path = _path(settings)
        if not isinstance(path, str):
            from pipestat_yaml.remote import factory

            return factory.list_namespaces(path, settings)
        if PLACEHOLDER in path:
            from pipestat_yaml.local import record_files

            return record_files.list_namespaces(path)
        from pipestat_yaml.local import backend

        return backend.list_namespaces(path)

    def nearest(self, settings: StoreSettings) -> str | None:
        """Return the path or the URL of a file beside one that is not there."""
        path = _path(settings)
        if not isinstance(path, str):
            from pipestat_yaml.remote.factory import nearest_object

            return nearest_object(path, settings)
        from pipestat_spec.text.paths import nearest_path

        return nearest_path(path)


def _path(settings: StoreSettings) -> str | Location:
    """Return the local path, or the location of a URL."""
    import os

    from pipestat_spec.errors import MissingConfigDataError

    value: Any = settings.config.get(_PATH)
    if not value:
        raise MissingConfigDataError(
            "the yaml backend needs the path of a results file", hint=f"give {_PATH}"
        )
    path = str(os.fspath(value))
    return _located(path, settings) if "://" in path else path


def _located(path: str, settings: StoreSettings) -> str | Location:
    from pipestat_yaml.remote.urls import locate

    return locate(path, settings.config_folder)


def _with_local_flags(settings: StoreSettings) -> StoreSettings:
    """Return the settings with a flag folder of this machine; raises for another one."""
    folder = settings.config.get("flag_file_dir")
    if not folder or "://" not in str(folder):
        return settings
    from dataclasses import replace

    from pipestat_spec.errors import MissingConfigDataError

    place = _located(str(folder), settings)
    if not isinstance(place, str):
        raise MissingConfigDataError(
            "flag_file_dir: the flags of a local results file cannot be remote",
            hint="give a local folder; beside a remote results file it may be either",
        )
    return replace(settings, config={**settings.config, "flag_file_dir": place})


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(YamlFactory())
