"""The stores of one server, and what its pages and answers need of them."""

from __future__ import annotations

from collections.abc import Sequence

from pipestat_serve.answers import StoreEntry
from pipestat_serve.files import ServedLinks
from pipestat_serve.served import Served
from pipestat_serve.settings import Settings
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.text.strings import shorten

__all__ = ["Site"]


class Site:
    """The stores by name, in the order of the command line."""

    def __init__(self, stores: Sequence[Served], settings: Settings) -> None:
        self.stores = {one.name: one for one in stores}
        self.settings = settings
        self.first = stores[0]
        # What was said of each store last, with the ETag of then.
        self.entries: dict[str, tuple[str, StoreEntry]] = {}

    def served(self, name: str) -> Served:
        """Return a store; raises RecordNotFoundError, which is answered with 404."""
        if name not in self.stores:
            raise RecordNotFoundError(
                f"there is no store {shorten(name)!r}", hint="/api/v1/stores lists them"
            )
        return self.stores[name]

    def links(self, base: str) -> ServedLinks:
        """Return what makes links to files, relative to `base`."""
        return ServedLinks(self.settings.folders, base)
