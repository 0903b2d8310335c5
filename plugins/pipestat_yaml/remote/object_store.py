"""What a store of objects can do, whatever library reaches it.

Each method makes one request and retries nothing: what went wrong tells the caller whether
a retry may help, and whether the outcome is unknown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple, TypeAlias

__all__ = [
    "ANY",
    "NEW",
    "Condition",
    "ConditionFailed",
    "Fetched",
    "Listed",
    "ObjectStore",
    "StoredObject",
    "Transient",
]


class StoredObject(NamedTuple):
    """An object as one request gave it; `version` names this content, None where nothing does."""

    data: bytes
    version: str | None
    metadata: Mapping[str, str]


class Listed(NamedTuple):
    """An object in a list; `size` and `version` are None where the store does not say."""

    key: str
    size: int | None
    version: str | None = None


class Condition(NamedTuple):
    """What has to hold for a put: this version is there, NEW: nothing is, ANY: no condition."""

    version: str | None
    kind: str = "version"


NEW: Final = Condition(None, "new")
ANY: Final = Condition(None, "any")


class ConditionFailed(Exception):
    """The object is not what the condition says (any more): this request stored nothing."""


class Transient(Exception):
    """A request failed in a way that may pass; the text says how, for people.

    `reached` is false when there was no connection at all. Else the outcome is unknown: the
    server may have done what was asked.
    """

    def __init__(self, text: str, *, reached: bool = True) -> None:
        super().__init__(text)
        self.reached = reached


Fetched: TypeAlias = StoredObject | Transient | None


class ObjectStore(ABC):
    """Objects by key; raises ConditionFailed, Transient, and PipestatError for what lasts."""

    # Whether puts can depend on a condition, as far as the library goes.
    conditional: ClassVar[bool] = False
    # Whether metadata is kept with an object, in which a writer finds its own put again.
    keeps_metadata: ClassVar[bool] = False
    # Whether a list of objects is one request and tells their versions.
    lists_versions: ClassVar[bool] = False
    # Whether an object outlives the process that put it, whole, and others see it.
    durable: ClassVar[bool] = False

    @abstractmethod
    def shown(self, key: str) -> str:
        """Return the object's URL for messages."""

    @abstractmethod
    def get(self, key: str) -> StoredObject | None:
        """Return the object, all of it from one request; None when there is none."""

    @abstractmethod
    def put(self, key: str, data: bytes, when: Condition, metadata: Mapping[str, str]) -> None:
        """Store the object, in one request."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object; it may be missing."""

    @abstractmethod
    def find(self, prefix: str) -> list[Listed]:
        """Return all objects whose keys begin with `prefix`, in no order."""

    def get_many(self, keys: Sequence[str]) -> list[Fetched]:
        """Return what `get` gives for each key, a Transient where it raises one."""
        from concurrent.futures import ThreadPoolExecutor

        if len(keys) < 2:
            return [self._fetched(key) for key in keys]
        with ThreadPoolExecutor(min(len(keys), 8)) as pool:
            return list(pool.map(self._fetched, keys))

    def _fetched(self, key: str) -> Fetched:
        try:
            return self.get(key)
        except Transient as failure:
            return failure

    def put_many(
        self, puts: Sequence[tuple[str, bytes, Condition, Mapping[str, str]]]
    ) -> list[ConditionFailed | Transient | None]:
        """Make several puts at once; return what each of them raised."""
        from concurrent.futures import ThreadPoolExecutor

        if len(puts) < 2:
            return [self._was_put(put) for put in puts]
        with ThreadPoolExecutor(min(len(puts), 8)) as pool:
            return list(pool.map(self._was_put, puts))

    def _was_put(
        self, put: tuple[str, bytes, Condition, Mapping[str, str]]
    ) -> ConditionFailed | Transient | None:
        try:
            self.put(*put)
        except (ConditionFailed, Transient) as failure:
            return failure
        return None

    def is_trusted(self) -> bool:
        """Tell whether conditions are known to be honoured, without asking the server."""
        return False

    def address(self, key: str) -> str:
        """Return what a probe's answer holds for: the endpoint and the bucket."""
        return self.shown(key)

    @abstractmethod
    def close(self) -> None:
        """Release connections; a second call does nothing."""
