"""The configuration file of a pipeline: written, refreshed, and what a person edited kept.

The last line of the file, a comment, says what it was generated from: a digest of each value.
So a later call tells what changed in looper's configuration from what was edited by hand
(docs/adr/0016).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias

from pipestat_spec.engines.looper.merging import STORE_KEYS, LooperConfig, check_one_store
from pipestat_spec.errors import MissingConfigDataError, SchemaError, SchemaNotFoundError
from pipestat_spec.models.text import shorten
from pipestat_spec.models.yaml_text import yaml_text

__all__ = ["Written", "write_config"]

_HEAD = """\
# Made for looper from its configuration and the pipeline interface. What changes there is
# taken over; what is edited here is kept ('pipestat-spec looper-config --help').
"""
_MARK = "# pipestat-spec looper-config: "
# A value by the keys that lead to it.
Leaves: TypeAlias = dict[tuple[str, ...], Any]
_ABSENT = object()


class Written(NamedTuple):
    """What became of a file.

    `refreshed` are the keys that were brought up to date, `kept` says, a sentence each, what
    the file keeps against looper's configuration, and `backup` is where the former content
    went, when it had been edited and was replaced.
    """

    path: str
    action: Literal["written", "refreshed", "unchanged"]
    refreshed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    backup: str | None = None

    @property
    def notes(self) -> list[str]:
        """All of it for people, a line each; empty when nothing happened."""
        lines = [self.action] if self.action == "written" else []
        lines += [f"refreshed {', '.join(self.refreshed)}"] if self.refreshed else []
        lines += [f"the former file is kept as {self.backup}"] if self.backup else []
        return [f"{self.path}: {line}" for line in (*lines, *self.kept)]


class _Base(NamedTuple):
    """What the last line of a file says: digests of its text, and of each generated value."""

    text: str
    values: Mapping[str, str]


class _Merge(NamedTuple):
    """The settings that the file shall have, the keys that changed, and what it keeps."""

    leaves: Leaves
    refreshed: list[str]
    kept: list[str]


def write_config(
    config: LooperConfig, *, overwrite: bool = False, dry_run: bool = False
) -> Written:
    """Write the configuration file of a pipeline, or refresh the one that is there.

    A value that was edited in the file stays, and a note says so, unless `overwrite` is on.
    A file that bears no trace of what it was generated from, such as looper's own, is brought
    up to date, and the former one kept beside it. With `dry_run` nothing is written.
    Raises MissingConfigDataError when the file there is not YAML.
    """
    wanted = _flatten(config.settings)
    before = _text_of(config.path)
    if before is None:
        if not dry_run:
            _replace(config.path, _rendered(wanted, wanted))
        return Written(config.path, "written")
    base = _base(before)
    present = _flatten(_parsed(config.path))
    merge = _merged(wanted, present, base, overwrite)
    check_one_store(_nested(merge.leaves), config.path)
    if _digests(merge.leaves) == _digests(present):
        # The text stays as it is, comments included; only what it came from is noted anew.
        after = before if base is None else _with_base(before, wanted, base.text)
        if after != before and not dry_run:
            _replace(config.path, after)
        return Written(config.path, "unchanged", (), tuple(merge.kept))
    edited = base is None or base.text != _digest(_body(before))
    backup = None
    if edited and not dry_run:
        backup = _keep(config.path, before)
    if not dry_run:
        _replace(config.path, _rendered(merge.leaves, wanted))
    return Written(config.path, "refreshed", tuple(merge.refreshed), tuple(merge.kept), backup)


def _merged(wanted: Leaves, present: Leaves, base: _Base | None, overwrite: bool) -> _Merge:
    """Merge what looper says now with what stands in the file, by what it said last time."""
    if overwrite:
        old, new = _digests(present), _digests(wanted)
        return _Merge(wanted, sorted(n for n in {**old, **new} if old.get(n) != new.get(n)), [])
    merge = _Merge({}, [], [])
    for key in sorted({**present, **wanted}):
        new, old = wanted.get(key, _ABSENT), present.get(key, _ABSENT)
        if _keeps(key, new, old, base):
            kept = old
            if _deserves_note(key, new, old, base):
                merge.kept.append(_kept_note(key, new, old))
        else:
            kept = new
            if _digest(new) != _digest(old):
                merge.refreshed.append(_name(key))
        if kept is not _ABSENT:
            merge.leaves[key] = kept
    return merge


def _keeps(key: tuple[str, ...], new: Any, old: Any, base: _Base | None) -> bool:
    """Tell whether the file's value stays: a person put it there, or took it away."""
    generated = base.values.get(_name(key)) if base is not None else None
    if old is _ABSENT:
        return generated is not None
    if base is None:
        # A second store would win over the one that looper's configuration names.
        return new is _ABSENT and key[0] not in STORE_KEYS
    return generated is None or generated != _digest(old)


def _deserves_note(key: tuple[str, ...], new: Any, old: Any, base: _Base | None) -> bool:
    """Tell whether looper's configuration says, or once said, something else."""
    if new is _ABSENT:
        return old is not _ABSENT and base is not None and _name(key) in base.values
    return _digest(new) != _digest(old)


def _kept_note(key: tuple[str, ...], new: Any, old: Any) -> str:
    name = _name(key)
    what = f"{name} stays away" if old is _ABSENT else f"{name} stays as it is"
    # What lies deeper may be a password.
    shown = f"; looper's configuration says {shorten(new)}" if len(key) == 1 else ""
    if new is _ABSENT:
        shown = "; looper's configuration does not have it"
    return f"{what}, edited by hand{shown} (-o takes that)"


def _flatten(settings: Mapping[str, Any], above: tuple[str, ...] = ()) -> Leaves:
    """Return the values by the keys that lead to them; lists and empty mappings are values."""
    leaves: Leaves = {}
    for key, value in settings.items():
        path = (*above, str(key))
        if isinstance(value, Mapping) and value:
            leaves |= _flatten(value, path)
        else:
            leaves[path] = dict(value) if isinstance(value, Mapping) else value
    return leaves


def _nested(leaves: Leaves) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for path, value in sorted(leaves.items(), key=lambda item: item[0]):
        holder = settings
        for key in path[:-1]:
            if not isinstance(holder.get(key), dict):
                holder[key] = {}
            holder = holder[key]
        holder[path[-1]] = value
    return settings


def _name(key: tuple[str, ...]) -> str:
    return ".".join(key)


def _rendered(leaves: Leaves, generated: Leaves) -> str:
    return _with_base(_HEAD + yaml_text(_nested(leaves)) + "\n", generated)


def _with_base(text: str, generated: Leaves, digest: str | None = None) -> str:
    """Return a text with the line that says what it was generated from.

    `digest` is that of the text as it was generated, where a person edited it since.
    """
    body = _body(text)
    body += "" if body.endswith("\n") else "\n"
    said = {"text": digest or _digest(body), "values": _digests(generated)}
    return body + _MARK + json.dumps(said) + "\n"


def _body(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_MARK))


def _base(text: str) -> _Base | None:
    """Return what the file says that it was generated from; None when it does not."""
    for line in reversed(text.splitlines()):
        if line.startswith(_MARK):
            with suppress(ValueError, KeyError, TypeError):
                said = json.loads(line.removeprefix(_MARK))
                return _Base(str(said["text"]), dict(said["values"]))
    return None


def _digests(leaves: Leaves) -> dict[str, str]:
    return {_name(key): _digest(value) for key, value in sorted(leaves.items())}


def _digest(value: object) -> str:
    content = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return sha256(f"{type(value).__name__}:{content}".encode()).hexdigest()[:16]


def _text_of(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise MissingConfigDataError(
            f"{path}: is not UTF-8", hint="remove it to have it made anew"
        ) from None


def _parsed(path: str) -> Mapping[str, Any]:
    from pipestat_spec.schema_files import load_document

    try:
        document = load_document(path)
    except SchemaNotFoundError:
        document = None
    except SchemaError as error:
        raise MissingConfigDataError(
            error.message, hint="mend it, or remove it to have it made anew"
        ) from None
    if document is not None and not isinstance(document, Mapping):
        raise MissingConfigDataError(
            f"{path}: a configuration is a mapping of keys to values",
            hint="mend it, or remove it to have it made anew",
        )
    return document or {}


def _keep(path: str, text: str) -> str:
    """Write the former content beside the file, under a name that is free."""
    for name in _backup_names(path):
        try:
            with open(name, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        os.chmod(name, os.stat(path).st_mode & 0o777)
        return name
    raise AssertionError("the names do not end")


def _backup_names(path: str) -> Iterator[str]:
    yield f"{path}.bak"
    number = 1
    while True:
        number += 1
        yield f"{path}.bak{number}"


def _replace(path: str, text: str) -> None:
    """Write in one step: a pipeline may be reading the file that is there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
