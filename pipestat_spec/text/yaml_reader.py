"""YAML that others wrote: plain text by a reader of our own, all other by a parser."""

from __future__ import annotations

from typing import Any

from pipestat_spec.text.plain_yaml import NotPlain, read_plain

__all__ = ["read_yaml"]

# Characters from which on the parser costs more than its imports.
_LONG = 20_000


def read_yaml(text: str, *, verbatim: bool = False) -> Any:
    """Return the one document of a text; None when there is nothing in it.

    Numbers outside the data model are kept as they stand with `verbatim`, for whoever reads
    their record to refuse. Without it integers may be of any size (the bound of a schema can
    be), and what is no number of JSON is refused. Raises UnreadableText with line and column.
    """
    if len(text) < _LONG:
        try:
            return read_plain(text)
        except NotPlain:
            pass
    from pipestat_spec.text.yaml_parser import parse_yaml

    return parse_yaml(text, verbatim=verbatim)
