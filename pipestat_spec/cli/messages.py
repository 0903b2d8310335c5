"""Messages for people: one line each, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

__all__ = [
    "Progress",
    "catch_logging",
    "counted",
    "counts_text",
    "error",
    "forward_warnings",
    "interrupted",
    "note",
    "warning",
]

# Seconds between two lines of progress, and before the first.
_PACE = 1.0


def error(failure: BaseException | str) -> None:
    """Say in one line why the command failed."""
    _say(f"error: {_describe(failure)}")


def warning(text: str) -> None:
    """Say in one line what deserves attention."""
    _say(f"warning: {text}")


def note(text: str) -> None:
    """Say in one line what was done."""
    _say(text)


def interrupted() -> None:
    """Say how far the long work came that was interrupted, if there was any."""
    if Progress.current is not None:
        Progress.current.interrupted()
        Progress.current = None


def counted(number: int, noun: str) -> str:
    """Return `1 record`, `2 records`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counts_text(counts: Iterable[tuple[str, int]]) -> str:
    """Return `12 completed, 2 failed`."""
    return ", ".join(f"{number} {name}" for name, number in counts)


def _say(text: str) -> None:
    if sys.stderr is None:  # closed by the caller; print would take stdout
        return
    # A stderr that fails must not turn a finished write into a failure.
    with suppress(OSError, ValueError):
        print(_one_line(text), file=sys.stderr, flush=True)


def _one_line(text: str) -> str:
    text = " ".join(text.splitlines())
    if text.isprintable():
        return text
    from pipestat_spec.text.strings import printable

    return printable(text)


def _describe(failure: BaseException | str) -> str:
    from pipestat_spec.errors import PipestatError

    if isinstance(failure, str | PipestatError):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror and failure.filename is not None:
        from pipestat_spec.text.unreadable import system_reason

        return f"{failure.filename}: {system_reason(failure)}"
    text = f"{type(failure).__name__}: {failure}".rstrip(": ")
    if isinstance(failure, OSError):
        return text
    return f"unexpected {text} (--debug shows where)"


@contextmanager
def forward_warnings() -> Iterator[None]:
    """Turn what the package logs and warns of into lines of stderr, while it lasts."""
    import warnings

    from pipestat_spec import logs

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        warning(str(message))

    before = warnings.showwarning
    warnings.showwarning = show
    logs.on_first_use.append(catch_logging)
    catch_logging(only_if_imported=True)
    try:
        yield
    finally:
        warnings.showwarning = before
        logs.on_first_use.remove(catch_logging)
        _release_logging()


_handlers: list[Any] = []


def catch_logging(only_if_imported: bool = False) -> None:
    """Print the warnings that any library logs; do nothing when that is set up already."""
    if _handlers or (only_if_imported and "logging" not in sys.modules):
        return
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                text += f": {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            warning(text)

    _handlers.append(Handler(logging.WARNING))
    logging.getLogger().addHandler(_handlers[0])


def _release_logging() -> None:
    while _handlers:
        import logging

        logging.getLogger().removeHandler(_handlers.pop())


class Progress:
    """Counts long work on a terminal's stderr: `validating: 1200 records`, for the noun `record`.

    `after` says what an interruption leaves behind.
    """

    current: ClassVar[Progress | None] = None

    def __init__(self, doing: str, noun: str, *, quiet: bool = False, after: str = "") -> None:
        Progress.current = self
        self._doing = doing
        self._noun = noun
        self._after = after
        self._count = 0
        self._total: int | None = None
        self._shown = False
        self._active = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._next = _now() + _PACE if self._active else 0.0

    def step(self) -> None:
        """Count one more."""
        self.reached(self._count + 1)

    def reached(self, count: int, total: int | None = None) -> None:
        """Count up to `count`, of `total` where that is known."""
        self._count, self._total = count, total
        if self._active and _now() >= self._next:
            self._next = _now() + _PACE
            self._shown = True
            print(f"\r{self._text()}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Wipe the line."""
        Progress.current = None
        self._wipe()

    def interrupted(self) -> None:
        """Say how far the work came, and what that means."""
        self._wipe()
        _say(f"interrupted, {self._text()}" + (f"; {self._after}" if self._after else ""))

    def _text(self) -> str:
        if self._total is not None:
            return f"{self._doing}: {self._count} of {counted(self._total, self._noun)}"
        return f"{self._doing}: {counted(self._count, self._noun)}"

    def _wipe(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _now() -> float:
    from time import monotonic

    return monotonic()
