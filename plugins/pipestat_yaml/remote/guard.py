"""Whether a store may be written, found out before the first write (SPEC.md section 8.5)."""

from __future__ import annotations

from pipestat_spec.errors import PipestatError, UnsafeStoreError, UnsupportedOperation
from pipestat_yaml.local.local_file import warn_unsafe
from pipestat_yaml.remote.objects import ObjectStore
from pipestat_yaml.remote.probe import honours_conditions, is_remembered

__all__ = ["WriteGuard"]

_ALTERNATIVES = (
    "set unsafe_writes: true if nobody else writes at the same time, or use a "
    "{record_identifier} path with one writer for each object (which needs it too), report "
    "documents ('pipestat-spec ingest') or a database"
)


class WriteGuard:
    """A store with the answer whether its writes can be made safely.

    `seconds` is how long an operation is tried; `readonly` refuses all writes.
    """

    def __init__(
        self, store: ObjectStore, seconds: float, *, unsafe: bool, readonly: bool = False
    ) -> None:
        self.store = store
        self.seconds = seconds
        self.readonly = readonly
        self._unsafe = unsafe
        self._conditional: bool | None = None

    def is_safe(self, key: str) -> bool:
        """Tell, without asking the server, whether writers can rely on conditions.

        One that is not known yet counts, unless the user has opted in to unsafe writes: it
        is either found to honour them, or not written.
        """
        if self.readonly or not self.store.conditional:
            return False
        return not self._unsafe or self.store.is_trusted() or is_remembered(self.store, key)

    def check_open(self, key: str) -> None:
        """Raise UnsupportedOperation when nothing can be written at all."""
        if self.readonly:
            raise UnsupportedOperation(
                f"{self.store.shown(key)} is read over HTTP and cannot be written",
                hint="report to the store that the web server publishes",
                file=self.store.shown(key),
            )

    def is_conditional(self, key: str) -> bool:
        """Tell whether puts are to carry conditions; raises UnsafeStoreError when they cannot.

        With the opt-in they go without, which is said once.
        """
        self.check_open(key)
        if self._conditional is None:
            self._conditional = self._found_out(key)
        return self._conditional

    def _found_out(self, key: str) -> bool:
        try:
            if honours_conditions(self.store, key, self.seconds):
                return True
            fault = "ignores the conditions If-Match and If-None-Match of a put"
            if not self.store.conditional:
                fault = "offers no put that replaces only what was read"
        except PipestatError as error:
            if error.data.get("answer") != "NotImplemented":
                raise
            fault = "refuses conditions of a put"
        fault = f"{self.store.shown(key)}: this store {fault}"
        if not self._unsafe:
            raise UnsafeStoreError(
                f"{fault}, so simultaneous writers would silently lose each other's results",
                hint=_ALTERNATIVES,
                file=self.store.shown(key),
            )
        warn_unsafe(fault)
        return False
