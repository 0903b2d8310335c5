"""Writing vectors, schemas, catalogue and protocol into a folder, for other languages."""

from __future__ import annotations

import json
from pathlib import Path

from pipestat_conformance.data import catalogue_file, data_files
from pipestat_conformance.vectors import digest, load_vectors
from pipestat_spec._version import SPEC_VERSION

__all__ = ["export_vectors"]

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
