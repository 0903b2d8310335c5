"""What the suite consists of: listed for the eye, and exported for other languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.claims import CAPABILITIES, PROFILES
from pipestat_conformance.data_files import catalogue_file, data_files
from pipestat_conformance.vectors import digest, load_vectors
from pipestat_spec._version import SPEC_VERSION

__all__ = ["export_vectors", "listing"]


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
        if profile is None or profile in requirement.profiles:
            tested = "" if requirement.testability == "deterministic" else requirement.testability
            yield f"{requirement.id}  {requirement.level:<6} {requirement.title}  {tested}".rstrip()


def _profiles(_: str | None) -> Iterator[str]:
    for name, needs in PROFILES.items():
        yield f"{name:<18}  needs {', '.join(needs)}" if needs else name


def _capabilities(_: str | None) -> Iterator[str]:
    yield from CAPABILITIES


_LISTS = {
    "vectors": _vectors,
    "requirements": _requirements,
    "profiles": _profiles,
    "capabilities": _capabilities,
}


_FOLDERS = (
    ("vectors", (".json",)),
    ("schemas", (".yaml", ".yml", ".json")),
    ("protocol", (".json", ".md")),
)


def export_vectors(folder: Path) -> str:
    """Write everything below `folder`; return what was written, in a line.

    `manifest.json` says which version it is; files of an older export are removed.
    """
    vectors = load_vectors()
    for name, endings in _FOLDERS:
        for old in (folder / name).rglob("*.*"):
            old.unlink()
        for path, file in data_files(name, *endings):
            _write(folder / name / path, file.read_text(encoding="utf-8"))
    _write(folder / "requirements.yaml", catalogue_file().read_text(encoding="utf-8"))
    manifest = {"spec": SPEC_VERSION, "digest": digest(vectors), "vectors": len(vectors)}
    _write(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    return f"{len(vectors)} vectors in {folder}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
