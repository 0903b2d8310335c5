"""The driver for implementations in Python: this process and no protocol, and one process more.

A store that is opened again, or a second time, is so in another process, as it is for the
programs of the protocol: what only this process knows of it is not stored.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipestat_conformance.drivers import Answer, Driver, HarnessError, Hello
from pipestat_conformance.drivers.other_process import OtherProcess
from pipestat_conformance.special_values import decode
from pipestat_conformance.targets.operations import Session
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening
from pipestat_spec.errors import PipestatError

__all__ = ["InProcessDriver"]


class InProcessDriver(Driver):
    """Opens a target in this process; `store` is where its capabilities are asked for.

    `arguments` make `conformance run` use the target, and `serve` those of a program that serves
    it. Without either everything stays in this process.
    """

    strict = True
    # Seconds for one answer of the other processes: enough on any busy machine, since these
    # programs are the suite's own, and what hangs in them is the target.
    timeout = 300.0

    def __init__(
        self,
        target: Target,
        store: Mapping[str, Any],
        arguments: tuple[str, ...] = (),
        serve: Sequence[str] = (),
    ) -> None:
        self._target = target
        self._store = store
        self._arguments = arguments
        self._serve = list(serve)
        if arguments and not serve:
            self._serve = [sys.executable, "-m", "pipestat_conformance.serve", *arguments]
        self._hello: Hello | None = None
        self._session: Session | None = None
        self._environment: Mapping[str, str] = {}
        self._folder: Path | None = None

    def hello(self) -> Hello:
        if self._hello is None:
            self._hello = self._said()
        return self._hello

    def _said(self) -> Hello:
        with tempfile.TemporaryDirectory() as folder, _environment(self._environment):
            capabilities = self._target.capabilities(self._store, Path(folder))
        return Hello(
            self._target.name,
            self._target.version,
            self._target.language,
            capabilities,
            self._target.profiles(capabilities),
            self._target.refused_identifiers,
        )

    def open(self, store: Mapping[str, Any], opening: Opening) -> Answer:
        self.end()
        settings = {key: decode(value) for key, value in opening.settings.items()}

        def opened() -> None:
            assert self._folder is not None, "use_folder comes before open"
            self._session = self._target.open(
                store, Opening(opening.schema, settings), self._folder
            )

        return self._answer(opened)

    def perform(self, op: str, args: Mapping[str, Any]) -> Answer:
        session = self._session
        if session is None:
            raise AssertionError("no store is open")
        plain = decode(args)
        return self._answer(lambda: session.perform(op, plain))

    def _answer(self, call: Callable[[], Any]) -> Answer:
        try:
            with _environment(self._environment):
                return Answer("result", result=call())
        except PipestatError as error:
            return Answer("error", code=error.code, message=str(error))
        # Whatever a backend raises beyond the specification's errors is a finding about it.
        except Exception:  # noqa: BLE001
            return Answer("crash", message=traceback.format_exc())

    def end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            # Closing has no answer that could tell of it.
            except Exception as error:
                raise HarnessError(f"closing the store failed: {error!r}") from error

    def abandon(self) -> None:
        self._session = None

    def close(self) -> None:
        try:
            self.end()
        finally:
            self._target.close()

    def another(self) -> Driver:
        driver: Driver
        if self._serve:
            driver = OtherProcess(self.program(), self.hello(), self.timeout)
            driver.use_environment(self._environment)
        else:
            driver = InProcessDriver(self._target, self._store)
            driver._folder, driver._environment = self._folder, self._environment
        return driver

    def turn(self) -> Driver | None:
        return self.another() if self._serve else None

    def command(self) -> list[str]:
        return list(self._arguments)

    def program(self) -> list[str]:
        import json

        return [*self._serve, "--store", json.dumps(dict(self._store))]

    def use_environment(self, variables: Mapping[str, str]) -> None:
        self._environment = variables

    def use_folder(self, folder: Path) -> None:
        self._folder = folder


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, the time zone among them, for a while."""
    if not variables:
        yield
        return
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    time.tzset()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        time.tzset()
