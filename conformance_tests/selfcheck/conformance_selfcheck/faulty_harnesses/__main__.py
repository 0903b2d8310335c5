"""`python -m conformance_selfcheck.faulty_harnesses NAME`: serve, and break at some point."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pipestat_conformance.serve import Server
from pipestat_conformance.special_values import parse_json, to_json
from pipestat_conformance.targets.memory import MemoryTarget

from conformance_selfcheck.faulty_harnesses import FAULTS, Fault


def serve(fault: Fault, folder: Path) -> None:
    """Answer line by line, through the fault."""
    server = Server(MemoryTarget(), {"path": str(folder / "r.yaml")}, folder)
    for line in sys.stdin.buffer:
        message = parse_json(line)
        ended = message["cmd"] == "bye"
        answer = b"" if ended else to_json(server.answer(message)).encode("ascii") + b"\n"
        sys.stdout.buffer.write(fault(message, answer))
        sys.stdout.buffer.flush()
        if ended:
            break
    server.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        serve(FAULTS[sys.argv[1]], Path(name))
