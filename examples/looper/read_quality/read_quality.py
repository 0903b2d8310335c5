"""Tells how good the reads of one sample are.

python read_quality.py FASTQ SAMPLE CONFIG     CONFIG is the file that looper wrote for pipestat
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from statistics import fmean

from pipestat_spec import PipestatManager


def read_fastq(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Yield bases and Phred qualities of each read; raises EOFError when the file is cut off."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for _header in lines:
            bases, _plus, text = (next(lines, "").rstrip() for _ in range(3))
            yield bases, [ord(letter) - 33 for letter in text]


def write_profile(path: Path, qualities: list[list[int]]) -> None:
    """Write the mean quality at each position."""
    columns = enumerate(zip_longest(*qualities), start=1)
    rows = (f"{n}\t{fmean(q for q in column if q is not None):.2f}\n" for n, column in columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("position\tmean_quality\n" + "".join(rows), encoding="utf-8")


def main(fastq: Path, sample: str, config: str) -> None:
    psm = PipestatManager(config_file=config)
    with psm.record(sample) as run:
        reads = list(read_fastq(fastq))
        bases = "".join(bases for bases, _ in reads)
        qualities = [qualities for _, qualities in reads]
        # Relative paths of results begin where the results are stored.
        profile = Path(run.folder) / "profiles" / f"{sample}.tsv"
        write_profile(profile, qualities)
        run.report(
            mean_quality=round(fmean(q for read in qualities for q in read), 2),
            gc_percent=round(100 * (bases.count("G") + bases.count("C")) / len(bases), 2),
            read_length={
                "shortest": min(len(bases) for bases, _ in reads),
                "longest": max(len(bases) for bases, _ in reads),
            },
            profile={"path": f"profiles/{sample}.tsv", "title": "Quality along the reads"},
        )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    except (EOFError, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
