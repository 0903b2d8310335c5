"""`python -m pipestat_conformance`: the same as `pipestat-spec conformance`."""

import sys

from pipestat_conformance.actions import main

sys.exit(main(sys.argv[1:], "python -m pipestat_conformance"))
