"""More records than memory should hold: put in order, and read again, by temporary files."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from heapq import merge, nsmallest
from itertools import islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pipestat_spec.models.record import Record

__all__ = ["Kept", "in_order"]

T = TypeVar("T")
# The place of a record, the number that it came with, and itself.
_Placed: TypeAlias = "tuple[Any, int, Record]"

# So many records are in memory, so many in one piece of a file, and so many files are open.
_AT_ONCE = 20_000
_PIECE = 100
_MOST_FILES = 50


class Kept(Generic[T]):
    """Objects in a temporary file, which may be read several times; use it in a `with`."""

    def __init__(self, things: Iterable[T]) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed with this
        try:
            rest = iter(things)
            while piece := list(islice(rest, _PIECE)):
                pickle.dump(piece, self._file, pickle.HIGHEST_PROTOCOL)
        except BaseException:
            self._file.close()
            raise
        self._end = self._file.tell()

    def __iter__(self) -> Iterator[T]:
        place = 0
        while place < self._end:
            self._file.seek(place)
            piece = pickle.load(self._file)
            place = self._file.tell()
            yield from piece

    def __enter__(self) -> Kept[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the objects."""
        self._file.close()


def in_order(
    records: Iterable[Record], place: Callable[[Record], Any], limit: int | None = None
) -> Iterator[Record]:
    """Yield the records by what `place` says of them, those of one place as they came."""
    placed = ((place(record), number, record) for number, record in enumerate(records))
    if limit is not None and limit <= _AT_ONCE:
        yield from (record for *_, record in nsmallest(limit, placed))
        return
    files: list[Kept[_Placed]] = []
    try:
        while len(part := sorted(islice(placed, _AT_ONCE))) == _AT_ONCE:
            files.append(Kept(part))
            if len(files) == _MOST_FILES:
                merged, files = files, [Kept(merge(*files))]
                _close(merged)
        yield from (record for *_, record in islice(merge(*files, part), limit))
    finally:
        _close(files)


def _close(files: Iterable[Kept[_Placed]]) -> None:
    for file in files:
        file.close()
