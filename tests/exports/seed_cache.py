"""Put the context of RO-Crate 1.1 into the cache of the validator, as if it had been fetched.

`python seed_cache.py CACHE`, with the Python of the validator's environment. The context is the
one that rocrate 0.13 has with it.
"""

from __future__ import annotations

import io
import sys
from importlib.resources import files
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Shelf(HTTPAdapter):
    """Answers with the file of the package."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        headers = {"Content-Type": "application/ld+json"}
        answer = HTTPResponse(io.BytesIO(body), headers, 200, preload_content=False)
        return self.build_response(request, answer)


with CachedSession(sys.argv[1], backend="sqlite", expire_after=-1) as session:
    session.mount("https://w3id.org/", Shelf())
    assert session.get(CONTEXT).json()["@id"] == CONTEXT
