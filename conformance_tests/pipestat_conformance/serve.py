"""Any backend in Python as a program that speaks JSON Lines.

python -m pipestat_conformance.serve --backend NAME [--store JSON]

It is the example of a harness as well: the loop is the whole of the protocol.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pipestat_conformance.special_values import decode, parse_json, to_json
from pipestat_conformance.stores import default_store
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.operations import Session
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening
from pipestat_spec.errors import PipestatError, UnsupportedOperation

__all__ = ["Server", "main"]


class Server:
    """Answers the messages of one connection."""

    def __init__(self, target: Target, store: Mapping[str, Any], folder: Path) -> None:
        self._target = target
        self._store = store
        self._folder = folder
        self._session: Session | None = None

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to one message; an error that the specification lacks passes."""
        try:
            return {"seq": message["seq"], **getattr(self, f"_{message['cmd']}")(message)}
        except UnsupportedOperation:
            return {"seq": message["seq"], "unsupported": True}
        except PipestatError as error:
            return {"seq": message["seq"], "error": {"code": error.code, "message": str(error)}}

    def _hello(self, message: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        target = self._target
        capabilities = target.capabilities(self._store, self._folder)
        refused = target.refused_identifiers
        return {
            "impl": {
                "name": target.name,
                "version": target.version,
                "language": target.language,
            },
            "protocol": 1,
            "capabilities": list(capabilities),
            "profiles": list(target.profiles(capabilities)),
            **({} if refused is None else {"refused_identifiers": refused}),
        }

    def _open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.close()
        opening = Opening(message.get("schema"), message.get("settings") or {})
        self._session = self._target.open(message["store"], opening, self._folder)
        return {"ok": True}

    def _op(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._session is not None, "no store is open"
        result = self._session.perform(message["op"], decode(message["args"]))
        return {"ok": True, "result": result}

    def _close(self, message: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        # No message of the protocol: the suite asks its own programs for it (other_process.py).
        self.close()
        return {"ok": True}

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def serve(server: Server, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer line by line until `bye` or the end of the input."""
    for line in requests:
        message = parse_json(line)
        if message["cmd"] == "bye":
            break
        answers.write(to_json(server.answer(message)).encode("ascii") + b"\n")
        answers.flush()
    server.close()


def main(
    arguments: Sequence[str] | None = None, find: Callable[[str], Target] = find_target
) -> int:
    """Serve one backend on stdin and stdout; `find` returns the target of a name."""
    parser = argparse.ArgumentParser(prog="python -m pipestat_conformance.serve")
    parser.add_argument("--backend", default="memory", help="name of the storage plugin")
    parser.add_argument("--store", help="JSON: a store like those that will be opened")
    parsed = parser.parse_args(arguments)
    logging.getLogger("pipestat_spec").addHandler(logging.NullHandler())
    # Whatever a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    with tempfile.TemporaryDirectory() as folder:
        given = parsed.store or json.dumps(default_store(parsed.backend))
        store = json.loads(given.replace("{tmp}", folder))
        target = find(parsed.backend)
        try:
            serve(Server(target, store, Path(folder)), sys.stdin.buffer, answers)
        finally:
            target.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
