"""A mutant, or what mutants are made of, as a program that speaks JSON Lines.

python -m conformance_selfcheck.serve --backend NAME [--store JSON]
"""

from __future__ import annotations

import sys

from pipestat_conformance.serve import main
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.target import Target

from conformance_selfcheck.mutants import find_mutant
from conformance_selfcheck.mutants.sql_target import NAME, SqliteTarget


def find(name: str) -> Target:
    """Return a mutant, the store of the SQL mutants, or the target of a backend."""
    if name == NAME:
        return SqliteTarget()
    try:
        return find_mutant(name)
    except LookupError:
        return find_target(name)


if __name__ == "__main__":
    sys.exit(main(find=find))
