"""`python -m pipestat_spec.compat`."""

import sys

from pipestat_spec.compat.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
