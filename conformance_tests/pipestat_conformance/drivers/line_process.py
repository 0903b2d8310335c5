"""A program that is spoken to line by line, with a time-out for every line."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pipestat_conformance.drivers import HarnessError

__all__ = ["LineProcess"]

# Bytes of one line, and lines that wait to be read; more is no answer but a mistake.
MAX_LINE = 64 * 1024 * 1024
MAX_LINES = 1000
_CHUNK = 65536
_STDERR_LINES = 20
_STDERR_LINE = 2000
# For a program that has closed its output to end, and for what it wrote to stderr to arrive.
_END_SECONDS = 10.0


class LineProcess:
    """One running program in a process group of its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise HarnessError(f"{command[0]} cannot be started: {error.strerror}") from None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._rest = b""
        self._flood = ""
        self._errors: deque[str] = deque(maxlen=_STDERR_LINES)
        self._threads = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        pieces: list[bytes] = []
        length = 0
        while not self._flood and (chunk := self._process.stdout.read(_CHUNK)):
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                self._lines.put(b"".join([*pieces, end]))
                pieces, length = [], 0
            pieces.append(rest)
            length += len(rest)
            # Only looked at when nothing more comes: an unfinished line is part of the error.
            self._rest = b"".join(pieces[:2])
            if length > MAX_LINE:
                self._flood = f"a line of more than {MAX_LINE >> 20} MiB"
            elif self._lines.qsize() > MAX_LINES:
                self._flood = f"more than {MAX_LINES} lines that were not asked for"
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with os.fdopen(os.dup(self._process.stderr.fileno()), "rb") as stream:
            while line := stream.readline(_STDERR_LINE):
                self._errors.append(line.decode("utf-8", "replace").rstrip("\n"))

    def detail(self) -> str:
        """Return what the program wrote to stderr last."""
        return "\n".join(self._errors)

    def fail(self, problem: str) -> HarnessError:
        """Return the error for what went wrong, with what is known of the process."""
        if self._process.poll() is not None:
            for thread in self._threads:
                thread.join(timeout=_END_SECONDS)
        return HarnessError(problem, self.detail())

    def write(self, line: bytes, timeout: float, end: bytes = b"\n") -> None:
        """Send a line; raises HarnessError when the program is dead or does not read it."""
        assert self._process.stdin is not None
        descriptor = self._process.stdin.fileno()
        os.set_blocking(descriptor, False)
        deadline = time.monotonic() + timeout
        data = memoryview(line + end)
        while data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [descriptor], [], left)[1]:
                raise self.fail(f"the request was not read within {timeout:g} s")
            try:
                data = data[os.write(descriptor, data[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except (BrokenPipeError, OSError):
                raise self.fail(self._ended()) from None

    def unasked(self) -> bytes | None:
        """Return a line that was written without a request, if there is one."""
        if self._flood:
            return self._flood.encode()
        with suppress(queue.Empty):
            return self._lines.get_nowait() or None
        return None

    def read(self, timeout: float) -> bytes:
        """Return the next line; raises HarnessError when none comes in time."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            said = f", only an unfinished line: {self._rest[:80]!r}" if self._rest else ""
            raise self.fail(f"no answer within {timeout:g} s{said}") from None
        if line is None:
            self._lines.put(None)
            said = f" in the middle of a line: {self._rest[:80]!r}" if self._rest else ""
            raise self.fail(self._ended() + said)
        return line

    def _ended(self) -> str:
        if self._flood:
            return f"the program wrote {self._flood}"
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=_END_SECONDS)
            if code < 0:
                return f"the program was ended by signal {signal.Signals(-code).name}"
            return f"the program ended with exit code {code}"
        return "the program closed its output"

    def finish(self, timeout: float) -> int:
        """Close the input and wait for the end; raises HarnessError when it does not come."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            error = self.fail(f"the program did not end within {timeout:g} s of 'bye'")
            self.kill()
            raise error from None
        self._release()
        return code

    def kill(self) -> None:
        """End the process group at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._release()

    def _release(self) -> None:
        # What the program left behind in its group would keep the pipes open.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for thread in self._threads:
            thread.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
