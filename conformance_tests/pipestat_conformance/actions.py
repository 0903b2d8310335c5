"""What the subcommands of `pipestat-spec conformance` do."""

from __future__ import annotations

import argparse
import atexit
import json
import logging
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from pipestat_conformance.arguments import build_parser
from pipestat_conformance.drivers import Driver, HarnessError
from pipestat_conformance.verdicts import Conclusion, ExitCode, Result, Verdict

if TYPE_CHECKING:
    from pipestat_conformance.options import RunOptions
    from pipestat_conformance.stores import StoreFactory

__all__ = ["UsageError", "main", "make_driver"]


class UsageError(Exception):
    """What was asked for cannot be done as it was asked."""


def main(arguments: Sequence[str], prog: str) -> int:
    """Run one subcommand; return its exit code."""
    try:
        parsed = build_parser(prog).parse_args(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.USAGE
    with _quiet():
        return _acted(parsed)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the package warns of out of the progress: vectors report what is undeclared."""
    logger = logging.getLogger("pipestat_spec")
    handler, propagate = logging.NullHandler(), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _acted(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.catalogue import CatalogueError
    from pipestat_conformance.claims import ClaimError
    from pipestat_conformance.known_failures import KnownFailuresError
    from pipestat_conformance.reports.files import ReportError
    from pipestat_conformance.stores import StoreError
    from pipestat_conformance.vectors import VectorError
    from pipestat_spec.errors import PipestatError

    try:
        return int(_ACTIONS[parsed.action](parsed))
    except (UsageError, StoreError, KnownFailuresError, ReportError, LookupError) as error:
        return _failed(str(error.args[0] if error.args else error), ExitCode.USAGE)
    except HarnessError as error:
        return _failed(_with_detail(error), ExitCode.ERROR)
    except (ClaimError, CatalogueError, VectorError, PipestatError) as error:
        return _failed(str(error), ExitCode.ERROR)


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")


def _failed(message: str, code: ExitCode) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


def _with_detail(error: HarnessError) -> str:
    lines = [f"\n  | {line}" for line in error.detail.splitlines()[-15:]]
    return f"harness: {error.message}" + "".join(lines)


def make_driver(parsed: argparse.Namespace) -> tuple[Driver, Any]:
    """Return the driver and the store's description that the arguments name."""
    from pipestat_conformance.stores import default_store

    store = default_store(parsed.backend)
    if parsed.store is not None:
        try:
            store = json.loads(parsed.store)
        except ValueError as error:
            raise UsageError(f"--store is no JSON: {error}") from None
    if parsed.exec is not None:
        return _program(parsed), store
    return _backend(parsed, store), store


def _stores(parsed: argparse.Namespace, driver: Driver, store: Any) -> StoreFactory:
    """Return the stores; where none is given to a program, its claims decide when it has spoken."""
    from pipestat_conformance.stores import default_store, template

    if parsed.store is not None or parsed.exec is None:
        return template(store)
    return lambda folder, name: template(default_store(profiles=driver.hello().profiles))(
        folder, name
    )


def _program(parsed: argparse.Namespace) -> Driver:
    from pipestat_conformance.drivers.program import SubprocessDriver

    program = _split(parsed.exec, "--exec")
    spare = parsed.action in ("run", "walk")
    return SubprocessDriver(
        program, timeout=parsed.timeout, arguments=["--exec", parsed.exec], spare=spare
    )


def _split(command: str, option: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if not words:
        raise UsageError(f"{option} names no program")
    return words


def _backend(parsed: argparse.Namespace, store: Any) -> Driver:
    import tempfile
    from pathlib import Path

    from pipestat_conformance.drivers.in_process import InProcessDriver
    from pipestat_conformance.stores import template
    from pipestat_conformance.targets import find_target
    from pipestat_spec.errors import PluginError
    from pipestat_spec.plugins.loading import plugins

    try:
        plugins().backend(parsed.backend)
    except PluginError as error:
        raise UsageError(str(error)) from None
    folder = tempfile.mkdtemp(prefix="conformance-probe-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    probe = template(store)(Path(folder), "probe")
    return InProcessDriver(find_target(parsed.backend), probe, ("--backend", parsed.backend))


def _run(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.assessment import exit_code
    from pipestat_conformance.catalogue import load_catalogue
    from pipestat_conformance.reports.document import build_report
    from pipestat_conformance.reports.files import write_report
    from pipestat_conformance.reports.summary import failure_text, summary
    from pipestat_conformance.run import run

    catalogue = load_catalogue()
    report = build_report(run(_options(parsed)), catalogue)
    if parsed.report is not None:
        write_report(report, parsed.report)
    if parsed.verbose or parsed.vector:
        for failure in report["failures"]:
            _say(failure_text(failure) + "\n")
    _say(summary(report))
    if parsed.report is not None:
        _say(f"report: {parsed.report / 'report.json'}")
    return exit_code(Conclusion(report["outcome"]), parsed.accept_known)


def _options(parsed: argparse.Namespace) -> RunOptions:
    from pipestat_conformance.claims import PROFILES
    from pipestat_conformance.known_failures import KnownFailures, read_known_failures
    from pipestat_conformance.options import RunOptions

    for name in parsed.profile or ():
        if name not in PROFILES:
            raise UsageError(f"there is no profile {name!r}; profiles: {', '.join(PROFILES)}")
    file = parsed.known_failures
    driver, store = make_driver(parsed)
    return RunOptions(
        driver,
        _stores(parsed, driver, store),
        store=None if parsed.store is None else store,
        profiles=parsed.profile,
        select=parsed.vector,
        known=KnownFailures() if file is None else read_known_failures(file),
        known_file=None if file is None else str(file),
        seed=parsed.seed,
        quick=parsed.quick,
        jobs=parsed.jobs,
        peer=None if parsed.peer is None else _split(parsed.peer, "--peer"),
        progress=Progress(sys.stderr),
    )


class Progress:
    """Tells on a stream how far a run is: a line that changes, or one in a hundred vectors."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def __call__(self, done: int, total: int, result: Result) -> None:
        """Tell of one result more; a trial says what it found."""
        if result.kind == "trial" and result.note and result.verdict is Verdict.PASS:
            self._stream.write(f"{result.id}: {result.note}\n")
        if self._live:
            end = "\n" if done == total else ""
            line = f"{done}/{total} {result.id}"[:78]
            self._stream.write(f"\r{line:<78}{end}")
            self._stream.flush()
        elif done % 100 == 0 or done == total:
            self._stream.write(f"{done}/{total}\n")
            self._stream.flush()


def _check_harness(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.harness_check import check_harness

    driver, store = make_driver(parsed)
    return check_harness(driver, _stores(parsed, driver, store), sys.stdout)


def _walk(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.walks import walks

    driver, store = make_driver(parsed)
    return walks(driver, _stores(parsed, driver, store), parsed, sys.stdout)


def _export(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.contents import export_vectors

    _say(export_vectors(parsed.folder))
    return ExitCode.CONFORMANT


def _compare(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.reports.compare import compare_reports
    from pipestat_conformance.reports.files import read_report

    found = compare_reports(read_report(parsed.before), read_report(parsed.after))
    _say("\n".join(found.lines) or "the two reports say the same")
    return ExitCode.NOT_CONFORMANT if found.worse else ExitCode.CONFORMANT


def _merge(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.reports.files import read_report, write_merged

    for path in write_merged([read_report(path) for path in parsed.reports], parsed.report):
        _say(path)
    return ExitCode.CONFORMANT


def _list(parsed: argparse.Namespace) -> int:
    from pipestat_conformance.contents import listing

    _say(listing(parsed.what, parsed.profile))
    return ExitCode.CONFORMANT


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "check-harness": _check_harness,
    "walk": _walk,
    "export-vectors": _export,
    "compare": _compare,
    "merge": _merge,
    "list": _list,
}
