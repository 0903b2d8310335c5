"""Count the bases of one FASTA file; run by the rule `count`, for one sample."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pipestat_spec import PipestatManager


def count(fasta: Path) -> tuple[int, Counter[str]]:
    """Return the number of sequences and of each base; raises ValueError for other letters."""
    sequences, bases = 0, Counter[str]()
    for number, line in enumerate(fasta.read_text("ascii").splitlines(), 1):
        if line.startswith(">"):
            sequences += 1
            continue
        wrong = set(line.upper()) - set("ACGTN")
        if wrong:
            raise ValueError(f"{fasta}, line {number}: {min(wrong)!r} is no base")
        bases.update(line.upper())
    return sequences, bases


def main(snakemake: Any) -> None:
    table = Path(snakemake.output[0])
    try:
        sequences, bases = count(Path(snakemake.input[0]))
    except ValueError as error:
        # The end of the rule's log is what the status message of a failed record shows.
        Path(snakemake.log[0]).write_text(f"{error}\n")
        sys.exit(f"{error}")
    table.write_text("".join(f"{base}\t{n}\n" for base, n in sorted(bases.items())))
    known = sum(bases.values()) - bases["N"]
    with PipestatManager.from_snakemake(snakemake) as psm:
        psm.report(
            {
                "sequences": sequences,
                "bases": sum(bases.values()),
                "gc_percent": round(100 * (bases["G"] + bases["C"]) / known, 2),
                "counts": {"path": table.name, "title": "Bases"},
            }
        )


main(snakemake)  # noqa: F821 - Snakemake gives scripts this object
