"""Reading a configuration, and its order among the sources (SPEC.md section 13)."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.config import KEYS, LOOPER_KEYS, Config, Kind
from pipestat_spec.models.layout import LAYOUTS
from pipestat_spec.models.record import LEVELS
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import nearest, shorten

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BOOLEANS",
    "load_config_document",
    "merge_config",
    "parse_config",
    "refuse_unknown_keys",
]

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_VARIABLE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_]\w*)\}")
_BARE_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")


def load_config_document(path: str | os.PathLike[str], missing: str | None = None) -> Any:
    """Return what a configuration's file says, before it is checked.

    Raises MissingConfigDataError; `missing` is what it says when there is no such file.
    """
    from pipestat_spec.text.locations import MissingText, read_document
    from pipestat_spec.text.unreadable import UnreadableText

    try:
        return read_document(path)
    except UnreadableText as error:
        problem = f"{os.fspath(path)}: {error}"
        if missing is not None and isinstance(error, MissingText):
            problem = missing
        raise MissingConfigDataError(problem, hint=error.hint) from None


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
