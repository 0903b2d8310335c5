"""One pipeline's configuration from looper's section and the pipeline's interface."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipestat_spec.addresses import is_address
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.config import STORE_KEYS, looper_file_name
from pipestat_spec.models.record import DEFAULT_PROJECT_NAME, Level
from pipestat_spec.text.file_names import PLACEHOLDER, expand_record_path
from pipestat_spec.text.paths import check_path
from pipestat_spec.text.strings import shorten

__all__ = [
    "LooperConfig",
    "check_one_store",
    "expanded",
    "interface_levels",
    "merge_section",
]

# looper's own readers of results files know this layout only.
_LAYOUT = "levels"
_LEFT_OVER = re.compile(r"\$\{(\w+)\}|\$([A-Za-z_]\w*)")
# Variable of a command template, and the key of the configuration that it comes from.
_VARIABLES = {
    "results_file": "results_file_path",
    "record_identifier": "record_identifier",
    "output_schema": "schema_path",
    "pephub_path": "pephub_path",
    "flag_file_dir": "flag_file_dir",
}


class LooperConfig(NamedTuple):
    """What looper says to one pipeline: the file, and the settings that it shall hold.

    `levels` are those that the pipeline's interface has a command for. The repr shows no
    settings: a database section may hold a password.
    """

    pipeline_name: str
    path: str
    settings: Mapping[str, Any]
    levels: tuple[Level, ...]
    interface: str

    def __repr__(self) -> str:
        return f"LooperConfig({self.path})"

    def template_variables(self, record_identifier: str | None = None) -> dict[str, str]:
        """Return the variables `{pipestat.NAME}` of command templates, by name.

        They are results_file, record_identifier, config_file, output_schema, pephub_path and
        flag_file_dir; one that has no value here is left out. With a record, a results path
        that holds `{record_identifier}` becomes that of the record's file.
        """
        found = {name: self.settings.get(key) for name, key in _VARIABLES.items()}
        found["config_file"] = self.path
        if record_identifier is not None:
            found["record_identifier"] = record_identifier
        elif found["record_identifier"] is None and "sample" not in self.levels:
            found["record_identifier"] = self.settings.get("project_name") or DEFAULT_PROJECT_NAME
        if found["results_file"] and found["record_identifier"]:
            found["results_file"] = expand_record_path(
                str(found["results_file"]), str(found["record_identifier"])
            )
        return {name: str(value) for name, value in found.items() if value}


def merge_section(
    section: Mapping[str, Any],
    output_dir: str,
    interface_path: str,
    interface: Mapping[str, Any],
) -> LooperConfig:
    """Merge looper's `pipestat` section with one pipeline's interface.

    The section passes through as it is. `output_dir` and the interface's name and output
    schema are added, relative paths become absolute:

    - `schema_path`: against the folder of the interface;
    - `results_file_path`: in `{output_dir}/{pipeline_name}`, or in `output_dir` when it holds
      `{record_identifier}`;
    - `flag_file_dir`: against the folder that `output_dir` is in.

    Raises MissingConfigDataError for a missing name, and for a variable that is not set.
    """
    name = _pipeline_name(interface, interface_path)
    # One that looper takes for a registry path is relative to the working folder still.
    output_dir = os.path.abspath(expanded(output_dir, "output_dir"))
    check_path("output_dir", output_dir)
    # What is no JSON, such as a date for a name, becomes text.
    settings: dict[str, Any] = json.loads(json.dumps(dict(section), default=str))
    settings |= {"pipeline_name": name, "output_dir": output_dir}
    schema = interface.get("output_schema")
    if schema is not None:
        settings["schema_path"] = _below(
            os.path.dirname(interface_path), schema, "output_schema", interface_path
        )
    results = settings.get("results_file_path")
    if results is not None:
        holder = output_dir if PLACEHOLDER in str(results) else os.path.join(output_dir, name)
        settings["results_file_path"] = _below(holder, results, "results_file_path")
    flags = settings.get("flag_file_dir")
    if flags is not None:
        settings["flag_file_dir"] = _below(os.path.dirname(output_dir), flags, "flag_file_dir")
    if settings.get("pephub_path") is not None:
        settings["pephub_path"] = expanded(settings["pephub_path"], "pephub_path")
    settings.setdefault("layout", _LAYOUT)
    path = os.path.join(output_dir, looper_file_name(name))
    return LooperConfig(name, path, settings, interface_levels(interface), interface_path)


def interface_levels(interface: Mapping[str, Any]) -> tuple[Level, ...]:
    """Return the levels that an interface has a command for.

    A command at top level, the older form, is the samples', unless `pipeline_type` says
    `project`.
    """
    levels: list[Level] = []
    if interface.get("sample_interface"):
        levels.append("sample")
    if interface.get("project_interface"):
        levels.append("project")
    if not levels and interface.get("command_template"):
        levels.append("project" if interface.get("pipeline_type") == "project" else "sample")
    return tuple(levels)


def check_one_store(settings: Mapping[str, Any], where: str) -> list[str]:
    """Return the keys that name a store, one at most; raises MissingConfigDataError."""
    stores = [key for key in STORE_KEYS if settings.get(key) is not None]
    if len(stores) > 1:
        raise MissingConfigDataError(
            f"{where}: {' and '.join(stores)} name two stores",
            hint="keep one of them",
            keys=tuple(stores),
        )
    return stores


def _pipeline_name(interface: Mapping[str, Any], path: str) -> str:
    name = interface.get("pipeline_name")
    if name is None or name == "":
        raise MissingConfigDataError(
            f"{path}: pipeline_name is missing",
            hint="the results of a pipeline are stored under its name",
            key="pipeline_name",
        )
    if not isinstance(name, str) or not name.isprintable() or "/" in name or name in (".", ".."):
        raise MissingConfigDataError(
            f"{path}: pipeline_name: {shorten(name)} cannot be a part of a file name",
            hint="give a string without '/'",
            key="pipeline_name",
        )
    return name


def _below(folder: str, path: object, key: str, file: str | None = None) -> str:
    """Return the path that a key holds against a folder; an address stays as it is."""
    text = expanded(path, key if file is None else f"{file}: {key}")
    check_path(key, text, file)
    return text if is_address(text) else os.path.join(folder, text)


def expanded(path: object, where: str) -> str:
    """Return a path with `~` and the environment's variables replaced, as looper does."""
    if not isinstance(path, str) or not path:
        raise MissingConfigDataError(f"{where}: {shorten(path)} is not a path", key=where)
    text = os.path.expandvars(os.path.expanduser(path))
    for match in _LEFT_OVER.finditer(text):
        name = match[1] or match[2]
        if name not in os.environ:
            raise MissingConfigDataError(
                f"{where}: the environment variable {name} is not set",
                hint=f"export {name}=... or write the path itself",
                variable=name,
            )
    return text
