"""Names of tables and columns (spec/sql.md, PS-SQL-010)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "LEVEL_COLUMNS",
    "SYSTEM_COLUMNS",
    "TAKEN_COLUMNS",
    "cut_name",
    "find_name",
    "is_cut",
    "new_names",
]

_MAX_BYTES = 63
_KEPT_BYTES = 46
_CUT = re.compile(r".{0,46}~[0-9a-f]{16}", re.DOTALL)

# Columns of every table; those of the layout `levels` only.
SYSTEM_COLUMNS = (
    "record_identifier",
    "id",
    "status",
    "pipestat_created_time",
    "pipestat_modified_time",
    "pipestat_extended_data",
    "meta",
)
LEVEL_COLUMNS = ("project_name", "pipeline_name")
# PostgreSQL has these in every table and lets nobody make another one.
_HIDDEN_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
TAKEN_COLUMNS = frozenset(SYSTEM_COLUMNS + LEVEL_COLUMNS + _HIDDEN_COLUMNS)


def cut_name(name: str) -> str:
    """Return the short form of a name: a prefix of whole characters, `~` and a checksum."""
    encoded = name.encode()
    prefix = encoded[:_KEPT_BYTES].decode(errors="ignore")
    return f"{prefix}~{hashlib.sha256(encoded).hexdigest()[:16]}"


def is_cut(name: str) -> bool:
    """Tell whether a name has the form of a cut one."""
    return _CUT.fullmatch(name) is not None


def find_name(full: str, existing: Collection[str]) -> str | None:
    """Return how an existing table or column is called: the cut name, else the plain one."""
    cut = cut_name(full)
    if cut in existing:
        return cut
    return full if full in existing else None


def new_names(wanted: Iterable[str], taken: Iterable[str]) -> Mapping[str, str]:
    """Return names for new tables or columns, none of which is `taken`, letter case aside."""
    folded = {name.casefold() for name in taken}
    names = {}
    for full in sorted(wanted):
        fits = len(full.encode()) <= _MAX_BYTES and full.casefold() not in folded
        names[full] = full if fits else cut_name(full)
        folded.add(names[full].casefold())
    return names
