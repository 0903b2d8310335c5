"""`doctor`: what works here: plugins, optional packages, locks, and the store that is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.messages import counted, error
from pipestat_spec.cli.options import add_list, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.backend import Backend
    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]

OK, NOT_INSTALLED, MISSING, FAILED = "ok", "not installed", "missing", "failed"
_EXPLANATION = """
Looks at Python, the plugins, the packages of each extra, at locks in the folder of the results
file, and at the store, where one is named: a database, S3 or PEPhub is asked how many records it
has. Nothing is written into a store: only --indexes makes the indexes that a database lacks, which
holds up who writes meanwhile. An extra that is not installed is no fault; anything that failed
makes the exit code 1.
"""
_DISTRIBUTION = "pipestat-spec"


class Finding(NamedTuple):
    """One thing that was looked at: `ok`, `not installed`, `missing` or `failed`."""

    what: str
    state: str
    detail: str


def configure(parser: CommandParser) -> None:
    """Fill the parser of `doctor`."""
    parser.add_argument(
        "--indexes", action="store_true", help="make the indexes that a database lacks"
    )
    add_list(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec doctor",
        "pipestat-spec doctor -c pipestat.yaml",
        "pipestat-spec doctor -c pipestat.yaml --indexes",
        "pipestat-spec doctor -f postgresql://user@host/db --pipeline-name rnaseq --format json",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import Listing, print_list

    findings = [_versions(), *_plugins(), *_extras(), *_packages(), *_store(args)]
    print_list(Listing(Finding._fields, findings, "finding"), args)
    failed = sum(finding.state == FAILED for finding in findings)
    if failed:
        error(f"{failed} of {counted(len(findings), 'finding')} failed")
    return 1 if failed else 0


def _versions() -> Finding:
    import platform
    import sys

    from pipestat_spec.cli.overview import version

    return Finding("python", OK, f"{platform.python_version()} ({sys.executable}), {version()}")


def _plugins() -> Iterator[Finding]:
    from pipestat_spec.plugins.loading import ENVIRONMENT_VARIABLE, plugins

    for plugin in plugins().loaded:
        name = f"plugin {plugin.name}"
        if plugin.error is None:
            yield Finding(name, OK, plugin.entry_point.distribution)
        else:
            yield Finding(name, FAILED, plugin.error)
    if ENVIRONMENT_VARIABLE in os.environ:
        only = os.environ[ENVIRONMENT_VARIABLE] or "none"
        yield Finding("plugins", OK, f"{ENVIRONMENT_VARIABLE} allows only: {only}")


def _extras() -> Iterator[Finding]:
    """Look for the packages that each extra of this distribution asks for."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    from pipestat_spec.installing import install_hint

    try:
        lines = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        yield Finding("extras", FAILED, f"the package {_DISTRIBUTION} is not installed, only used")
        return
    wanted: dict[str, list[str]] = {}
    for line in lines:
        found = re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)", line)
        # One extra is all the others together.
        if found and found[1] != _DISTRIBUTION and found[2] != "all":
            wanted.setdefault(found[2], []).append(found[1])
    for extra, packages in wanted.items():
        there: list[str] = []
        missing: list[str] = []
        for package in packages:
            installed = _installed(package)
            if installed is None:
                missing.append(package)
            else:
                there.append(f"{package} {installed}")
        if missing:
            hint = f"lacks {', '.join(missing)}; {install_hint(f'{_DISTRIBUTION}[{extra}]')}"
            yield Finding(f"extra {extra}", NOT_INSTALLED, hint)
        else:
            yield Finding(f"extra {extra}", OK, ", ".join(there))


def _packages() -> Iterator[Finding]:
    """Look for the other packages of this project."""
    from pipestat_spec.installing import FOLDERS, install_hint

    for package in FOLDERS:
        if package != _DISTRIBUTION:
            found = _installed(package)
            if found is None:
                yield Finding(f"package {package}", NOT_INSTALLED, install_hint(package))
            else:
                yield Finding(f"package {package}", OK, found)


def _installed(package: str) -> str | None:
    """Return the version of a package, or None when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _store(args: argparse.Namespace) -> Iterator[Finding]:
    """Open the store that is named, if one is, and look at the locks beside it."""
    from contextlib import closing

    from pipestat_spec.cli.stores import store_arguments
    from pipestat_spec.errors import NoBackendSpecifiedError, PipestatError, StoreNotFoundError
    from pipestat_spec.opening import load_config, open_store

    try:
        opened = open_store(load_config(args.config), store_arguments(args))
    except NoBackendSpecifiedError:
        yield _locks(os.getcwd())
        yield Finding("store", OK, "none is named")
        return
    except (PipestatError, OSError) as failure:
        yield Finding("store", FAILED, str(failure))
        return
    with closing(opened.store) as store:
        place = store.place or opened.backend
        file = store.backend.file
        if file is not None and "://" not in file:
            yield _locks(os.path.dirname(os.path.abspath(file.partition("{")[0] or ".")))
        try:
            opened.check_exists()
            counts = ", ".join(f"{store.count(level)} at {level} level" for level in store.levels)
        except StoreNotFoundError:
            yield Finding("store", OK, f"{place}: not there yet")
        # Drivers and servers fail in many ways; each is a finding.
        except Exception as failure:  # noqa: BLE001
            yield Finding("store", FAILED, f"{place}: {failure}")
        else:
            yield Finding("store", OK, f"{place}: records: {counts}")
            yield from _indexes(store.backend, make=args.indexes)


def _indexes(backend: Backend, *, make: bool) -> Iterator[Finding]:
    """Tell which indexes a store lacks, or make them."""
    from pipestat_spec.errors import PipestatError

    try:
        lacking = backend.make_indexes() if make else backend.lacking_indexes()
    except PipestatError as failure:
        yield Finding("indexes", FAILED, str(failure))
        return
    if lacking:
        told = "made" if make else "searches would be faster with some; --indexes makes them"
        yield Finding("indexes", OK if make else MISSING, f"{told}: {', '.join(lacking)}")


def _locks(folder: str) -> Finding:
    """Try whether a lock in a folder excludes a second one, and ask what its mount promises."""
    from tempfile import NamedTemporaryFile

    from pipestat_spec.mounts import find_mount, lock_fault

    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    mount = find_mount(os.path.realpath(folder))
    where = f"{folder} ({mount.kind})" if mount else folder
    if fault := lock_fault(folder, "flock"):
        return Finding("locks", FAILED, f"{where}: {fault}")
    import fcntl

    try:
        with NamedTemporaryFile(dir=folder) as first, open(first.name) as second:
            fcntl.flock(first, fcntl.LOCK_EX)
            try:
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Finding("locks", OK, where)
    except OSError as failure:
        return Finding("locks", FAILED, f"{where}: {failure.strerror}")
    return Finding("locks", FAILED, f"{where}: a lock does not exclude a second one")
