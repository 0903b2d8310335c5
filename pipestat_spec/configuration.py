"""Reading a configuration, and its order among the sources (spec/configuration.md)."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pipestat_spec.addresses import Claim, check_file, claim, is_address
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.config import KEYS, LOOPER_KEYS, STORE_KEYS, Config, Kind, Namer
from pipestat_spec.models.layout import LAYOUTS
from pipestat_spec.models.record import LEVELS
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.paths import absolute_path, check_path, working_folder
from pipestat_spec.text.strings import nearest, shorten

if TYPE_CHECKING:
    from pipestat_spec.backend import BackendFactory

__all__ = [
    "BOOLEANS",
    "expand_path",
    "load_config_document",
    "merge_config",
    "parse_config",
    "refuse_unknown_keys",
]

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NO_BACKENDS: Mapping[str, BackendFactory] = MappingProxyType({})
_BRACED, _BARE = r"\$\{([A-Za-z_]\w*)\}", r"\$([A-Za-z_]\w*)"
# Patterns, with three groups: what is escaped, NAME of `${NAME}`, NAME of `$NAME`. Most settings
# have no variable, and need none compiled.
_VARIABLE = rf"\$(\$\{{)|{_BRACED}|(?!)()"
_IN_DATABASES = rf"\$(\$\{{)|{_BRACED}|{_BARE}"
_IN_PATHS = rf"\$(\$\{{?)|{_BRACED}|{_BARE}"
# Keys by which an output schema is told from a configuration.
_OF_SCHEMAS = ("samples", "project", "properties")
# Keys of a section that hold a path or an address.
_ADDRESSES = ("sqlite_url", "url")


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
    path: str | os.PathLike[str] | None = None,
    *,
    backends: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    problems: Problems = AT_ONCE,
) -> Config:
    """Check a configuration's mapping; paths become absolute, variables are replaced.

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
    folder = os.path.dirname(path) if path else working_folder()
    values: dict[str, Any] = {}
    sections: dict[str, Mapping[str, Any]] = {}
    refuse_unknown_keys(document, where, backends, problems)
    for key, raw in document.items():
        before = len(problems.errors)
        value = _expand(raw, f"{where}: {key}", environment, problems, _rule(key))
        if len(problems.errors) > before:
            continue
        with problems:
            if key in KEYS:
                values[key] = check_value(key, value, where, folder)
            elif key in backends or key == document.get("backend"):
                sections[str(key)] = _section(str(key), value, where)
    return Config(values, sections, None if path is None else os.fspath(path))


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


def _rule(key: str) -> str:
    """Return what finds the variables in the value of a key."""
    if key == "database":
        return _IN_DATABASES
    kind = KEYS[key].kind if key in KEYS else "string"
    return _IN_PATHS if kind in ("path", "address") else _VARIABLE


def _section(key: str, value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MissingConfigDataError(f"{where}: {key}: the section of a backend is a mapping")
    return value


def _refuse_unknown(key: str, where: str) -> None:
    near = nearest(key, KEYS)
    hint = "is it a configuration? Its keys are for example schema_path and results_file_path"
    if key in _OF_SCHEMAS:
        hint = "is it an output schema? Name it with -s (in Python schema_path)"
    raise MissingConfigDataError(
        f"{where}: unknown key {key!r}",
        hint=f"did you mean {near!r}?" if near and key not in _OF_SCHEMAS else hint,
        key=key,
    )


def check_value(key: str, value: Any, where: str, folder: str) -> Any:
    """Return the value of one key, checked and with paths made absolute against `folder`."""
    if value is None:
        return None
    kind = KEYS[key].kind
    if kind in ("path", "address") and isinstance(value, str | os.PathLike):
        path = os.fspath(value)
        check_path(key, path, where)
        if not path or "://" in path or (kind == "address" and is_address(path)):
            return path
        return absolute_path(path, folder)
    if kind == "boolean" and str(value).lower() in BOOLEANS:
        return BOOLEANS[str(value).lower()]
    if kind == "count" and (count := _count(value)) is not None:
        return count
    if kind == "string" and type(value) is int:
        return str(value)
    if (kind == "string" and isinstance(value, str) and value) or (
        kind == "mapping" and isinstance(value, Mapping)
    ):
        return value
    if value in _CHOICES.get(kind, ()):
        return value
    if value == "":
        raise MissingConfigDataError(
            f"{where}: {key} is empty", hint="give it a value, or leave it out", key=key
        )
    # A mapping may hold a password: only its type is shown.
    shown = type(value).__name__ if isinstance(value, Mapping) or kind == "mapping" else value
    raise MissingConfigDataError(
        f"{where}: {key}: {shorten(shown)!r} is not {_EXPECTED[kind]}", key=key
    )


def _count(value: object) -> int | None:
    """Return a number of things, given as an integer or as digits; None for all else."""
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    # Digits of other scripts are none here, and no store counts to 10^18.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


_CHOICES: dict[Kind, Collection[str]] = {"level": LEVELS, "layout": LAYOUTS}
_EXPECTED: dict[Kind, str] = {
    "string": "a string",
    "path": "a path",
    "address": "a path or an address",
    "boolean": "true or false",
    "count": "an integer from 0 on",
    "mapping": "a mapping",
    "level": "one of sample, project",
    "layout": "one of records, levels",
}


def _expand(
    value: Any,
    where: str,
    environment: Mapping[str, str],
    problems: Problems,
    rule: str = _VARIABLE,
) -> Any:
    """Replace variables in every string; raises MissingConfigDataError.

    `rule` finds them: `${VAR}` everywhere, in paths and inside `database` `$VAR` too. Inside
    `database`, as in the existing package, a `$VAR` that is not set stays as it is.
    """
    if isinstance(value, Mapping):
        return {
            key: _expand(
                item,
                f"{where}.{key}",
                environment,
                problems,
                _IN_PATHS if key in _ADDRESSES else rule,
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_expand(item, where, environment, problems, rule) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    # What stands before the `@` of an address may be a password, with a dollar in it.
    address_from = value.rfind("@") if "://" in value else -1

    def replacement(match: re.Match[str]) -> str:
        escaped, braced, bare = match.groups()
        if escaped:
            return escaped
        name = braced or bare
        if name in environment:
            return environment[name]
        if bare and (rule is _IN_DATABASES or match.end() <= address_from):
            return match[0]
        raise MissingConfigDataError(
            f"{where}: the environment variable {name} is not set",
            hint=f"export {name}=... or write the value itself"
            + (", with $$ for a dollar" if bare else ""),
            variable=name,
        )

    with problems:
        return re.sub(rule, replacement, value)
    return value


def expand_path(
    path: str | os.PathLike[str], where: str, environment: Mapping[str, str] | None = None
) -> str:
    """Return a path or an address with its variables replaced; raises MissingConfigDataError."""
    environment = os.environ if environment is None else environment
    text: str = _expand(os.fspath(path), where, environment, AT_ONCE, _IN_PATHS)
    return text


def _check_given(key: str, value: Any, where: str, folder: str, environment: Any) -> Any:
    """Return the value of an argument or a variable, checked, its paths complete."""
    if KEYS[key].kind in ("path", "address") and isinstance(value, str | os.PathLike):
        value = expand_path(value, f"{where}: {key}", environment)
    return check_value(key, value, where, folder)


def merge_config(
    arguments: Mapping[str, Any],
    config: Config,
    environment: Mapping[str, str] | None = None,
    *,
    backends: Mapping[str, BackendFactory] = _NO_BACKENDS,
) -> Config:
    """Return the settings by precedence: arguments, configuration, environment.

    A configuration that was found and not named is weaker than the environment. The strongest
    source that names a store names all of it. Relative paths of arguments and environment refer
    to the working folder. `backends` are asked what an address means; raises
    MissingConfigDataError.
    """
    sources = _sources(arguments, config, os.environ if environment is None else environment)
    values: dict[str, Any] = {}
    for source in reversed(sources):
        values |= {key: value for key, value in source.values.items() if value is not None}
    if "record_identifier" not in values and "sample_name" in values:
        values["record_identifier"] = values["sample_name"]
    merged = Config(values, config.sections, config.path, config.is_found)
    for naming in sources:
        if any(naming.get(key) is not None for key in STORE_KEYS):
            return _with_store(merged, sources, naming, backends)
    return merged


class _Source(NamedTuple):
    """Settings of one source, and the folder that relative paths in them refer to."""

    name: Namer
    values: Mapping[str, Any]
    folder: str

    def get(self, key: str) -> Any:
        return self.values.get(key)


def _sources(
    arguments: Mapping[str, Any], config: Config, environment: Mapping[str, str]
) -> list[_Source]:
    """Return the sources, the strongest first."""
    here = working_folder()
    given: dict[str, Any] = {}
    exported: dict[str, Any] = {}
    for key, definition in KEYS.items():
        if arguments.get(key) is not None:
            given[key] = _check_given(key, arguments[key], "argument", here, environment)
        name = definition.environment
        # What is overruled is not looked at: it may be wrong.
        overruled = key in given or (config.get(key) is not None and not config.is_found)
        if name and environment.get(name) and not overruled:
            exported[key] = _check_given(key, environment[name], name, here, environment)
    of_arguments = _Source("arguments", given, here)
    of_environment = _Source("environment", exported, here)
    folder = os.path.dirname(config.path) if config.path else here
    of_config = _Source("configuration", config.values, folder)
    if config.is_found:
        return [of_arguments, of_environment, of_config]
    return [of_arguments, of_config, of_environment]


def _with_store(
    merged: Config,
    sources: Sequence[_Source],
    naming: _Source,
    backends: Mapping[str, BackendFactory],
) -> Config:
    """Return the settings with the one store that a source names; weaker sources name none."""
    values = {key: value for key, value in merged.values.items() if key not in STORE_KEYS}
    values |= {key: naming.values[key] for key in STORE_KEYS if naming.get(key) is not None}
    stronger = sources[: sources.index(naming) + 1]
    if all(source.get("backend") is None for source in stronger):
        values.pop("backend", None)
    merged = merged._replace(values=values, store_from=naming.name)
    address, backend = naming.get("results_file_path"), values.get("backend")
    if address is None or not backends:
        return merged
    asked = backends.values() if backend is None else filter(None, [backends.get(backend)])
    found = claim(address, naming.folder, asked)
    if found is not None:
        # A backend was named above the environment; so its section may be as well.
        is_weaker = naming.name == "environment" and backend is not None and not merged.is_found
        return _with_claim(merged, found, is_weaker=is_weaker)
    if backend is None:
        check_file(address)
    elif "://" not in address:
        values["results_file_path"] = absolute_path(address, naming.folder)
    return merged


def _with_claim(merged: Config, found: Claim, *, is_weaker: bool) -> Config:
    """Return the settings with what an address stands for in place of what names a store."""
    values = {key: value for key, value in merged.values.items() if key not in STORE_KEYS}
    values |= {**found.values, "backend": found.backend}
    if not found.section:
        return merged._replace(values=values)
    own = merged.sections.get(found.backend, {})
    section = {**found.section, **own} if is_weaker else {**own, **found.section}
    return merged._replace(values=values, sections={**merged.sections, found.backend: section})
