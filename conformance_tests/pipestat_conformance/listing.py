"""What the suite consists of, for the eye."""

from __future__ import annotations

from collections.abc import Iterator

from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.profiles import CAPABILITIES, PROFILES
from pipestat_conformance.vectors import load_vectors

__all__ = ["listing"]


def listing(what: str, profile: str | None) -> str:
    """Return vectors, requirements, profiles or capabilities, one a line."""
    if profile is not None and profile not in PROFILES:
        raise LookupError(f"there is no profile {profile!r}; profiles: {', '.join(PROFILES)}")
    return "\n".join(_LISTS[what](profile))


def _vectors(profile: str | None) -> Iterator[str]:
    from pipestat_conformance.trials import ALL

    for vector in load_vectors():
        if profile in (None, vector.profile):
            yield f"{vector.id}  {' '.join(vector.requirements)}  {vector.title}".rstrip()
    for id, kind in ALL.items():
        if profile in (None, kind.profile):
            yield f"{id}  {' '.join(kind.requirements)}"


def _requirements(profile: str | None) -> Iterator[str]:
    for requirement in load_catalogue().values():
        if profile in (None, requirement.profile):
            tested = "" if requirement.testability == "deterministic" else requirement.testability
            yield f"{requirement.id}  {requirement.level:<6} {requirement.title}  {tested}".rstrip()


def _profiles(_: str | None) -> Iterator[str]:
    for name, profile in PROFILES.items():
        yield f"{name}  {' '.join(profile.rules)}"


def _capabilities(_: str | None) -> Iterator[str]:
    yield from CAPABILITIES


_LISTS = {
    "vectors": _vectors,
    "requirements": _requirements,
    "profiles": _profiles,
    "capabilities": _capabilities,
}
