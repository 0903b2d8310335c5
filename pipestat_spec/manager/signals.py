"""Signals that end a program, as exceptions while a record is run."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType

__all__ = ["EndedBySignal", "EndingSignals"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class EndedBySignal(SystemExit):
    """A signal asked the program to end; the exit code is the one that shells give it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __str__(self) -> str:
        return signal.Signals(self.number).name


class EndingSignals:
    """While entered, SIGTERM and SIGHUP raise EndedBySignal, so that what is open is closed.

    A program's own handler stays, and so does a signal that is ignored, as under nohup. Threads
    get no signals: in one other than the main thread nothing happens.
    """

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._process = 0
        self._is_held = False
        self._came: int | None = None

    def __enter__(self) -> EndingSignals:
        self._process = os.getpid()
        if threading.current_thread() is threading.main_thread():
            self._taken = [n for n in _SIGNALS if signal.getsignal(n) is signal.SIG_DFL]
            for number in self._taken:
                signal.signal(number, self._end)
        return self

    def hold(self) -> None:
        """Keep a signal that comes now until the end; it must not stop what closes."""
        self._is_held = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number in self._taken:
            if signal.getsignal(number) == self._end:
                signal.signal(number, signal.SIG_DFL)
        if self._came is not None and not isinstance(error, EndedBySignal):
            os.kill(os.getpid(), self._came)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            # A forked child ends as it would have: the record is its parent's.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self._is_held:
            self._came = number
        else:
            # Schedulers send it twice, and the second one must not stop what the first began.
            self.hold()
            raise EndedBySignal(number)
