"""`python -m pipestat`, and where the console command of pipestat's installation starts."""

from pipestat_spec.compat.command import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
