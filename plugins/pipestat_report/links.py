"""From the path of a file in a result to a link in the page."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level

__all__ = ["Linker", "Links", "Place", "PortableLinks", "Target", "locate", "safe_address"]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


class Target(NamedTuple):
    """Where a path leads: a local file, or an address."""

    file: str | None = None
    address: str | None = None


def locate(path: str, folder: str) -> Target:
    """Return where a path leads that is relative to `folder`, itself a folder or an address."""
    scheme = _ADDRESS.match(path)
    if scheme is None and _ADDRESS.match(folder):
        if path.startswith("/"):
            return Target(file=path)
        base = folder.rstrip("/") + "/"
        if base.lower().startswith(("http://", "https://")):
            return Target(address=urljoin(base, quote(path)))
        return Target(address=base + path)
    if scheme is None:
        return Target(file=os.path.normpath(os.path.join(folder, path)))
    if scheme[1].lower() == "file":
        return Target(file=url2pathname(urlsplit(path).path))
    return Target(address=path)


def safe_address(address: str) -> str | None:
    """Return an address that a browser may follow, or None: only http and https."""
    return address if address.lower().startswith(("http://", "https://")) else None


def relative_link(file: str, folder: str) -> str:
    """Return the link to a local file from a page in `folder`; it never has a scheme."""
    path = os.path.relpath(file, folder).replace(os.sep, "/")
    return quote(os.fsencode(path), safe="/~")


class Place(NamedTuple):
    """Where a record reports a file: its result, and the keys that lead to it inside."""

    level: Level
    identifier: str
    result: str
    keys: tuple[str | int, ...] = ()


class Linker(Protocol):
    """Makes the link to a local file that is there and that is reported at a place."""

    def link(self, file: str, place: Place) -> str | None: ...


class Links:
    """Links relative to the folder that the page is in."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def link(self, file: str, place: Place) -> str | None:  # noqa: ARG002
        return relative_link(file, self._folder)


class PortableLinks:
    """Links into a folder that goes with the page; `files` maps its members to what they are."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._members: dict[str, str] = {}
        self._names: Counter[str] = Counter()

    def link(self, file: str, place: Place) -> str | None:  # noqa: ARG002
        """Return None for what is no plain file: a folder is not packed."""
        if not os.path.isfile(file):
            return None
        member = self._members.get(file)
        if member is None:
            name = os.path.basename(file)
            self._names[name] += 1
            # The first of a name stands in a folder too, so that no two members can meet.
            member = f"files/{self._names[name]}/{name}"
            self._members[file] = member
            self.files[member] = file
        return quote(os.fsencode(member), safe="/~")
