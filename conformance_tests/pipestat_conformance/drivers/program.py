"""The driver for programs in any language that speak JSON Lines (protocol/README.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pipestat_conformance.data_files import protocol_schema
from pipestat_conformance.drivers import Answer, Driver, HarnessError, Hello, differences
from pipestat_conformance.drivers.line_process import LineProcess
from pipestat_conformance.special_values import decode, parse_json, to_json
from pipestat_conformance.vectors import Opening
from pipestat_spec._version import SPEC_VERSION

__all__ = ["PROTOCOL", "SubprocessDriver", "program_environment"]

PROTOCOL = 1
_ALWAYS = {"TZ": "UTC", "PYTHONIOENCODING": "utf-8"}


def program_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program under test: no settings of pipestat's, times in UTC."""
    # Another thread may change the variables meanwhile (in_process.py).
    kept = {
        name: value
        for name in list(os.environ)
        if (not name.startswith("PIPESTAT_") or name == "PIPESTAT_PLUGINS")
        and (value := os.environ.get(name)) is not None
    }
    return {**kept, **_ALWAYS, **variables}


class SubprocessDriver(Driver):
    """Starts the program when it is first needed, and anew after an `end` or a failure.

    With `spare` the next process is started ahead of its time, since starting is what takes
    longest, once a process has been ended to be followed by another one.
    Every process has to say of itself what the first one said, or what `hello` is.
    """

    strict = False

    def __init__(
        self,
        program: Sequence[str],
        *,
        timeout: float = 30.0,
        arguments: Sequence[str] = (),
        spare: bool = False,
        hello: Hello | None = None,
    ) -> None:
        self._program = list(program)
        self._arguments = list(arguments)
        self.timeout = timeout
        self.process: LineProcess | None = None
        self._spare: LineProcess | None = None
        self._with_spare = spare
        self._followed = False
        self._seq = 0
        self._hello = hello
        self._variables: Mapping[str, str] = {}

    def hello(self) -> Hello:
        self._started()
        assert self._hello is not None
        return self._hello

    def _started(self) -> LineProcess:
        if self.process is None:
            self.process, self._spare = self._spare or self._start(), None
            if self._with_spare and self._followed:
                self._spare = self._start()
            self._seq = 0
            self._greet()
        return self.process

    def _greet(self) -> None:
        message = {"cmd": "hello", "protocol": PROTOCOL, "spec": SPEC_VERSION}
        hello = _hello(self.request(message, "hello"))
        changed = differences(self._hello or hello, hello)
        if changed is not None:
            self.abandon()
            raise HarnessError(f"a process says hello otherwise than the first one: {changed}")
        self._hello = hello

    def _start(self) -> LineProcess:
        return LineProcess(self._program, program_environment(self._variables))

    def open(self, store: Mapping[str, Any], opening: Opening) -> Answer:
        self._started()
        return self._ask(
            {
                "cmd": "open",
                "store": dict(store),
                "schema": opening.schema,
                "settings": decode(opening.settings),
            }
        )

    def perform(self, op: str, args: Mapping[str, Any]) -> Answer:
        # The forms of vectors are spelt out; what JSON lacks gets its form again.
        return self._ask({"cmd": "op", "op": op, "args": decode(args)})

    def _ask(self, message: Mapping[str, Any]) -> Answer:
        response = self.request(message, "response")
        if "error" in response:
            error = response["error"]
            return Answer("error", code=error["code"], message=error.get("message", ""))
        if response.get("unsupported"):
            return Answer("error", code="unsupported")
        return Answer("result", result=response.get("result"))

    def request(self, message: Mapping[str, Any], answer: str) -> dict[str, Any]:
        """Send a message and return its answer; raises HarnessError, and ends the program then."""
        try:
            self.send(message)
            return self.receive(answer)
        except HarnessError:
            self.abandon()
            raise

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message and do not wait for the answer."""
        assert self.process is not None
        noise = self.process.unasked()
        if noise is not None:
            raise self.process.fail(f"a line that was not asked for: {noise[:200]!r}")
        line = to_json({**message, "seq": self._seq})
        self.process.write(line.encode("ascii"), self.timeout)

    def receive(self, answer: str = "response") -> dict[str, Any]:
        """Return the answer to what was sent last."""
        assert self.process is not None
        line = self.process.read(self.timeout)
        try:
            response = parse_json(line)
        except (ValueError, RecursionError) as error:
            raise self.process.fail(
                f"an answer that is not JSON ({error}): {line[:200]!r}"
            ) from None
        problem = _problem(answer, response)
        if problem is not None:
            raise self.process.fail(f"a wrong answer: {problem}: {line[:200]!r}")
        if response["seq"] != self._seq:
            raise self.process.fail(f"seq is {response['seq']}, not {self._seq}")
        self._seq += 1
        found: dict[str, Any] = response
        return found

    def end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        self._followed = True
        try:
            process.write(b'{"cmd":"bye"}', self.timeout)
            code = process.finish(self.timeout)
        except HarnessError:
            process.kill()
            raise
        noise = process.unasked()
        if noise is not None:
            raise process.fail(f"a line after 'bye': {noise[:200]!r}")
        if code != 0:
            raise process.fail(f"exit code {code} after 'bye'")

    def abandon(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()

    def close(self) -> None:
        self._drop_spare()
        self.end()
        self._followed = False

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.kill()

    def another(self) -> SubprocessDriver:
        driver = SubprocessDriver(
            self._program, timeout=self.timeout, arguments=self._arguments, hello=self._hello
        )
        driver._variables = self._variables
        return driver

    def command(self) -> list[str]:
        return list(self._arguments)

    def program(self) -> list[str]:
        return list(self._program)

    def use_environment(self, variables: Mapping[str, str]) -> None:
        changed = {**_ALWAYS, **variables} != {**_ALWAYS, **self._variables}
        self._variables = variables
        if changed:
            self.close()


def _hello(response: Mapping[str, Any]) -> Hello:
    impl = response["impl"]
    if response["protocol"] != PROTOCOL:
        raise HarnessError(f"it speaks protocol {response['protocol']}, not {PROTOCOL}")
    return Hello(
        impl["name"],
        impl["version"],
        impl.get("language", ""),
        tuple(response["capabilities"]),
        tuple(response["profiles"]),
        response.get("refused_identifiers"),
    )


def _is_plain(response: Any) -> bool:
    """Tell whether it is the form that most answers have, which needs no schema to be right."""
    if not isinstance(response, dict) or response.get("ok") is not True:
        return False
    seq = response.get("seq")
    return type(seq) is int and seq >= 0 and response.keys() <= {"seq", "ok", "result"}


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(protocol_schema(name)))


def _problem(name: str, response: Any) -> str | None:
    if name == "response" and _is_plain(response):
        return None
    schema = "hello_response" if name == "hello" else "response"
    error = next(iter(_validator(schema).iter_errors(response)), None)
    return None if error is None else str(error.message)[:200]
