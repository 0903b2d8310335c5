"""The same target in Python, in another process that lives as long as the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipestat_conformance.drivers import Answer, HarnessError, Hello
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.vectors import Opening

__all__ = ["OtherProcess"]


class OtherProcess(SubprocessDriver):
    """Speaks to a process of `pipestat_conformance.serve`, which keeps 1 and 1.0 apart.

    An `end` only closes the store: a process for every vector that opens a store twice would
    cost more than all else. What goes wrong is a finding about the target, as it is in process:
    the program itself is known to keep to the protocol.
    """

    strict = True

    def __init__(self, program: Sequence[str], hello: Hello, timeout: float) -> None:
        super().__init__(program, hello=hello, timeout=timeout)

    def open(self, store: Mapping[str, Any], opening: Opening) -> Answer:
        try:
            return super().open(store, opening)
        except HarnessError as error:
            return _crash(error)

    def perform(self, op: str, args: Mapping[str, Any]) -> Answer:
        try:
            return super().perform(op, args)
        except HarnessError as error:
            return _crash(error)

    def end(self) -> None:
        if self.process is not None:
            response = self.request({"cmd": "close"}, "response")
            if "error" in response:
                raise HarnessError(f"closing the store failed: {response['error']['message']}")

    def close(self) -> None:
        super().end()


def _crash(error: HarnessError) -> Answer:
    return Answer("crash", message=f"{error.detail}\nanother process: {error.message}")
