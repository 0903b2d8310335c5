"""Harnesses that break the protocol: no verdict may come of them, neither pass nor fail.

python -m conformance_selfcheck.faulty_harnesses NAME

Each serves the correct memory backend, and breaks at the operation `retrieve`, unless it
is about the beginning or the end of a connection.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["AT_THE_EDGES", "FAULTS", "Fault"]

# Gets a message and the bytes of its answer; returns the bytes to write instead.
Fault = Callable[[Mapping[str, Any], bytes], bytes]
FAULTS: dict[str, Fault] = {}
# These break at hello or bye.
AT_THE_EDGES = (
    *("old-protocol", "silent-at-hello", "claims-otherwise"),
    *("bad-exit-code", "talks-after-bye"),
)


def _fault(fault: Fault) -> Fault:
    FAULTS[fault.__name__.replace("_", "-")] = fault
    return fault


def _broken(message: Mapping[str, Any]) -> bool:
    return message.get("op") == "retrieve"


@_fault
def crash(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Die with an exception."""
    if _broken(message):
        raise RuntimeError("this harness crashes")
    return answer


@_fault
def killed(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Die of a signal."""
    if _broken(message):
        os.abort()
    return answer


@_fault
def hang(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Never answer."""
    if _broken(message):
        time.sleep(3600)
    return answer


@_fault
def split_lines(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write an answer in two lines."""
    return answer.replace(b",", b",\n", 1) if _broken(message) else answer


@_fault
def unfinished_line(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write an answer without its line feed."""
    return answer.rstrip(b"\n") if _broken(message) else answer


@_fault
def garbage(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write what is no JSON."""
    return b"\xff\xfe<html>\n" if _broken(message) else answer


@_fault
def noise(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write a line for people before the answer."""
    return b"DEBUG retrieving\n" + answer if _broken(message) else answer


@_fault
def endless_line(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write a line that does not end."""
    while _broken(message):
        sys.stdout.buffer.write(b"x" * 1_000_000)
    return answer


@_fault
def endless_lines(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write lines for people without an end."""
    while _broken(message):
        sys.stdout.buffer.write(b"DEBUG retrieving\n" * 1000)
    return answer


@_fault
def endless_errors(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Write to stderr without an end, and never answer."""
    while _broken(message):
        sys.stderr.write("x" * 1_000_000)
        # More than a pipe holds at a time is enough.
        time.sleep(0.05)
    return answer


@_fault
def wrong_seq(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Answer with the number of another message."""
    if _broken(message):
        return json.dumps({**json.loads(answer), "seq": message["seq"] + 1}).encode() + b"\n"
    return answer


@_fault
def answers_twice(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Answer a message twice."""
    return answer * 2 if _broken(message) else answer


@_fault
def unknown_code(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Answer with an error that is not on the list of PS-CAP-003."""
    if _broken(message):
        error = {"seq": message["seq"], "error": {"code": "oops", "message": "?"}}
        return json.dumps(error).encode() + b"\n"
    return answer


@_fault
def nan_in_json(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Answer with NaN, which is no JSON."""
    if _broken(message):
        return b'{"seq":%d,"ok":true,"result":{"n":NaN}}\n' % message["seq"]
    return answer


@_fault
def old_protocol(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Speak another version of the protocol."""
    if message["cmd"] == "hello":
        return json.dumps({**json.loads(answer), "protocol": 0}).encode() + b"\n"
    return answer


@_fault
def claims_otherwise(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Claim other capabilities in every process."""
    if message["cmd"] == "hello":
        hello = json.loads(answer)
        hello["impl"]["version"] = str(os.getpid())
        return json.dumps(hello).encode() + b"\n"
    return answer


@_fault
def silent_at_hello(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Do not answer hello."""
    return b"" if message["cmd"] == "hello" else answer


@_fault
def bad_exit_code(message: Mapping[str, Any], answer: bytes) -> bytes:
    """End with an exit code other than 0 after bye."""
    if message["cmd"] == "bye":
        sys.exit(7)
    return answer


@_fault
def talks_after_bye(message: Mapping[str, Any], answer: bytes) -> bytes:
    """Answer bye."""
    return b'{"ok":true}\n' if message["cmd"] == "bye" else answer
