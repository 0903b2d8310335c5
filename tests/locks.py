"""The lock files: which version of a package holds where.

python -m tests.locks     print what is newer in this environment than in the lock
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.environments import lock_file

_OURS = {"pipestat-spec", "pipestat-conformance"}
_NONE = Version("0.dev0")


def locked(name: str, where: Mapping[str, str] | None = None) -> dict[str, Version]:
    """Return the versions of a lock file by package, for this Python and system or another.

    `where` has the names of environment markers.
    """
    lines = lock_file(name).read_text().splitlines()
    found = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in lines)):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(dict(where or {})):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            assert requirement.name not in found
            found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


def _main() -> None:
    versions = locked("development")
    here = {canonicalize_name(found.name): Version(found.version) for found in distributions()}
    newer = {name: version for name, version in here.items() if version > versions.get(name, _NONE)}
    for name in sorted(newer.keys() - _OURS):
        print(f"{name}: {versions.get(name, 'not there')} -> {newer[name]}")
    if not newer.keys() - _OURS:
        print("nothing")


if __name__ == "__main__":
    _main()
