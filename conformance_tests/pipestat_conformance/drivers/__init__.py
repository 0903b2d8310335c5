"""What the executor talks to: an implementation, in process or behind JSON Lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipestat_conformance.vectors import Opening

__all__ = ["Answer", "Driver", "HarnessError", "Hello", "VectorFailed", "differences"]


class HarnessError(Exception):
    """The harness did not keep to the protocol: no verdict about the implementation.

    `detail` holds what the process wrote to stderr last, if anything.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


@dataclass(frozen=True)
class Hello:
    """Who answers, and what it claims; `refused_identifiers` is a pattern of record identifiers."""

    name: str
    version: str
    language: str
    capabilities: tuple[str, ...]
    profiles: tuple[str, ...]
    refused_identifiers: str | None = None


def differences(first: Hello, second: Hello) -> str | None:
    """Return what an implementation says of itself otherwise than before, or None."""
    for name, before in vars(first).items():
        now = getattr(second, name)
        if now != before and (not isinstance(now, tuple) or set(now) != set(before)):
            return f"{name} are {_list(now)}, and were {_list(before)}"
    return None


def _list(value: Any) -> str:
    return ", ".join(sorted(value)) if isinstance(value, tuple) else repr(value)


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    `kind` is `result`; `error` with a code of PS-CAP-003; or `crash`, an exception that is
    no error of the specification (in process only).
    """

    kind: Literal["result", "error", "crash"]
    result: Any = None
    code: str = ""
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the answer as a report shows it."""
        if self.kind == "result":
            return {"result": self.result}
        return {"error": self.code or "crash", "message": self.message}


class VectorFailed(Exception):
    """An answer, or what a store holds, is other than it has to be."""

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


class Driver(ABC):
    """One connection to an implementation; `strict` says whether 1 and 1.0 can be told apart."""

    strict: bool

    @abstractmethod
    def hello(self) -> Hello:
        """Ask who it is; raises HarnessError."""

    @abstractmethod
    def open(self, store: Mapping[str, Any], opening: Opening) -> Answer:
        """Open a store; one that is open is closed first."""

    @abstractmethod
    def perform(self, op: str, args: Mapping[str, Any]) -> Answer:
        """Make one operation on the open store."""

    @abstractmethod
    def end(self) -> None:
        """End the connection as a program ends that is done: the store is closed.

        The next `open` is a new process, or a new instance.
        """

    @abstractmethod
    def abandon(self) -> None:
        """End the connection after a harness error, whatever state it is in."""

    def close(self) -> None:
        """End the connection for good; raises HarnessError."""
        self.end()

    @abstractmethod
    def another(self) -> Driver:
        """Return one more connection, not yet open, to the same implementation.

        It is in another process wherever that can be.
        """

    def turn(self) -> Driver | None:
        """Return the connection that a store is opened again with, where it is not this one."""
        return None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the arguments that make `conformance run` use this implementation."""

    @abstractmethod
    def program(self) -> list[str]:
        """Return the command of a JSON Lines program that is this implementation."""

    def use_environment(self, variables: Mapping[str, str]) -> None:  # noqa: B027
        """Use these environment variables from the next `open` after an `end`."""

    def use_folder(self, folder: Path) -> None:  # noqa: B027
        """Keep files of the driver's own in this folder from now on."""
