"""How the packages of this project are installed: said here for all messages and documents.

`python -m pipestat_spec.installing [--check]` writes the install lines of the documents.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FOLDERS", "FROM_INDEX", "documents", "install_hint", "main", "with_install_lines"]

# The one switch: whether the packages are on an index. Set it, then run this module.
FROM_INDEX = False

# Where a clone has each distribution.
FOLDERS = {
    "pipestat-spec": "",
    "pipestat-conformance": "/conformance_tests",
    "snakemake-logger-plugin-pipestat": "/plugins/snakemake-logger-plugin-pipestat",
}
_NAMES = {folder: name for name, folder in FOLDERS.items()}
_IN_A_CLONE = "in a clone of pipestat-spec"
# One word of an install line: a distribution by its name or by its folder, and its extras.
_WORD = re.compile(
    rf"(?:(?P<name>{'|'.join(FOLDERS)})"
    rf"|(?P<root>\.|\.\./\.\.)(?P<folder>{'|'.join(filter(None, FOLDERS.values()))})?)"
    r"(?P<extras>\[[\w,-]+\])?"
)
_LINE = re.compile(
    r"^(?P<command> *(?:\$ )?\S*(?:python -m )?pip install(?: -\S+)*) (?P<words>[^#\n]*[^#\n ])"
    r"(?P<remark> +#.*)?$",
    re.MULTILINE,
)


def install_hint(requirement: str) -> str:
    """Return what to do to get `pipestat-spec[sql]`, or another distribution of the project."""
    command = f"pip install {_written(requirement, '.', FROM_INDEX)}"
    return command if FROM_INDEX else f"{_IN_A_CLONE}: {command}"


def with_install_lines(text: str, *, root: str = ".", from_index: bool = FROM_INDEX) -> str:
    """Return a document whose install lines say where the packages are.

    `root` is the way to the clone from where the lines are run.
    """

    def line(found: re.Match[str]) -> str:
        words = found["words"].split(" ")
        written = [_written(word, root, from_index) for word in words]
        if written == [_written(word, root, not from_index) for word in words]:
            return found[0]
        # The way to the clone tells what the remark tells.
        remark = "" if from_index or root != "." else f"    # {_IN_A_CLONE}"
        return f"{found['command']} {' '.join(written)}{remark}"

    return _LINE.sub(line, text)


def _written(word: str, root: str, from_index: bool) -> str:
    """Return a word of an install line, by name or by folder; one that is not ours as it is."""
    found = _WORD.fullmatch(word.strip("\"'"))
    # In the folder of an example `.` is the example itself.
    if found is None or found["root"] not in (None, root):
        return word
    name = found["name"] or _NAMES[found["folder"] or ""]
    text = (name if from_index else root + FOLDERS[name]) + (found["extras"] or "")
    return f'"{text}"' if found["extras"] else text


def documents(repository: Path) -> Iterator[tuple[Path, str]]:
    """Yield each document that may have install lines, and the way to the clone from there."""
    for pattern, root in (
        ("*.md", "."),
        ("docs/**/*.md", "."),
        ("spec/*.md", "."),
        ("conformance_tests/*.md", "."),
        ("plugins/*/*.md", "."),
        ("examples/*/*.md", "../.."),
    ):
        for path in sorted(repository.glob(pattern)):
            yield path, root


def main(arguments: list[str] | None = None) -> int:
    """Write the install lines of the documents, or with `--check` tell which are others."""
    given = sys.argv[1:] if arguments is None else arguments
    repository = Path(__file__).resolve().parents[1]
    differing = []
    for path, root in documents(repository):
        text = path.read_text(encoding="utf-8")
        wanted = with_install_lines(text, root=root)
        if wanted != text:
            differing.append(str(path.relative_to(repository)))
            if "--check" not in given:
                path.write_text(wanted, encoding="utf-8")
    if "--check" not in given or not differing:
        return 0
    names = ", ".join(differing)
    sys.stderr.write(f"install lines of {names} differ: run python -m pipestat_spec.installing\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
