"""`pipestat-emit` for the conformance suite: each `emit` is one run of it.

The JSON of a value is handed over as it is, with what JSON lacks spelt out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from pipestat_spec.engines.emitter import EMITTER

_OPTIONS = {
    "level": "--level",
    "namespace": "--namespace",
    "status": "--status",
    "status_message": "--status-message",
    "time": "--time",
}


def text_of(value: Any) -> str:
    """Return the JSON of a value; NaN, infinities and lone surrogates as they stand."""
    if isinstance(value, dict) and value.keys() & {"$nan", "$inf"}:
        return "NaN" if "$nan" in value else "Infinity"
    if isinstance(value, dict) and value.keys() == {"$surrogate"}:
        return f'"\\u{value["$surrogate"]}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value)


def given(value: Any, kind: type = str) -> str:
    """Return the word for an option, which takes text and numbers and nothing else."""
    if type(value) is not kind:
        raise ValueError(f"{value!r} is not of this kind")
    return str(value)


def command(args: Mapping[str, Any]) -> list[str]:
    """Return the command line for one document; raises ValueError for what it has no words for."""
    words = ["bash", str(EMITTER)]
    for key, option in _OPTIONS.items():
        if key in args:
            words += [option, given(args[key])]
    for key, value in dict(args.get("source", {})).items():
        attempt = key == "attempt"
        words += ["--attempt", given(value, int)] if attempt else ["--source"]
        words += [] if attempt else [f"{key}:={text_of(value)}"]
    for name, value in args.get("values", {}).items():
        words += ["--set-json", name, text_of(value)]
    return [*words, "--", given(args["record"])]


def emit(args: Mapping[str, Any]) -> dict[str, Any]:
    try:
        done = subprocess.run(command(args), capture_output=True, check=False)
    except (TypeError, ValueError, OSError) as error:
        return {"error": {"code": "validation", "message": str(error)}}
    if done.returncode:
        return {"error": {"code": "validation", "message": done.stderr.decode(errors="replace")}}
    return {"ok": True, "result": done.stdout.decode()}


def answer(message: Mapping[str, Any]) -> dict[str, Any]:
    if message["cmd"] == "hello":
        implementation = {"name": "pipestat-emit", "version": "1.0", "language": "bash"}
        claims = {"capabilities": ["exact-integers"], "profiles": ["emitter"]}
        return {"impl": implementation, "protocol": 1, **claims}
    if message["cmd"] == "open":
        return {"ok": True}
    return emit(message["args"]) if message["op"] == "emit" else {"unsupported": True}


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["cmd"] == "bye":
            break
        print(json.dumps({"seq": asked["seq"], **answer(asked)}), flush=True)
