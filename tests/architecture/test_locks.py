"""The lock files say of everything that is asked for which version it is, and of nothing where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.environments import lock_file
from tests.locks import locked
from tests.repository import REPOSITORY

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {"linux": ("Linux", "x86_64"), "darwin": ("Darwin", "arm64")}
# Those of one group, and no project of ours.
ALONE = (
    *("packages", "docs", "reference", "multiqc", "frictionless", "rocrate-validator"),
    "schemathesis",
)
LOCKS = ("development", "looper", "snakemake", *ALONE)


def content(folder: str = ".") -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / folder / "pyproject.toml").read_text("utf-8"))


def group(name: str) -> Iterator[str]:
    for item in content()["dependency-groups"][name]:
        yield from (item,) if isinstance(item, str) else group(item["include-group"])


def asked(lock: str) -> Iterator[str]:
    """Yield what has to be in a lock file."""
    if lock in ALONE:
        yield from group(lock)
        return
    folders = {
        "development": (".", "conformance_tests", "examples/third_party_backend"),
        "looper": (".",),
        "snakemake": (".", "plugins/snakemake-logger-plugin-pipestat"),
    }
    for folder in folders[lock]:
        yield from content(folder)["project"]["dependencies"]
        yield from content(folder)["build-system"]["requires"]
    yield from group("install")
    if lock == "development":
        for name in ("test", "lint", "uv"):
            yield from group(name)
        requirements = REPOSITORY / "examples" / "quickstart" / "requirements.txt"
        yield from requirements.read_text().splitlines()
    else:
        yield from group(lock)
        yield from content()["project"]["optional-dependencies"]["sql"]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_all_that_is_asked_for_is_locked(lock: str, python: str, system: str) -> None:
    name, machine = SYSTEMS[system]
    where = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": name,
        "platform_machine": machine,
    }
    versions = locked(lock, where)
    ours = {"pipestat-spec", "pipestat-conformance"}
    for requirement in map(Requirement, asked(lock)):
        package = canonicalize_name(requirement.name)
        if package not in ours:
            assert versions[package] in requirement.specifier, f"{requirement}; run 'make lock'"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_no_place(lock: str) -> None:
    for line in lock_file(lock).read_text().splitlines():
        assert re.match(r"[a-z0-9-]+==[\w.+!]+( |$)|#", line), line
        assert "//" not in line
        assert "@" not in line


def test_every_lock_is_read() -> None:
    assert sorted(path.stem for path in Path(REPOSITORY / "locks").iterdir()) == sorted(LOCKS)
