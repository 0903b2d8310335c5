"""The emitter `pipestat-emit`: a bash file that writes report documents where no Python is."""

from __future__ import annotations

import os
from pathlib import Path

from pipestat_spec.errors import PipestatStartupError
from pipestat_spec.whole_files import replace_file

__all__ = ["EMITTER", "EMITTER_NAME", "install_emitter"]

EMITTER_NAME = "pipestat-emit"
EMITTER = Path(__file__).parent / "data" / EMITTER_NAME
# Stands in the first lines of every version of the file.
_MARK = b"# pipestat-emit: "
_MODE = 0o755


def install_emitter(folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path | None:
    """Put the emitter into a folder, made when it is not there; return its path.

    An emitter of another version is replaced; None when it is there already. Raises
    PipestatStartupError for another file of that name, unless `overwrite` is on.
    """
    target = Path(folder) / EMITTER_NAME
    content = EMITTER.read_bytes()
    if target.is_dir():
        raise PipestatStartupError(f"{target} is a folder", hint="remove it, or give another DIR")
    if target.exists():
        present = target.read_bytes()
        if present == content and os.access(target, os.X_OK):
            return None
        if not overwrite and _MARK not in present[:200]:
            raise PipestatStartupError(
                f"{target} exists already and is no {EMITTER_NAME}",
                hint="give -o to replace it, or another DIR",
            )
    # A job may be running the file that is there; whatever the umask is, other users' jobs run
    # it too.
    replace_file(target, content, _MODE)
    return target
