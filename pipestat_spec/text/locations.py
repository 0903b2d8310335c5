"""The text of a file or an address, and the YAML or JSON document in it."""

from __future__ import annotations

import os
from typing import Any

from pipestat_spec.text.paths import nearest_name, working_folder
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText, decode, system_reason

__all__ = ["MissingText", "parse_document", "read_document", "read_text"]

# Seconds to wait for a server, each time and in all.
_TIMEOUT = 10
_LONGEST = 60
_MAX_BYTES = 16 * 1024 * 1024


class MissingText(UnreadableText):
    """There is nothing at a location."""


def read_document(location: str | os.PathLike[str]) -> Any:
    """Return the YAML or JSON document at a path, a `file:` or an `http(s):` address.

    Raises UnreadableText, and MissingText when there is none.
    """
    return parse_document(read_text(os.fspath(location)))


def parse_document(text: str) -> Any:
    """Return the YAML or JSON document in a text, its keys as text; raises UnreadableText."""
    if text.lstrip()[:1] in ("{", "["):
        from pipestat_spec.text.json_reader import read_json

        try:
            return read_json(text)
        except UnreadableText as error:
            if error.line is None:
                raise
            # Perhaps YAML in flow style, and if not, its error says where.
    from pipestat_spec.text.yaml_reader import read_yaml

    return read_yaml(text)


def read_text(location: str) -> str:
    """Return the text at a path or address; raises UnreadableText and MissingText."""
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    return decode(_fetch(location) if scheme in ("http", "https") else _read_file(location))


def _read_file(location: str) -> bytes:
    path = os.path.expanduser(_local_path(location))
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        near = _neighbour(path)
        here = working_folder() or "deleted"
        hint = f"did you mean {near}?" if near else f"the current folder is {here}"
        raise MissingText("there is no such file", hint) from None
    except OSError as error:
        raise UnreadableText(f"cannot be read: {system_reason(error)}") from None
    except ValueError as error:
        raise UnreadableText(f"cannot be read: {error}") from None


def _local_path(location: str) -> str:
    if not location.lower().startswith("file:"):
        return location
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(location).path)


def _neighbour(path: str) -> str | None:
    try:
        return nearest_name(os.path.basename(path), os.listdir(os.path.dirname(path) or os.curdir))
    except OSError:
        return None


def _fetch(address: str) -> bytes:
    from http.client import HTTPException
    from time import monotonic
    from urllib.request import Request, urlopen

    try:
        request = Request(address, headers={"User-Agent": "pipestat-spec"})
        with urlopen(request, timeout=_TIMEOUT) as response:
            end = monotonic() + _LONGEST
            content = b""
            while len(content) <= _MAX_BYTES and (part := response.read1(65_536)):
                content += part
                if monotonic() > end:
                    raise TimeoutError(f"not all of it came within {_LONGEST} seconds")
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        code = getattr(error, "code", None)
        raise MissingText(
            f"{f'{code} ' if code else ''}{shorten(str(reason))}",
            "check the address, or download the file and give its path",
        ) from None
    if len(content) > _MAX_BYTES:
        raise UnreadableText(f"longer than {_MAX_BYTES} bytes")
    return content
