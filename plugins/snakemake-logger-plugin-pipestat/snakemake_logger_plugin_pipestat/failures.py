"""The text that a failed job leaves in the status message of its record."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ErrorTexts", "failure_message"]

# Characters of a status message, of the error in it, and of the end of a log file.
_LENGTH = 2000
_ERROR_LENGTH = 800
_LOG_LENGTH = 1000
_LOG_LINES = 15


class ErrorTexts:
    """Remembers what each thread said last: an error and the job that it is about are two
    events, logged one after the other by the same thread."""

    def __init__(self) -> None:
        self._by_thread: dict[int | None, str] = {}

    def add(self, record: logging.LogRecord) -> None:
        self._by_thread[record.thread] = record.getMessage()

    def take(self, record: logging.LogRecord) -> str | None:
        """Return the error that this thread logged before this event."""
        return self._by_thread.pop(record.thread, None)


def failure_message(
    rule: str, attempt: int, error: str | None, logs: Sequence[str] = (), group: str | None = None
) -> str:
    """Return one text from what is known of a failure."""
    head = f"rule {rule} failed"
    if group is not None:
        head += f" with its group {group}"
    if attempt > 1:
        head += f" in attempt {attempt}"
    if error:
        head += ": " + _shorten_middle(_without_wrapper(error), _ERROR_LENGTH)
    text = "\n".join([head, *_log_end(logs)])
    plain = "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return plain[:_LENGTH]


def _without_wrapper(error: str) -> str:
    first, _, rest = error.strip().partition("\n")
    return rest if first.rstrip(":") in ("RuleException", "WorkflowError") and rest else error


def _shorten_middle(text: str, length: int) -> str:
    # A shell error begins with the place and ends with the exit status.
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]} \N{HORIZONTAL ELLIPSIS} {text[-half:]}"


def _log_end(logs: Sequence[str]) -> list[str]:
    """Return the name and the last lines of the first log file that says something."""
    for name in logs:
        try:
            with Path(name).open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _LOG_LENGTH))
                text = file.read().decode("utf-8", "replace").strip()
        except OSError:
            continue
        if text:
            return [f"{name}:", *text.splitlines()[-_LOG_LINES:]]
    return []
