"""Folders that are there as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.plugins.exporter_options import refuse_unknown, wrong_option
from pipestat_spec.text.unreadable import system_reason
from pipestat_spec.whole_files import making_folder

__all__ = ["FolderOptions", "check_folder", "read_folder_options", "write_folder"]

Read = TypeVar("Read", bound="FolderOptions")


@dataclass(frozen=True)
class FolderOptions:
    """`replace`: the folder of an older export may be replaced."""

    replace: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.replace, bool):
            raise wrong_option("replace", self.replace, "use true or false")


def read_folder_options(given: Mapping[str, Any], what: str, kind: type[Read]) -> Read:
    """Return the options of a mapping; raises PipestatSummarizeError that names the wrong one."""
    refuse_unknown(given, [field.name for field in fields(kind)], what)
    return kind(**given)


def check_folder(output: Path, mark: str, replace: bool) -> None:
    """Raise PipestatSummarizeError for a folder that cannot be written.

    One with content is replaced when asked to, and when it has a file that the pattern `mark`
    finds in every folder of this format.
    """
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise PipestatSummarizeError(f"{output} is not a folder", hint="name another one")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not replace:
        raise PipestatSummarizeError(
            f"the folder {output} is there already", hint="name a new one, or add --replace"
        )
    if not any(output.glob(mark)):
        raise PipestatSummarizeError(
            f"the folder {output} is not replaced: it has no {mark}", hint="name another folder"
        )


def write_folder(output: Path, mark: str, replace: bool, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a new folder that then is `output`; raises PipestatSummarizeError.

    What is refused by `check_folder` is refused before.
    """
    check_folder(output, mark, replace)
    try:
        with making_folder(output, replace=replace) as folder:
            fill(folder)
    except OSError as error:
        raise PipestatSummarizeError(
            f"{output} cannot be written: {system_reason(error)}", hint="choose another folder"
        ) from error
