"""A bucket through plain HTTP, with no library of ours or Amazon's between."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from html import unescape
from typing import Any
from urllib.parse import quote

import yaml

from tests import patience

# The server checks no signature, but it wants one.
_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=x",
    "Content-Type": "application/yaml",
}


class RawBucket:
    def __init__(self, server: str, name: str) -> None:
        self.server = server
        self.name = name

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        request = urllib.request.Request(
            f"{self.server}/{self.name}{path}",
            data=body,
            method=method,
            headers={**_SIGNED, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        with urllib.request.urlopen(request, timeout=patience.SECONDS) as answer:
            return answer.read(), dict(answer.headers)

    def create(self) -> None:
        self._ask("PUT", "")

    def put(self, key: str, body: bytes, **headers: str) -> None:
        self._ask("PUT", f"/{quote(key)}", body, **headers)

    def get(self, key: str) -> bytes | None:
        try:
            body: bytes = self._ask("GET", f"/{quote(key)}")[0]
        except urllib.error.HTTPError as missing:
            if missing.code != 404:
                raise
            return None
        return body

    def headers(self, key: str) -> dict[str, str]:
        return {k.lower(): v for k, v in self._ask("GET", f"/{quote(key)}")[1].items()}

    def delete(self, key: str) -> None:
        self._ask("DELETE", f"/{quote(key)}")

    def names(self) -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            text = self._ask("GET", f"?list-type=2{token}")[0].decode()
            found += [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", text)]
            more = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if more is None:
                return sorted(found)
            token = "&continuation-token=" + quote(unescape(more[1]), safe="")

    def document(self, key: str = "run/results.yaml") -> Any:
        """Return an object as PyYAML reads it."""
        body = self.get(key)
        return None if body is None else yaml.load(body, Loader=yaml.CSafeLoader)

    def results(self, key: str = "run/results.yaml", namespace: str = "demo") -> dict[str, Any]:
        """Return the records of an object without their `meta`."""
        found = (self.document(key) or {}).get(namespace) or {}
        return {
            name: {k: v for k, v in record.items() if k != "meta"} for name, record in found.items()
        }
