"""`pipestat.cli` of the drop-in: this package's command line."""

from pipestat_spec.compat.command import main

__all__ = ["main"]
