"""The configuration keys, their sources and their order (SPEC.md section 13).

One table, `KEYS`, says all: the type of each key, whether it is a path, and the
environment variable that stands for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.record import LEVELS
from pipestat_spec.models.text import nearest, shorten
from pipestat_spec.problems import AT_ONCE, Problems

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BOOLEANS",
    "KEYS",
    "LAYOUTS",
    "LOOPER_KEYS",
    "Config",
    "ConfigKey",
    "looper_file_name",
    "merge_config",
    "parse_config",
    "refuse_unknown_keys",
]

LAYOUTS = ("records", "levels")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
Kind: TypeAlias = Literal["string", "path", "boolean", "mapping", "level", "layout"]


class ConfigKey(NamedTuple):
    """One key: what its value is, what it is for, and its environment variable."""

    kind: Kind
    description: str
    environment: str | None = None


KEYS: dict[str, ConfigKey] = {
    "schema_path": ConfigKey("path", "output schema: a file or a URL", "PIPESTAT_RESULTS_SCHEMA"),
    "status_schema_path": ConfigKey("path", "status schema file", "PIPESTAT_STATUS_SCHEMA"),
    "results_file_path": ConfigKey(
        "path", "YAML results file; may hold {record_identifier}", "PIPESTAT_RESULTS_FILE"
    ),
    "flag_file_dir": ConfigKey("path", "folder of the status flags"),
    "output_dir": ConfigKey("path", "folder that relative paths of files refer to"),
    "record_identifier": ConfigKey("string", "default record", "PIPESTAT_RECORD_IDENTIFIER"),
    "pipeline_name": ConfigKey("string", "namespace of the results", "PIPESTAT_PIPELINE_NAME"),
    "project_name": ConfigKey("string", "record of the project level", "PIPESTAT_PROJECT_NAME"),
    "pipeline_type": ConfigKey("level", "sample or project", "PIPESTAT_PIPELINE_TYPE"),
    "backend": ConfigKey("string", "name of the storage plugin"),
    "layout": ConfigKey("layout", "records or levels"),
    "multi_pipelines": ConfigKey("boolean", "allow several namespaces in one store"),
    "validate_results": ConfigKey("boolean", "check results against the schema"),
    "additional_properties": ConfigKey("boolean", "store results that the schema does not name"),
    "force_overwrite": ConfigKey("boolean", "replace different values of earlier reports"),
    "unsafe_writes": ConfigKey("boolean", "write where concurrent writers can lose results"),
    "storage_options": ConfigKey("mapping", "options of a remote file system"),
    "pephub_path": ConfigKey("string", "PEPhub registry path namespace/project:tag"),
    "pephub_url": ConfigKey("string", "address of the PEPhub API"),
    "database": ConfigKey("mapping", "database connection, or sqlite_url"),
    "database_only": ConfigKey("boolean", "accepted for pipestat's sake; has no effect"),
    "sample_name": ConfigKey("string", "older name of record_identifier", "PIPESTAT_SAMPLE_NAME"),
}

# A looper configuration's own keys, which its pipestat section may carry along.
LOOPER_KEYS = frozenset(
    {
        "amend",
        "config_file",
        "dry_run",
        "pep_config",
        "pipeline_interfaces",
        "sample_table",
        "sel_attr",
        "sel_incl",
        "sel_excl",
        "looper",
        "pipestat",
        "cli",
        "compute",
    }
)
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_VARIABLE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_]\w*)\}")
_BARE_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")


def looper_file_name(pipeline_name: str) -> str:
    """Return what looper calls the configuration that it makes for a pipeline."""
    return f"pipestat_config_{pipeline_name}.yaml"


class Config(NamedTuple):
    """Checked settings by key, the sections of plugins by name, and the file they stand in.

    Neither repr shows a value: a database section may hold a password.
    """

    values: Mapping[str, Any] = _NOTHING
    sections: Mapping[str, Mapping[str, Any]] = _NOTHING
    path: Path | None = None

    def __repr__(self) -> str:
        return f"Config({self.path})"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key of `KEYS`, or `default` when no source sets it."""
        assert key in KEYS, key
        value = self.values.get(key)
        return default if value is None else value


def parse_config(
    document: object,
    path: Path | None = None,
    *,
    backends: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    problems: Problems = AT_ONCE,
) -> Config:
    """Check a configuration's mapping; paths become absolute, `${VAR}` is expanded.

    `backends` are the names that a plugin's section can have. Raises
    MissingConfigDataError that names the key, its file and the fix; `problems` may collect
    the errors, and the settings that are in order are returned then.
    """
    where = str(path) if path else "configuration"
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        raise MissingConfigDataError(f"{where}: a configuration is a mapping of keys to values")
    environment = os.environ if environment is None else environment
    folder = str(path.parent) if path else os.getcwd()
    values: dict[str, Any] = {}
    sections: dict[str, Mapping[str, Any]] = {}
    refuse_unknown_keys(document, where, backends, problems)
    for key, raw in document.items():
        before = len(problems.errors)
        value = _expand(raw, f"{where}: {key}", environment, problems, bare=key == "database")
        if len(problems.errors) > before:
            continue
        with problems:
            if key in KEYS:
                values[key] = check_value(key, value, where, folder)
            elif key in backends or key == document.get("backend"):
                sections[str(key)] = _section(str(key), value, where)
    return Config(values, sections, path)


def refuse_unknown_keys(
    document: Mapping[str, Any],
    where: str,
    backends: Collection[str] = (),
    problems: Problems = AT_ONCE,
) -> None:
    """Raise MissingConfigDataError for a key that is no setting, no section and not looper's."""
    for key in document:
        known = key in KEYS or key in LOOPER_KEYS or key in backends
        with problems:
            if not known and key != document.get("backend"):
                _refuse_unknown(str(key), where)


def _section(key: str, value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MissingConfigDataError(f"{where}: {key}: the section of a backend is a mapping")
    return value


def _refuse_unknown(key: str, where: str) -> None:
    near = nearest(key, KEYS)
    raise MissingConfigDataError(
        f"{where}: unknown key {key!r}",
        hint=f"did you mean {near!r}?" if near else "known keys are " + ", ".join(KEYS),
        key=key,
    )


def check_value(key: str, value: Any, where: str, folder: str) -> Any:
    """Return the value of one key, checked and with paths made absolute against `folder`."""
    if value is None:
        return None
    kind = KEYS[key].kind
    if kind == "path" and isinstance(value, str | os.PathLike):
        return _absolute(os.fspath(value), folder)
    if kind == "boolean" and str(value).lower() in BOOLEANS:
        return BOOLEANS[str(value).lower()]
    if kind == "string" and type(value) is int:
        return str(value)
    if (kind == "string" and isinstance(value, str) and value) or (
        kind == "mapping" and isinstance(value, Mapping)
    ):
        return value
    if value in _CHOICES.get(kind, ()):
        return value
    # A mapping may hold a password: only its type is shown.
    shown = type(value).__name__ if isinstance(value, Mapping) or kind == "mapping" else value
    raise MissingConfigDataError(
        f"{where}: {key}: {shorten(shown)!r} is not {_EXPECTED[kind]}", key=key
    )


_CHOICES: dict[Kind, Collection[str]] = {"level": LEVELS, "layout": LAYOUTS}
_EXPECTED: dict[Kind, str] = {
    "string": "a string",
    "path": "a path",
    "boolean": "true or false",
    "mapping": "a mapping",
    "level": "one of sample, project",
    "layout": "one of records, levels",
}


def _absolute(path: str, folder: str) -> str:
    if "://" in path or not path:
        return path
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def _expand(
    value: Any,
    where: str,
    environment: Mapping[str, str],
    problems: Problems,
    *,
    bare: bool = False,
) -> Any:
    """Replace `${VAR}` in every string; raises MissingConfigDataError.

    `bare`: `$VAR` too, where it is set, as the existing package does inside `database`.
    """
    if isinstance(value, Mapping):
        return {
            key: _expand(item, f"{where}.{key}", environment, problems, bare=bare)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_expand(item, where, environment, problems, bare=bare) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value

    def replacement(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        if match[2] not in environment:
            raise MissingConfigDataError(
                f"{where}: the environment variable {match[2]} is not set",
                hint=f"export {match[2]}=... or write the value itself",
                variable=match[2],
            )
        return environment[match[2]]

    text = value
    with problems:
        text = _VARIABLE.sub(replacement, value)
    if bare and text == value:
        return _BARE_VARIABLE.sub(lambda match: environment.get(match[1], match[0]), text)
    return text


def merge_config(
    arguments: Mapping[str, Any], config: Config, environment: Mapping[str, str] | None = None
) -> Config:
    """Return the settings by precedence: arguments, configuration, environment.

    Relative paths of arguments and environment refer to the working folder.
    """
    environment = os.environ if environment is None else environment
    folder = os.getcwd()
    values: dict[str, Any] = {}
    for key, definition in KEYS.items():
        if arguments.get(key) is not None:
            values[key] = check_value(key, arguments[key], "argument", folder)
        elif config.values.get(key) is not None:
            values[key] = config.values[key]
        elif definition.environment and environment.get(definition.environment):
            name = definition.environment
            values[key] = check_value(key, environment[name], name, folder)
    if "record_identifier" not in values and "sample_name" in values:
        values["record_identifier"] = values["sample_name"]
    return Config(values, config.sections, config.path)
