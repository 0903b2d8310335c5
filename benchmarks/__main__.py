"""`python -m benchmarks [PART...]`: measure, print the table, keep the figures (README.md)."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import cold, pytest_start, remote, snakemake_start, sql, warm
from benchmarks.figures import RESULTS, Figure, line, save, table
from tests.environments import reference_environment, snakemake_environment

# Each is given an empty folder.
PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "cold": lambda folder: cold.figures(
        reference_environment("reference-bare"), reference_environment("reference-full"), folder
    ),
    "warm": lambda folder: warm.figures(reference_environment("reference-bare"), folder),
    "sql": lambda folder: sql.figures(reference_environment("reference"), folder),
    "pytest": pytest_start.figures,
    "snakemake": lambda folder: snakemake_start.figures(snakemake_environment(), folder),
    "s3": lambda _: remote.figures(),
}


def main(names: list[str]) -> int:
    """Measure the parts; targets are information, so 1 says only that a part broke off."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"error: no part {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    broken: list[str] = []
    RESULTS.mkdir(exist_ok=True)
    for name in names or PARTS:
        try:
            with tempfile.TemporaryDirectory(dir=RESULTS, prefix="run-") as folder:
                for figure in PARTS[name](Path(folder)):
                    figures.append(figure)
                    print(line(figure), flush=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts go on
            traceback.print_exc()
            broken.append(f"error: the part {name!r} broke off: {type(error).__name__}: {error}")
    print(f"\n{table(figures)}\n\nevery run: {save(figures)}")
    for text in broken:
        print(text, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
