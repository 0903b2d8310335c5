"""Paths as people give them, and what lies near one that leads nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.file_names import PLACEHOLDER
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "absolute_path",
    "check_path",
    "find_above",
    "nearest_name",
    "nearest_path",
    "working_folder",
]

_PLACEHOLDER = r"(?<!\$)\{[^{}/]*\}"


def working_folder() -> str:
    """Return the working folder; empty when it was deleted, and absolute paths need none."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def absolute_path(path: str, folder: str) -> str:
    """Return a path against `folder`; raises MissingConfigDataError when that was deleted."""
    found = os.path.normpath(os.path.join(folder, os.path.expanduser(path)))
    if not os.path.isabs(found):
        raise MissingConfigDataError(
            f"{shorten(path)} is relative to the working folder, which was deleted",
            hint="give an absolute path, or go to another folder",
        )
    return found


def check_path(key: str, text: str, where: str | None = None) -> None:
    """Raise MissingConfigDataError for a placeholder that stands for nothing in this setting."""
    named = key if where is None else f"{where}: {key}"
    if "{" not in text:
        return
    # What stands before the `@` of an address may be a password.
    for found in re.findall(_PLACEHOLDER, text.rpartition("@")[2] if "://" in text else text):
        if key != "results_file_path":
            raise MissingConfigDataError(
                f"{named}: {shorten(found)} stands for nothing there",
                hint=f"only results_file_path may hold a placeholder, {PLACEHOLDER}",
                key=key,
            )
        if found != PLACEHOLDER:
            raise MissingConfigDataError(
                f"{named}: the placeholder {shorten(found)} is unknown",
                hint=f"{PLACEHOLDER} stands for the record",
                key=key,
            )


def find_above(name: str) -> str | None:
    """Return the nearest file of that name, in the working folder or above it, up to the root."""
    folder = working_folder()
    while folder:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
        folder = os.path.dirname(folder) if os.path.dirname(folder) != folder else ""
    return None


def nearest_path(path: str) -> str | None:
    """Return the path that is there and that one that is not probably means, or None.

    Of a path with `{record_identifier}` the folders before it count.
    """
    fixed, placeholder, rest = path.partition(PLACEHOLDER)
    if placeholder:
        fixed = os.path.dirname(fixed)
        near = None if os.path.isdir(fixed) else nearest_path(fixed)
        return near and near + path[len(fixed) :]
    folder, name = os.path.split(path)
    while not os.path.isdir(folder) and folder not in ("", os.sep):
        rest = os.path.join(name, rest) if rest else name
        folder, name = os.path.split(folder)
    try:
        # Locks and other hidden files lie beside what people see, under its name.
        names = [n for n in os.listdir(folder) if n.startswith(".") == name.startswith(".")]
    except OSError:
        return None
    near = nearest_name(name, [n for n in names if n != name])
    if near is None:
        return None
    found = os.path.join(folder, near)
    whole = os.path.join(found, rest)
    return whole if rest and os.path.exists(whole) else found


def nearest_name(name: str, names: Collection[str]) -> str | None:
    """Return the file name that `name` probably means.

    Endings tell only between files that are alike without them: two files are not alike because
    both are YAML.
    """
    stem, ending = os.path.splitext(name)
    endings: dict[str, list[str]] = {}
    for other in sorted(names):
        other_stem, other_ending = os.path.splitext(other)
        endings.setdefault(other_stem, []).append(other_ending)
    near = nearest(stem, endings)
    if near is None:
        return None
    there = endings[near]
    return near + (ending if ending in there else nearest(ending, there) or there[0])
