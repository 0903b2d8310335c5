"""What a URL names."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

__all__ = ["Location", "locate"]

_LOCAL = ("file", "local")
_PROTOCOL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")


class Location(NamedTuple):
    """A URL by the way that leads to it: `protocol` is None for what is chained (`a::b`)."""

    url: str
    protocol: str | None

    @property
    def is_s3(self) -> bool:
        return self.protocol in ("s3", "s3a")

    @property
    def is_web(self) -> bool:
        return self.protocol in ("http", "https")


def locate(url: str, folder: str) -> Location | str:
    """Return the location of a URL, or the local path that it names, absolute by `folder`."""
    if "::" in url:
        return Location(url, None)
    match = _PROTOCOL.match(url)
    if match is None:
        # A folder such as `a b://c`, which nobody means.
        return Location(url, None)
    protocol = match[1].lower()
    if protocol not in _LOCAL:
        return Location(url, protocol)
    path = url[match.end() :].removeprefix("localhost/")
    if path != url[match.end() :]:
        path = "/" + path
    return os.path.normpath(os.path.join(folder, path))
