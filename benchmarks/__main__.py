"""`python -m benchmarks`: measure, print the table, keep the figures (benchmarks/README.md)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import cold, pytest_start, remote, snakemake_start, sql, warm
from benchmarks.figures import Figure, save, table
from tests.environments import MissingPart, reference_environment, snakemake_environment


def measured(folder: Path) -> Iterator[Figure]:
    bare = reference_environment("reference-bare")
    yield from cold.figures(bare, reference_environment("reference-full"), folder)
    yield from warm.figures(bare, folder / "warm")
    yield from sql.figures(reference_environment("reference"), folder / "sql")
    (folder / "pytest").mkdir()
    yield from pytest_start.figures(folder / "pytest")
    (folder / "snakemake").mkdir()
    yield from snakemake_start.figures(snakemake_environment(), folder / "snakemake")
    yield from remote.figures()


def main() -> int:
    """Run all; targets are information, so the exit code is 0 unless measuring failed."""
    figures: list[Figure] = []
    try:
        # Beside the sources and not in /tmp, which may be memory: the cost of fsync counts.
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=results, prefix="run-") as folder:
            for figure in measured(Path(folder)):
                figures.append(figure)
                print(f"measured: {figure.name}", file=sys.stderr, flush=True)
    except MissingPart as missing:
        print(f"error: an environment could not be made: {missing}", file=sys.stderr)
        return 1
    print(table(figures))
    print(f"\nevery run: {save(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
