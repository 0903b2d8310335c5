"""The files of a store, before and after: read here by parsers that are nobody's under test."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.interchange.independent_yaml import (
    YamlProblem,
    check_trailer,
    read_both,
    written_as_asked,
)
from pipestat_conformance.matchers import Comparison
from pipestat_conformance.vectors import Step, Vector

__all__ = ["Folder"]


class Folder:
    """The folder of one interchange vector's store."""

    def __init__(self, folder: Path, vector: Vector) -> None:
        self._folder = folder
        self._vector = vector
        self._bytes: dict[str, bytes | None] = {}

    def prepare(self, store: Mapping[str, Any]) -> dict[str, Any]:
        """Make the files; return the store whose results file is the vector's."""
        if not isinstance(store.get("path"), str):
            raise HarnessError("this vector is about files, and the store has no 'path'")
        for name, content in (self._vector.files or {}).items():
            self._put(name, content)
        for name in (self._vector.after or {}).get("bytes_unchanged", []):
            self._remember(name)
        return {**store, "path": str(self._folder / self._vector.path)}

    def _remember(self, name: str) -> None:
        path = self._folder / name
        self._bytes[name] = path.read_bytes() if path.exists() else None

    def _put(self, name: str, content: Any) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file: dict[str, Any] = {"text": content} if isinstance(content, str) else content
        if "symlink" in file:
            path.symlink_to(file["symlink"])
        elif file.get("folder"):
            path.mkdir(exist_ok=True)
        elif "base64" in file:
            path.write_bytes(base64.b64decode(file["base64"]))
        else:
            path.write_bytes(file["text"].encode("utf-8"))
        if "mtime" in file:
            os.utime(path, (file["mtime"], file["mtime"]))
        if "mode" in file:
            path.chmod(int(file["mode"], 8))

    def change(self, step: Step) -> None:
        """Make a step of another program: put or remove a file; raises VectorFailed without it."""
        name = step.args["name"]
        if step.op == "remove_file":
            try:
                (self._folder / name).unlink()
            except FileNotFoundError:
                raise VectorFailed(f"{name} was to be there, and is not") from None
        else:
            self._put(name, step.args["file"])
        if name in self._bytes:
            self._remember(name)

    def check(self, saved: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Compare the folder with what it has to be; raises VectorFailed."""
        after = self._vector.after or {}
        for name, expected in after.get("files", {}).items():
            self._check_file(name, expected)
        for name, before in self._bytes.items():
            path = self._folder / name
            if (path.read_bytes() if path.exists() else None) != before:
                raise VectorFailed(f"{name} was to keep its bytes, and was changed")
        if "only" in after:
            for name in self._names():
                if not any(fnmatchcase(name, pattern) for pattern in after["only"]):
                    raise VectorFailed(f"{name!r} was left in the folder")

    def _names(self) -> Iterator[str]:
        for path in sorted(self._folder.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                yield path.relative_to(self._folder).as_posix()

    def _check_file(self, name: str, expected: Mapping[str, Any]) -> None:
        path = self._folder / name
        there = path.exists() or path.is_symlink()
        if expected.get("$absent"):
            if there:
                raise VectorFailed(f"{name} was to be absent, and is there")
            return
        if not there:
            found = ", ".join(self._names()) or "nothing"
            raise VectorFailed(f"{name} is missing; in the folder: {found}")
        if "$symlink" in expected and not (
            path.is_symlink() and os.readlink(path) == expected["$symlink"]
        ):
            raise VectorFailed(f"{name} was to be a symbolic link to {expected['$symlink']}")
        if "$mode" in expected:
            mode = path.stat().st_mode & 0o7777
            if mode != int(expected["$mode"], 8):
                raise VectorFailed(f"{name} has the mode {mode:o}, not {expected['$mode']}")
        if "$text" in expected and path.read_bytes() != expected["$text"].encode("utf-8"):
            raise VectorFailed(
                f"{name} holds {path.read_bytes()[:200]!r}, not {expected['$text']!r}"
            )
        if "$yaml" in expected:
            self._check_yaml(name, expected)

    def _check_yaml(self, name: str, expected: Mapping[str, Any]) -> None:
        content = (self._folder / name).read_bytes()
        try:
            for parser, document in read_both(content):
                problem = Comparison(strict=True).difference(expected["$yaml"], document)
                if problem is not None:
                    raise VectorFailed(
                        f"{name}, read by {parser}: {problem}", detail=_shown(content)
                    )
            if expected.get("$canonical"):
                written_as_asked(content)
                check_trailer(content)
        except YamlProblem as problem:
            raise VectorFailed(f"{name}: {problem}", detail=_shown(content)) from None


def _shown(content: bytes) -> str:
    return content[:4000].decode("utf-8", "replace")
