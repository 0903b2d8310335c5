"""A folder of links to the files that results name, by result (`link`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.text.file_names import encode_component
from pipestat_spec.text.unreadable import system_reason
from pipestat_spec.whole_files import replace_link, replacing

if TYPE_CHECKING:
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Level
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["Linked", "link_files", "local_file", "paths"]

_LONGEST_SUFFIX = 20


@dataclass
class Linked:
    """What `link_files` did: how many links it made, had already and removed.

    `missing`, `remote` and `blocked` are what got no link: files that are not there, addresses,
    and places that something else has taken.
    """

    folder: str
    made: int = 0
    unchanged: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What people have to look at, a line for each; addresses are no mistake."""
        missing = [f"no such file: {text}" for text in self.missing]
        return missing + [f"something else is there: {text}" for text in self.blocked]


def link_files(source: Source, level: Level, folder: str, *, copy: bool = False) -> Linked:
    """Link each file of each record as `{folder}/{result}/{record}_{key}_{file name}`.

    `key` is the result, or the key inside it that leads to the file. Links are relative, and
    those of ours that lead nowhere are removed; `copy` makes copies instead. Raises
    PipestatSummarizeError.
    """
    folder = os.path.abspath(os.path.expanduser(folder))
    done = Linked(folder)
    schema = source.schema
    folders = {encode_component(name) for name in (schema.levels[level].results if schema else ())}
    taken: dict[str, str] = {}
    try:
        os.makedirs(folder, exist_ok=True)
        for record in source.scan(level):
            identifier = record.key.identifier
            for result, value in record.results.items():
                for key, path in paths(result, value):
                    file = local_file(path, source.record_folder(identifier))
                    if file is None:
                        done.remote.append(f"{identifier}: {path}")
                    elif not os.path.exists(file):
                        done.missing.append(f"{identifier}: {file}")
                    else:
                        folders.add(encode_component(result))
                        place = _place(folder, result, identifier, key, file, taken)
                        _put(place, file, copy, done)
        for name in sorted(folders):
            _remove_dangling(os.path.join(folder, name), done)
    except OSError as error:
        raise PipestatSummarizeError(
            f"{error.filename or folder} cannot be written: {system_reason(error)}",
            hint="choose another folder",
        ) from error
    return done


def paths(key: str, value: JSONValue) -> Iterator[tuple[str, str]]:
    """Yield the paths in a value, each with the key of the object that holds it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "path" and isinstance(inner, str) and inner:
                yield key, inner
            else:
                yield from paths(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(key, inner)


def local_file(path: str, folder: str) -> str | None:
    """Return the file that a path means, or None: it is elsewhere."""
    if path.startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return url2pathname(urlsplit(path).path)
    if "://" in path or ("://" in folder and not os.path.isabs(path)):
        return None
    return os.path.abspath(os.path.join(folder, path))


def _place(
    folder: str, result: str, identifier: str, key: str, file: str, taken: dict[str, str]
) -> str:
    """Return where the link to a file belongs; two files never have one place."""
    stem, suffix = os.path.splitext(os.path.basename(file))
    if len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = stem + suffix, ""
    whole = f"{identifier}_{key}_{stem}"
    # The suffix stays, also where the name is cut: it says what opens the file.
    begin = os.path.join(folder, encode_component(result), encode_component(whole))
    end = encode_component(f"_{suffix}")[1:]
    place = begin + end
    if taken.setdefault(place, file) != file:
        digest = sha256("\0".join((identifier, key, file)).encode()).hexdigest()[:8]
        place = f"{begin}~{digest}{end}"
        taken[place] = file
    return place


def _put(place: str, file: str, copy: bool, done: Linked) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    is_link = os.path.islink(place)
    if os.path.lexists(place) and not is_link and not (copy and os.path.isfile(place)):
        done.blocked.append(place)
        return
    if copy:
        _put_copy(place, file, done)
        return
    # Links of the folder itself do not lead astray.
    text = os.path.relpath(file, os.path.realpath(os.path.dirname(place)))
    if is_link and os.readlink(place) == text:
        done.unchanged += 1
        return
    replace_link(place, text)
    done.made += 1


def _put_copy(place: str, file: str, done: Linked) -> None:
    if os.path.isdir(file):
        with suppress(FileNotFoundError):
            os.unlink(place)
        shutil.copytree(file, place, dirs_exist_ok=True)
    elif not os.path.islink(place) and os.path.exists(place) and _same(place, file):
        done.unchanged += 1
        return
    else:
        found = os.stat(file)
        with open(file, "rb") as original, replacing(place, found.st_mode & 0o777) as new:
            shutil.copyfileobj(original, new)
            new.flush()
            os.utime(new.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
    done.made += 1


def _same(first: str, second: str) -> bool:
    one, other = os.stat(first), os.stat(second)
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _remove_dangling(folder: str, done: Linked) -> None:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and not os.path.exists(entry.path) and _is_ours(entry):
                os.unlink(entry.path)
                done.removed += 1


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Tell a link of ours: it is relative, and its name ends as the name of its file does."""
    text = os.readlink(entry.path)
    end = encode_component(f"_{os.path.basename(text)}")
    return not os.path.isabs(text) and (entry.name.endswith(end) or "~" in entry.name)
