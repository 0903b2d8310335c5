"""What the page of a store shows: the report's document, of some records at a time."""

from __future__ import annotations

import gzip
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from pipestat_report.document import LevelTable, read_level, report_json
from pipestat_report.encoding import to_json
from pipestat_report.page import tool_name
from pipestat_report.thumbnails import Thumbnails

from pipestat_serve.files import ServedLinks
from pipestat_serve.served import Served
from pipestat_spec.backend import Capability
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.times import format_utc, utc_now
from pipestat_spec.models.query import In, Query
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.store import Store
from pipestat_spec.tables import Selection

__all__ = ["MOST_RECORDS", "Documents", "Part"]

# A page shows so many records at once; of more it shows parts.
MOST_RECORDS = 10_000
# So many documents are kept.
_MOST_KEPT = 4
# Of so many records the history is read one by one.
_FEW = 200
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


class Part(NamedTuple):
    """Which records a page shows: those that match a filter, those after a record."""

    where: str | None = None
    cursor: str | None = None


class Documents:
    """The documents of one store; each is made once while nothing changes."""

    def __init__(
        self, served: Served, links: ServedLinks, place: str | None, stores: int = 1
    ) -> None:
        """Make it; `place` is where the results are, for people, `stores` how many are served."""
        self._served, self._links, self._place, self._stores = served, links, place, stores
        self._turn = Lock()
        self._made: OrderedDict[tuple[str, Part], bytes] = OrderedDict()
        # The last one of each part, and when making it began.
        self._last: OrderedDict[Part, tuple[float, bytes]] = OrderedDict()

    def packed(self, tag: str | None, part: Part) -> bytes:
        """Return the document of what `tag` stands for, as JSON, gzip."""
        asked = time.monotonic()
        with self._turn:
            if tag is not None and (tag, part) in self._made:
                return self._made[tag, part]
            began, packed = self._last.get(part, (asked - 1, b""))
            # One that was begun while this request waited is as new as the request.
            if began < asked:
                began = time.monotonic()
                packed = gzip.compress(to_json(self._document(part)), compresslevel=5, mtime=0)
                _keep(self._last, part, (began, packed))
            if tag is not None:
                _keep(self._made, (tag, part), packed)
            return packed

    def _document(self, part: Part) -> dict[str, Any]:
        store = self._served.store
        where = parse_filter(part.where) if part.where else None
        page = store.select(Query("sample", None, where, MOST_RECORDS, part.cursor))
        is_whole = page.total_size == len(page.records) and where is None
        source = _Some(store, {"sample": page.records}, with_history=is_whole)
        samples = read_level(source, "sample", self._links)
        project = read_level(source, "project", self._links) if "project" in store.levels else None
        schema = store.schema
        about: dict[str, Any] = {
            "title": self._served.title,
            "description": schema.description if schema else None,
            "built": format_utc(utc_now()),
            "tool": tool_name(),
            "place": self._place,
            "mode": None,
            "notReported": [],
            "stores": self._stores,
            "part": None if is_whole else _told(part, page.total_size, page.next_cursor),
        }
        return report_json(source, samples, project, Thumbnails(0, 16), about)

    def changed(self, keys: Sequence[RecordKey]) -> dict[str, Any]:
        """Return the records of these names as tables of their own, None for a level without any.

        They are as they are now; one that is gone by now is left out.
        """
        store = self._served.store
        names: dict[Level, list[str]] = {}
        for key in keys:
            names.setdefault(key.level, []).append(key.identifier)
        records = {level: _records(store, level, some) for level, some in names.items()}
        source = _Some(store, records, with_history=True)
        tables: dict[str, LevelTable | None] = {
            level: read_level(source, level, self._links) if level in records else None
            for level in ("sample", "project")
        }
        return {level: table and table.as_json() for level, table in tables.items()}


def _keep(kept: OrderedDict[_Key, _Kept], key: _Key, content: _Kept) -> None:
    kept[key] = content
    kept.move_to_end(key)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)


class _Some(Selection):
    """Some records of a store, with the history of no others."""

    def __init__(
        self, store: Store, records: dict[Level, Sequence[Record]], *, with_history: bool
    ) -> None:
        super().__init__(store, "sample", lambda: records.get("sample", ()))
        self._store, self._some, self._with_history = store, records, with_history

    def scan(self, level: Level) -> Iterator[Record]:
        return iter(self._some[level]) if level in self._some else self._store.scan(level)

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        if not self._with_history or Capability.HISTORY not in self._store.backend.capabilities:
            return iter(())
        some = self._some.get(level)
        if some is None or len(some) > _FEW:
            return super().histories(level)
        return _histories(self._store, some)


def _histories(
    store: Store, records: Iterable[Record]
) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
    for record in records:
        if entries := list(store.backend.history(record.key)):
            yield record.key, entries


def _records(store: Store, level: Level, names: Sequence[str]) -> Sequence[Record]:
    where = In(("record_identifier",), tuple(names))
    return store.select(Query(level, None, where)).records


def _told(part: Part, total: int, following: str | None) -> dict[str, Any]:
    return {"total": total, "where": part.where, "cursor": part.cursor, "next": following}
