"""One run of one record: running on entry, completed or failed on exit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from copy import copy
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from pipestat_spec.backend import Capability
from pipestat_spec.domain.values import results_mapping
from pipestat_spec.manager.signals import EndingSignals
from pipestat_spec.models.record import RecordKey
from pipestat_spec.store import Store

__all__ = ["RecordRun"]

P = ParamSpec("P")
T = TypeVar("T")

# Characters of an exception's text that a status message keeps.
_MESSAGE_LENGTH = 2000


class RecordRun:
    """What `with psm.record("s1") as run:` gives: the record to report for.

    It is also a decorator: each call of the function is a run of its own. A status that is
    set in between stays on exit, unless the run fails. SIGTERM and SIGHUP end the program with
    a failed run (`EndingSignals`).
    """

    def __init__(
        self,
        store: Store,
        report: Callable[[RecordKey, Mapping[str, Any], Mapping[str, Any] | None], list[str]],
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
        self._current = running
        self._signals = EndingSignals()
        for status in (running, completed, failed):
            store.settings.statuses.check(status)

    @property
    def record_identifier(self) -> str:
        """The record that this run is about."""
        return self._key.identifier

    @property
    def folder(self) -> str:
        """The folder where relative paths of its files start; it need not exist yet."""
        return self._store.record_folder(self._key.identifier)

    def report(self, values: Mapping[str, Any] | None = None, **results: Any) -> list[str]:
        """Store results, given as a mapping or by name; return one text for each.

        Raises what `PipestatManager.report` raises, and ResultConflictError when a different
        value is stored already and overwriting is off.
        """
        given = {} if values is None else results_mapping(values)
        return self._report(self._key, {**given, **results}, self._source)

    def set_status(self, status: str, message: str | None = None) -> None:
        """Set a status; one that is not that of running stays when the run ends well."""
        self._store.set_status(self._key, status, message, self._source)
        self._current = status

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Make each call of the function a run; calls in several threads share nothing."""

        @wraps(function)
        def run(*args: P.args, **keywords: P.kwargs) -> T:
            with copy(self):
                return function(*args, **keywords)

        return run

    def __enter__(self) -> RecordRun:
        with ExitStack() as stack:
            self._signals = stack.enter_context(EndingSignals())
            self.set_status(self._running)
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._signals.hold()
        try:
            if error is None or (isinstance(error, SystemExit) and not error.code):
                if self._current == self._running:
                    self.set_status(self._completed)
            else:
                keeps_messages = Capability.SOURCE in self._store.rules.capabilities
                self.set_status(self._failed, _describe(error) if keeps_messages else None)
        finally:
            self._signals.__exit__(kind, error, traceback)


def _describe(error: BaseException) -> str:
    text = str(error).strip()
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    plain = "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message
    )
    return plain[:_MESSAGE_LENGTH]
