"""Images that are in an object store or on the web, fetched on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipestat_spec.errors import PipestatDependencyError
from pipestat_spec.installing import install_hint

__all__ = ["RemoteFiles", "protocol_of"]

# Other protocols are not followed: a result is text that anybody may have written.
_FETCHED = ("s3", "gs", "az", "http", "https")
_SAME = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}
# An image of more bytes than this is not fetched.
_MOST_BYTES = 50_000_000
# Not an option of a file system: the patience of the store.
_PATIENCE = "retry_seconds"


def protocol_of(address: str) -> str:
    """Return the protocol of an address, one name for those that mean the same."""
    name = address.partition("://")[0].lower()
    return _SAME.get(name, name)


class RemoteFiles:
    """Reads files by address; `options` are those of the file system that `place` is in."""

    def __init__(self, place: str | None, options: Mapping[str, Any]) -> None:
        self._protocol = protocol_of(place) if place and "://" in place else "s3"
        self._options = {name: value for name, value in options.items() if name != _PATIENCE}
        self._systems: dict[str, Any] = {}

    def read(self, addresses: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of the files that can be read, fetched at the same time.

        Raises PipestatDependencyError when the library for an address is not installed.
        """
        by_protocol: dict[str, list[str]] = {}
        for address in addresses:
            by_protocol.setdefault(protocol_of(address), []).append(address)
        found: dict[str, bytes] = {}
        for protocol, several in by_protocol.items():
            if protocol in _FETCHED:
                found |= self._fetch(self._system(protocol), several)
        return found

    def _fetch(self, system: Any, addresses: list[str]) -> dict[str, bytes]:
        keys = [system._strip_protocol(address) for address in addresses]
        size = len(keys)
        try:
            # One byte more than is taken tells what is too large.
            parts = system.cat_ranges(keys, [0] * size, [_MOST_BYTES + 1] * size, on_error="return")
        # A server may answer anything, and every library of fsspec raises errors of its own.
        except Exception:  # noqa: BLE001
            return {}
        return {
            address: bytes(part)
            for address, part in zip(addresses, parts, strict=True)
            if isinstance(part, bytes | bytearray) and len(part) <= _MOST_BYTES
        }

    def _system(self, protocol: str) -> Any:
        if protocol not in self._systems:
            options = self._options if protocol == self._protocol else {}
            try:
                import fsspec

                # Not cached: it may hold credentials.
                system = fsspec.filesystem(protocol, skip_instance_cache=True, **options)
            except ImportError as error:
                raise PipestatDependencyError(
                    f"images at {protocol}:// cannot be fetched: {error}",
                    hint="leave out --fetch-images, or install what is missing; for s3:// and "
                    f"https:// {install_hint('pipestat-spec[s3]')}",
                ) from error
            self._systems[protocol] = system
        return self._systems[protocol]
