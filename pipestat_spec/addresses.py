"""A store in one word: a path, URL, or what a backend takes for its own (spec/configuration.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.file_names import PLACEHOLDER
from pipestat_spec.text.strings import shorten, shown_address

if TYPE_CHECKING:
    from pipestat_spec.backend import BackendFactory

__all__ = ["Claim", "check_file", "claim", "is_address"]

# What files of other kinds are made by; none of them holds a store.
_TABLE = "a table is made by 'pipestat-spec table -o {name}'"
_DOCUMENT = "a report document is stored by 'pipestat-spec ingest {name}'"
_DATABASE = "a database is a file of this machine; 'pipestat-spec plugins' lists what is installed"
_NO_STORES = {
    **dict.fromkeys((".pipestat.json", ".pipestat.jsonl"), _DOCUMENT),
    **dict.fromkeys((".csv", ".tsv", ".xlsx", ".xls", ".parquet", ".md", ".jsonl"), _TABLE),
    **dict.fromkeys((".html", ".htm"), "a report is made by 'pipestat-spec summarize'"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), _DATABASE),
}


class Claim(NamedTuple):
    """What an address stands for: the backend, keys of the configuration, and of its section."""

    backend: str
    values: Mapping[str, Any]
    section: Mapping[str, Any]


def is_address(text: str) -> bool:
    """Tell whether a text begins like an address, `WORD:`, and so is no path of this machine."""
    return "://" in text or bool(_scheme(text))


def _scheme(text: str) -> str:
    """Return WORD; a single letter is none."""
    word, colon, _ = text.partition(":")
    is_word = len(word) > 1 and word[0].isalpha() and word.isascii()
    return word if colon and is_word and all(c.isalnum() or c in "+.-" for c in word) else ""


def claim(text: str, folder: str, factories: Iterable[BackendFactory]) -> Claim | None:
    """Return what the first backend that takes an address makes of it, None when none does.

    Raises MissingConfigDataError for a placeholder in the address of anything but files.
    """
    for factory in factories:
        settings = factory.address(text, folder)
        if settings is None:
            continue
        if PLACEHOLDER in text:
            raise MissingConfigDataError(
                f"{shorten(shown_address(text))}: {PLACEHOLDER} is for files, "
                "and this is a store for all records",
                hint="leave it out",
            )
        values = {key: value for key, value in settings.items() if key != factory.name}
        return Claim(factory.name, values, settings.get(factory.name, {}))
    return None


def check_file(text: str) -> None:
    """Raise MissingConfigDataError for what no backend takes and is no results file either."""
    name = os.path.basename(text).lower()
    for ending, made in _NO_STORES.items():
        if name.endswith(ending):
            raise MissingConfigDataError(
                f"{shorten(shown_address(text))}: results are not stored as {ending}",
                hint=made.format(name=shorten(os.path.basename(text))),
            )
    scheme = _scheme(text)
    if scheme and "://" not in text:
        raise MissingConfigDataError(
            f"no installed plugin takes addresses that begin with '{scheme}:'",
            hint="'pipestat-spec plugins' lists them; a file of such a name is "
            f"{shorten('./' + text)}",
        )
