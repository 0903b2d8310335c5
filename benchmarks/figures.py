"""Figures, their table, and the file that keeps them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.environments import clean_environment

# Beside the sources and not in /tmp, which may be memory: the cost of fsync counts.
RESULTS = Path(__file__).parent / "results"
_ROUNDS = 25


@dataclass(frozen=True)
class Figure:
    """One measured quantity: ours, the raw floor and another program's, in `unit`.

    The other program is pipestat 0.13.1, or `beside`. `target` says in words what the project
    aims at, `met` whether this run met it.
    """

    name: str
    ours: float
    unit: str
    floor: float | None = None
    reference: float | None = None
    target: str = ""
    met: bool | None = None
    beside: str = "pipestat"
    runs: dict[str, list[float]] = field(default_factory=dict, repr=False)


def milliseconds(samples: Sequence[float]) -> float:
    """Return the median of seconds, in ms."""
    return statistics.median(samples) * 1000


def added(
    name: str, plain: Callable[[], float], more: Callable[[], float], target: float
) -> Figure:
    """Return what `more` takes longer than `plain`, which return seconds; the target is in ms.

    They take turns, and the figure is the median of the differences.
    """
    # The first round only compiles modules.
    rounds = [(plain(), more()) for _ in range(_ROUNDS + 1)][1:]
    median = milliseconds([long - short for short, long in rounds])
    runs = {"without": [short for short, _ in rounds], "with": [long for _, long in rounds]}
    wanted = f"under {target:.0f} ms"
    return Figure(name, median, "ms", target=wanted, met=median < target, runs=runs)


def cpu_clock(server: int | None) -> Callable[[], float]:
    """Return what tells the CPU seconds of this process and of a server with its processes."""
    if server is None:
        return time.process_time
    return lambda: time.process_time() + _server_seconds(Path(f"/proc/{server}"), server)


def _server_seconds(place: Path, server: int) -> float:
    # Those that have ended, in ticks, and those that are there, in nanoseconds.
    ended = (place / "stat").read_text().rpartition(")")[2].split()[13:15]
    seconds = sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
    for child in (place / "task" / str(server) / "children").read_text().split():
        # One may end meanwhile.
        with suppress(OSError):
            seconds += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    return seconds


def seconds(command: Sequence[str | Path], folder: Path | None = None, **variables: str) -> float:
    """Return how long a process takes from start to end; raises RuntimeError when it fails."""
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    took = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return took


def line(figure: Figure) -> str:
    """Return one figure with its ratios, for the moment when it was measured."""
    said = [f"{figure.name}: {_number(figure.ours)} {figure.unit}".rstrip()]
    if figure.floor:
        said.append(f"{_ratio(figure.ours, figure.floor)} the floor")
    if figure.reference is not None and figure.ours:
        said.append(f"{figure.beside} {_ratio(figure.reference, figure.ours)} ours")
    return "; ".join([*said, *filter(None, [_target(figure)])])


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of text; ratios are ours to floor, reference to ours."""
    rows = [["", "ours", "floor", "ours/floor", "other", "other/ours", "target"]]
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
    return [
        figure.name if figure.beside == "pipestat" else f"{figure.name}, {figure.beside}",
        f"{_number(figure.ours)} {figure.unit}",
        _number(figure.floor),
        _ratio(figure.ours, figure.floor),
        _number(figure.reference),
        _ratio(figure.reference, figure.ours),
        _target(figure),
    ]


def _target(figure: Figure) -> str:
    return figure.target + {None: "", True: "  met", False: "  NOT met"}[figure.met]


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
