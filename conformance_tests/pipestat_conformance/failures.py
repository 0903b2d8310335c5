"""What ends a vector: an answer, or a file, other than it has to be."""

from __future__ import annotations

from typing import Any

from pipestat_conformance.drivers import Answer

__all__ = ["VectorFailed"]


class VectorFailed(Exception):
    """A step answered other than it has to."""

    def __init__(
        self,
        message: str,
        *,
        expected: Any = None,
        answer: Answer | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.answer = answer
        self.detail = detail
