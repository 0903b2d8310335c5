"""looper's configuration file and the interfaces that it names, read and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipestat_spec.configuration import load_config_document, refuse_unknown_keys
from pipestat_spec.engines.looper.merging import (
    LooperConfig,
    check_one_store,
    expanded,
    merge_section,
)
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.logs import logger
from pipestat_spec.models.config import STORE_KEYS
from pipestat_spec.text.paths import absolute_path, find_above, working_folder

__all__ = ["LOOPER_FILE", "choose_config", "joined", "looper_configs"]

LOOPER_FILE = ".looper.yaml"
Document = dict[str, Any]


def looper_configs(
    config: str | os.PathLike[str] | None = None,
    pipeline_interfaces: Sequence[str | os.PathLike[str]] = (),
    output_dir: str | os.PathLike[str] | None = None,
) -> list[LooperConfig]:
    """Return the configuration of each pipeline of a looper project, in the order of the file.

    `config` is looper's configuration file; without it `.looper.yaml` in this folder or the
    nearest one above. Interfaces and folder, where given, are used in place of the file's,
    relative to the working folder. Nothing is written. Raises MissingConfigDataError that
    names the file, the key and the fix.
    """
    path = absolute_path(os.fspath(config), working_folder()) if config else _find()
    looper = _read(path, "looper configuration")
    section = _section(looper, path)
    folder = _output_dir(looper, path, output_dir)
    found: dict[str, LooperConfig] = {}
    without: list[str] = []
    for interface_path, kind in _interfaces(looper, path, pipeline_interfaces):
        interface = _read(interface_path, "pipeline interface")
        if interface.get("output_schema") is None:
            without.append(interface_path)
            continue
        if kind is not None:
            interface = {"pipeline_type": kind, **interface}
        made = merge_section(section, folder, interface_path, interface)
        _check(made)
        found[made.pipeline_name] = joined(found.get(made.pipeline_name), made)
    if not found:
        raise MissingConfigDataError(
            f"{without[0]}: output_schema is missing",
            hint="give the path of the pipeline's output schema",
            key="output_schema",
        )
    for interface_path in without:
        logger().warning("%s is left out: it has no output_schema", interface_path)
    return list(found.values())


def choose_config(configs: Sequence[LooperConfig], pipeline_name: str | None) -> LooperConfig:
    """Return the one that is named, or the only one; raises MissingConfigDataError."""
    names = ", ".join(config.pipeline_name for config in configs)
    if pipeline_name is None:
        if len(configs) == 1:
            return configs[0]
        raise MissingConfigDataError(
            f"looper runs several pipelines: {names}", hint="say which one with pipeline_name"
        )
    for config in configs:
        if config.pipeline_name == pipeline_name:
            return config
    raise MissingConfigDataError(
        f"looper runs no pipeline {pipeline_name!r}", hint=f"its pipelines are {names}"
    )


def _find() -> str:
    path = find_above(LOOPER_FILE)
    if path is None:
        raise MissingConfigDataError(
            f"there is no {LOOPER_FILE} in {working_folder()} or a folder above it",
            hint="name looper's configuration file (-c)",
        )
    return path


def _read(path: str, what: str) -> Document:
    document = load_config_document(path, f"there is no {what} {path}")
    if not isinstance(document, dict):
        raise MissingConfigDataError(f"{path}: a {what} is a mapping of keys to values")
    return document


def _section(looper: Document, path: str) -> Mapping[str, Any]:
    section = looper.get("pipestat")
    if not isinstance(section, Mapping):
        raise MissingConfigDataError(
            f"{path}: the section 'pipestat' is missing",
            hint="give it results_file_path, database or pephub_path",
            key="pipestat",
        )
    from pipestat_spec.plugins.loading import plugins

    refuse_unknown_keys(section, f"{path}: pipestat", plugins().backends)
    if not check_one_store(section, f"{path}: pipestat") and section.get("backend") is None:
        raise MissingConfigDataError(
            f"{path}: pipestat: no store is named",
            hint=f"give one of {', '.join(STORE_KEYS)}",
        )
    return section


def _output_dir(looper: Document, path: str, given: str | os.PathLike[str] | None) -> str:
    if given is not None:
        return absolute_path(os.fspath(given), working_folder())
    folder = looper.get("output_dir")
    if folder is None:
        raise MissingConfigDataError(
            f"{path}: output_dir is missing",
            hint="the configuration is written there; add it, or give --output-dir",
            key="output_dir",
        )
    found = expanded(folder, f"{path}: output_dir")
    return os.path.normpath(os.path.join(os.path.dirname(path), found))


def _interfaces(
    looper: Document, path: str, given: Sequence[str | os.PathLike[str]]
) -> Iterator[tuple[str, str | None]]:
    """Yield the path of each interface, and the level where the older form of the list has it."""
    if given:
        for item in given:
            yield os.path.realpath(absolute_path(os.fspath(item), working_folder())), None
        return
    value = looper.get("pipeline_interfaces")
    groups = value.items() if isinstance(value, Mapping) else [(None, value)]
    nothing = True
    for kind, members in groups:
        for item in [members] if isinstance(members, str) else members or []:
            nothing = False
            found = expanded(item, f"{path}: pipeline_interfaces")
            yield os.path.realpath(os.path.join(os.path.dirname(path), found)), kind
    if nothing:
        raise MissingConfigDataError(
            f"{path}: pipeline_interfaces is missing",
            hint="add it, or give --pipeline-interface",
            key="pipeline_interfaces",
        )


def _check(made: LooperConfig) -> None:
    """Refuse what no pipeline could use; warn of names that differ."""
    if not made.levels:
        raise MissingConfigDataError(
            f"{made.interface}: there is no command_template",
            hint="give one under sample_interface or project_interface",
            key="command_template",
        )
    _check_schema(made)


def _check_schema(made: LooperConfig) -> None:
    location = str(made.settings["schema_path"])
    if "://" in location:
        return  # the pipeline's own start tells whether it can be reached
    from pipestat_spec.schema_files import load_output_schema

    named = load_output_schema(location).pipeline_name
    if named is not None and named != made.pipeline_name:
        logger().warning(
            "%s calls the pipeline %r, its output schema %r: results are stored under the first",
            made.interface,
            made.pipeline_name,
            named,
        )


def joined(earlier: LooperConfig | None, later: LooperConfig) -> LooperConfig:
    """Return one configuration for two interfaces of one pipeline, one for each level.

    Raises MissingConfigDataError when they have different output schemas.
    """
    if earlier is None:
        return later
    if earlier.settings != later.settings:
        raise MissingConfigDataError(
            f"{earlier.interface} and {later.interface} have one pipeline_name, "
            f"{later.pipeline_name!r}, and differ in output_schema",
            hint="they would share one configuration: give each a name of its own",
        )
    return earlier._replace(levels=tuple(dict.fromkeys(earlier.levels + later.levels)))
