"""`python -m conformance_selfcheck.mutants [NAME...]`: what catches each mutant."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pipestat_conformance.verdicts import Verdict

from conformance_selfcheck.mutants import Mutant, all_mutants
from conformance_selfcheck.mutants.gate import Caught, Gate


def main(patterns: Sequence[str]) -> int:
    """Print the matrix of the mutants whose names match; return 1 when one survives."""
    logging.getLogger("pipestat_spec").addHandler(logging.NullHandler())
    chosen = [
        mutant
        for name, mutant in all_mutants().items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        gate = Gate(Path(folder))
        for mutant in chosen:
            survived += not _shown(gate, mutant)
        gate.close()
    _say(f"{len(chosen)} mutants, {survived} survived")
    return 1 if survived or not chosen else 0


def _shown(gate: Gate, mutant: Mutant) -> bool:
    if mutant.trials:
        found = {"trial": gate.in_trials(mutant)}
    else:
        found = {"in process": gate.in_process(mutant, every=True)}
        candidates = [id for caught in found["in process"] for id in caught.by]
        found["program"] = gate.as_program(mutant, candidates)
    caught = all(_is_caught(one) for driver in found.values() for one in driver)
    _say(f"{'caught  ' if caught else 'SURVIVED'} {mutant.name}")
    for driver, all_of_it in found.items():
        for one in all_of_it:
            by = ", ".join(one.by[:3]) + (f" and {len(one.by) - 3} more" if one.by[3:] else "")
            _say(f"    {one.requirement} {driver}: {one.verdict}" + (f" by {by}" if by else ""))
    return caught


def _is_caught(caught: Caught) -> bool:
    return caught.verdict is Verdict.FAIL


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
