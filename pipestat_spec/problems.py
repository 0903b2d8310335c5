"""Errors one by one, or all of them: how far a reader goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.errors import PipestatError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["AT_ONCE", "Problems"]


class Problems:
    """Errors that a reader keeps in order to go on: `with problems:` ends where one is raised.

    `AT_ONCE` keeps none: there the first error passes through.
    """

    def __init__(self, *, kept: bool = True) -> None:
        self.errors: list[PipestatError] = []
        self._kept = kept

    @property
    def lines(self) -> list[str]:
        """Everything that is wrong, a line for each problem."""
        return [line for error in self.errors for line in error.problems]

    def __bool__(self) -> bool:
        return bool(self.errors)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not self._kept or not isinstance(error, PipestatError):
            return False
        self.errors.append(error)
        return True


AT_ONCE = Problems(kept=False)
