"""The plugin's registration; imports its libraries when a store is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.hookspecs import hookimpl

__all__ = ["YamlFactory", "register_backends"]

_PATH = "results_file_path"


class YamlFactory(BackendFactory):
    """Opens results files in YAML."""

    name = "yaml"
    implied_by = (_PATH,)

    def open(self, settings: StoreSettings) -> Backend:
        """Open the file, or the files of a `{record_identifier}` path; they need not exist."""
        from pipestat_yaml.results_file import PLACEHOLDER

        path = _path(settings)
        if PLACEHOLDER in path:
            from pipestat_yaml.record_files import RecordFilesBackend

            return RecordFilesBackend(path, settings)
        from pipestat_yaml.backend import YamlBackend

        return YamlBackend(path, settings)

    def namespaces(self, settings: StoreSettings) -> list[str]:
        """Return the namespaces that the file or the files hold, in code-point order."""
        from pipestat_yaml.namespaces import list_namespaces

        return list_namespaces(_path(settings))


def _path(settings: StoreSettings) -> str:
    import os

    from pipestat_spec.errors import MissingConfigDataError, PipestatStartupError

    value: Any = settings.config.get(_PATH)
    if not value:
        raise MissingConfigDataError(
            "the yaml backend needs the path of a results file", hint=f"give {_PATH}"
        )
    path = os.fspath(value)
    if "://" in path:
        raise PipestatStartupError(
            f"{path}: remote paths are not supported by this version",
            hint="give the path of a local file",
            file=path,
        )
    return str(path)


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(YamlFactory())
