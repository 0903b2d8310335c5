"""Pages of docs/ that programs write, and the check that they are what would be written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["write_page"]

_DOCS = Path(__file__).resolve().parents[2] / "docs"


def write_page(name: str, text: str, module: str, arguments: Sequence[str]) -> int:
    """Write a page of docs/, or with `--check` compare it; return the exit code.

    It is 1 where the page differs, with a line on stderr that names the module which writes it.
    """
    path = _DOCS / name
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{path} is out of date: run python -m {module}\n")
    return 1
