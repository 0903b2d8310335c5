"""`python -m benchmarks [PART...]`: measure, print the table, keep the figures (README.md)."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import RESULTS, Figure, line, save, table
from tests.environments import (
    multiqc_environment,
    reference_environment,
    snakemake_environment,
)

# Each part is given an empty folder, and imports what it measures: one that cannot do so is broken.


def _cold(folder: Path) -> Iterator[Figure]:
    from benchmarks import cold

    bare = reference_environment("reference-bare")
    return cold.figures(bare, reference_environment("reference-full"), folder)


def _warm(folder: Path) -> Iterator[Figure]:
    from benchmarks import warm

    return warm.figures(reference_environment("reference-bare"), folder)


def _sql(folder: Path) -> Iterator[Figure]:
    from benchmarks import sql

    return sql.figures(reference_environment("reference"), folder)


def _pytest(folder: Path) -> Iterator[Figure]:
    from benchmarks import pytest_start

    return pytest_start.figures(folder)


def _snakemake(folder: Path) -> Iterator[Figure]:
    from benchmarks import snakemake_start

    return snakemake_start.figures(snakemake_environment(), folder)


def _s3(_: Path) -> Iterator[Figure]:
    from benchmarks import remote

    return remote.figures()


def _reports(folder: Path) -> Iterator[Figure]:
    from benchmarks import reports

    pipestat = reference_environment("reference-bare")
    return reports.figures(pipestat, multiqc_environment(), folder)


def _growth(folder: Path) -> Iterator[Figure]:
    from benchmarks import growth

    return growth.figures(folder)


def _diff(folder: Path) -> Iterator[Figure]:
    from benchmarks import comparisons

    return comparisons.figures(folder)


def _exports(folder: Path) -> Iterator[Figure]:
    from benchmarks import exports

    return exports.figures(folder)


def _serve(folder: Path) -> Iterator[Figure]:
    from benchmarks import live

    return live.figures(folder)


PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "cold": _cold,
    "warm": _warm,
    "sql": _sql,
    "pytest": _pytest,
    "snakemake": _snakemake,
    "s3": _s3,
    "reports": _reports,
    "growth": _growth,
    "diff": _diff,
    "exports": _exports,
    "serve": _serve,
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
