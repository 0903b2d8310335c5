"""`python -m pipestat_spec` is the command `pipestat-spec`."""

from __future__ import annotations

from pipestat_spec.cli import run

if __name__ == "__main__":
    run()
