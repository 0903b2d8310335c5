"""`check-harness`: does a program keep to the protocol? Whether it is right is not asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from pipestat_conformance.claims import ClaimError, check_claims
from pipestat_conformance.drivers import Answer, Driver, HarnessError
from pipestat_conformance.stores import StoreFactory
from pipestat_conformance.vectors import Opening
from pipestat_conformance.verdicts import ExitCode

__all__ = ["check_harness"]

_OPENING = Opening(None, {"namespace": "ns"})


class _Checks:
    """The checks in their order; each raises HarnessError when the protocol is broken."""

    def __init__(self, driver: Driver, store: Callable[[], Mapping[str, Any]]) -> None:
        self._driver = driver
        self._store = store
        self._here: Mapping[str, Any] = {}

    def all(self) -> Mapping[str, Callable[[], str]]:
        return {
            "it says hello": self.hello,
            "its claims are on the closed lists": self.claims,
            "it opens a store": self.opens,
            "it answers operations": self.operations,
            "it answers an unknown operation with 'unsupported'": self.unknown,
            "it answers after a refusal": self.refusals,
            "it reads and writes long lines": self.long_lines,
            "it keeps line separators inside a line": self.separators,
            "it opens another store in the same process": self.another_store,
            "it ends after 'bye', and starts again": self.ends,
        }

    def hello(self) -> str:
        hello = self._driver.hello()
        return f"{hello.name} {hello.version} {hello.language}".rstrip()

    def claims(self) -> str:
        hello = self._driver.hello()
        try:
            check_claims(hello.capabilities, hello.profiles)
        except ClaimError as error:
            raise HarnessError(str(error)) from None
        return ", ".join(hello.profiles)

    def opens(self) -> str:
        self._here = self._store()
        return _opened(self._driver.open(self._here, _OPENING))

    def operations(self) -> str:
        done = self._driver.perform("report", {"record": "s1", "values": {"n": 1}})
        _no_crash(done)
        _no_crash(self._driver.perform("retrieve", {"record": "s1"}))
        _no_crash(self._driver.perform("records", {}))
        return _said(done)

    def unknown(self) -> str:
        answer = self._driver.perform("no-such-operation", {})
        if answer.kind != "error" or answer.code != "unsupported":
            raise HarnessError(f"the answer is {_said(answer)}")
        return ""

    def refusals(self) -> str:
        first = self._driver.perform("report", {"record": "", "values": {"n": 1}})
        second = self._driver.perform("report", {"record": "s1", "values": {"n": {"$nan": True}}})
        third = self._driver.perform("value", {"record": "no such", "result": "n"})
        for answer in (first, second, third, self._driver.perform("records", {})):
            _no_crash(answer)
        return ", ".join(map(_said, (first, second, third)))

    def long_lines(self) -> str:
        values = {"long": "x" * 2_000_000}
        _no_crash(self._driver.perform("report", {"record": "long", "values": values}))
        _no_crash(self._driver.perform("retrieve", {"record": "long"}))
        return "2 MB"

    def separators(self) -> str:
        values = {"text": "a\u2028b\u2029c\u0085d\re\nf"}
        _no_crash(self._driver.perform("report", {"record": "lines", "values": values}))
        _no_crash(self._driver.perform("retrieve", {"record": "lines"}))
        return ""

    def another_store(self) -> str:
        return _opened(self._driver.open(self._store(), _OPENING))

    def ends(self) -> str:
        self._driver.end()
        self._driver.hello()
        said = _opened(self._driver.open(self._here, _OPENING))
        self._driver.end()
        return said


def _no_crash(answer: Answer) -> None:
    if answer.kind == "crash":
        raise HarnessError("an exception that is no error of the specification", answer.message)


def _opened(answer: Answer) -> str:
    _no_crash(answer)
    if answer.kind == "error":
        raise HarnessError(f"the store is refused: {answer.code} {answer.message}")
    return ""


def _said(answer: Answer) -> str:
    return "success" if answer.kind == "result" else answer.code or answer.kind


def check_harness(driver: Driver, stores: StoreFactory, output: TextIO) -> ExitCode:
    """Make all checks until one fails; return 0, or 2 when the harness is broken."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder, number = Path(name), 0

        def store() -> Mapping[str, Any]:
            nonlocal number
            number += 1
            own = folder / f"s{number}"
            own.mkdir()
            return stores(own, f"check{number}")

        driver.use_folder(folder)
        for title, check in _Checks(driver, store).all().items():
            try:
                said = check()
            except HarnessError as error:
                print(f"broken  {title}: {error.message}", file=output)
                for line in error.detail.splitlines()[-15:]:
                    print(f"        | {line}", file=output)
                driver.abandon()
                return ExitCode.ERROR
            print(f"ok      {title}" + (f": {said}" if said else ""), file=output)
    print(
        "the harness keeps to the protocol; 'run' tells whether its answers are right", file=output
    )
    return ExitCode.CONFORMANT
