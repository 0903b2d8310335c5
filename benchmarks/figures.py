"""Figures, their table, and the file that keeps them."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured quantity: ours, the raw floor and the existing package's, in `unit`.

    `target` says in words what the project aims at, `met` whether this run met it.
    """

    name: str
    ours: float
    unit: str
    floor: float | None = None
    reference: float | None = None
    target: str = ""
    met: bool | None = None
    runs: dict[str, list[float]] = field(default_factory=dict, repr=False)


def milliseconds(samples: Sequence[float]) -> float:
    """Return the median of seconds, in ms."""
    return statistics.median(samples) * 1000


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of text; ratios are ours to floor, reference to ours."""
    rows = [["", "ours", "floor", "ours/floor", "pipestat 0.13.1", "pipestat/ours", "target"]]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def _row(figure: Figure) -> list[str]:
    mark = {None: "", True: "  met", False: "  NOT met"}[figure.met]
    return [
        figure.name,
        f"{_number(figure.ours)} {figure.unit}",
        _number(figure.floor),
        _ratio(figure.ours, figure.floor),
        _number(figure.reference),
        _ratio(figure.reference, figure.ours),
        figure.target + mark,
    ]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(value: float | None, to: float | None) -> str:
    return "-" if value is None or not to else f"{value / to:.1f} x"


def save(figures: Sequence[Figure]) -> Path:
    """Write the figures with every single run to `results/` and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("%Y-%m-%d-%H%M%S.json")
    machine = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "figures": [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(machine, indent=2) + "\n")
    return path
