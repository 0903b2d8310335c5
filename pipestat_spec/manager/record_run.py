"""One run of one record: running on entry, completed or failed on exit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any

from pipestat_spec.backend import Capability
from pipestat_spec.models.record import RecordKey
from pipestat_spec.store import Store

__all__ = ["RecordRun"]

# Characters of an exception's text that a status message keeps.
_MESSAGE_LENGTH = 2000


class RecordRun(ContextDecorator):
    """What `with psm.record("s1") as run:` gives: the record to report for.

    It is also a decorator: each call of the function is a run of its own. `report` is the
    manager's.
    """

    def __init__(
        self,
        store: Store,
        report: Callable[..., list[str] | bool],
        key: RecordKey,
        running: str,
        completed: str,
        failed: str,
        source: Mapping[str, Any] | None,
    ) -> None:
        self._store = store
        self._report = report
        self._key = key
        self._running, self._completed, self._failed = running, completed, failed
        self._source = source
        for status in (running, completed, failed):
            store.settings.statuses.check(status)

    @property
    def record_identifier(self) -> str:
        """The record that this run is about."""
        return self._key.identifier

    def report(self, values: Mapping[str, Any] | None = None, **results: Any) -> list[str] | bool:
        """Store results, given as a mapping or by name; as `PipestatManager.report`."""
        return self._report(
            {**(values or {}), **results},
            self._key.identifier,
            level=self._key.level,
            source=self._source,
        )

    def set_status(self, status: str, message: str | None = None) -> None:
        """Set a status in between, for example `partial`."""
        self._store.set_status(self._key, status, message, self._source)

    def __enter__(self) -> RecordRun:
        self.set_status(self._running)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.set_status(self._completed)
        else:
            keeps_messages = Capability.SOURCE in self._store.backend.capabilities
            self.set_status(self._failed, _describe(error) if keeps_messages else None)


def _describe(error: BaseException) -> str:
    text = str(error).strip()
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    plain = "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message
    )
    return plain[:_MESSAGE_LENGTH]
