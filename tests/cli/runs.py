"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer}
  rate: {type: number}
  ok: {type: boolean}
  tags: {type: array}
  name: {type: string}
  note: {type: [string, "null"]}
  align: {type: object}
  plot: {type: image}
  GC content: {type: number}
project:
  total: {type: integer}
"""


class Done(NamedTuple):
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


def stored(path: Path, record: str = "s1", level: str = "sample") -> dict[str, Any]:
    """Return the results of a record as the file holds them, `meta` left out."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    (namespace,) = document.values()
    records = namespace[level] if set(namespace) == {"sample", "project"} else namespace
    return {name: value for name, value in records[record].items() if name != "meta"}
