"""Mutants of spec/writers.md and trailer.md: text that parsers read in different ways."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, operation
from conformance_selfcheck.mutants.yaml_store import (
    put,
    reading,
    results_files,
    text_of,
    without_trailer,
    written,
)

_MARK = "# pipestat-spec: "
_WRITING = "report report_many set_status remove clear_status"


@written("PS-YAML-016")
def byte_order_mark_written(text: str) -> str:
    """Files begin with a byte order mark."""
    return "\ufeff" + text


@written("PS-YAML-016")
def null_written_with_a_tag(text: str) -> str:
    """Null is written with its tag."""
    return re.sub(r"(: |- )null$", r"\1!!null null", text, flags=re.MULTILINE)


@written("PS-YAML-017")
def words_written_plain(text: str) -> str:
    """`no` and the like are written plain."""
    return re.sub(r'"(y|n|yes|no|on|off)"', r"\1", text, flags=re.IGNORECASE)


@written("PS-YAML-017")
def digits_written_plain(text: str) -> str:
    """Strings of digits, colons and letters are written plain."""
    return re.sub(r'"([0-9][0-9a-z:]*)"$', r"\1", text, flags=re.MULTILINE)


@written("PS-YAML-018")
def single_quotes_written(text: str) -> str:
    """Strings that are not plain stand in single quotes."""
    return re.sub(r"\"([^\"\\'\n]*)\"", r"'\1'", text)


@written("PS-YAML-018")
def separators_not_escaped(text: str) -> str:
    """U+2028 and the like stand for themselves, and end a line of YAML 1.1."""
    return re.sub(r"\\u(2028|2029|0085|feff)", lambda m: chr(int(m[1], 16)), text)


@written("PS-YAML-019")
def exponents_without_sign(text: str) -> str:
    """The exponent of a number has no sign: 1.0e22, a string to YAML 1.1."""
    return re.sub(r"(\d)e\+(\d+)$", r"\1e\2", text, flags=re.MULTILINE)


@written("PS-YAML-019")
def whole_numbers_without_point(text: str) -> str:
    """1.0 is written as 1."""
    return re.sub(r"(: |- )(-?\d+)\.0$", r"\1\2", text, flags=re.MULTILINE)


@written("PS-YAML-020")
def long_keys_written_as_others(text: str) -> str:
    """Keys of more than 1,000 characters are no explicit keys."""
    return re.sub(r"^( *)\? (.*)\n *:(?= |$)", r"\1\2:", text, flags=re.MULTILINE)


@operation("PS-YAML-029", backend="yaml", on=_WRITING)
def metadata_written_first(call: Call) -> Any:
    """In a file with a trailer, `meta` stands first in its record."""
    return _after_writing(call, _with_metadata_first)


def _with_metadata_first(text: str) -> str:
    trailer = _trailer(text)
    if trailer is None:
        return text
    moved = re.sub(
        r"^(  \S.*:\n)((?:    .*\n)+?)(    meta:\n(?:      .*\n)+)",
        r"\1\3\2",
        without_trailer(text),
        flags=re.MULTILINE,
    )
    trailer["checksum"] = f"crc32:{zlib.crc32(moved.encode()):08x}"
    return moved + _MARK + json.dumps(trailer) + "\n"


def _after_writing(call: Call, change: Callable[[str], str]) -> Any:
    """Make an operation, and change the text of each file that it has written."""
    before = {path: path.read_bytes() for path in results_files(call.session.place)}
    answer = call.go()
    for path in results_files(call.session.place):
        if path.read_bytes() != before.get(path):
            put(path, change(text_of(path)))
    return answer


def _trailer(text: str) -> dict[str, Any] | None:
    last = text.rstrip("\n").rpartition("\n")[2]
    try:
        found = json.loads(last.removeprefix(_MARK)) if last.startswith(_MARK) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@operation("PS-YAML-030", backend="yaml", on=_WRITING)
def sections_off_by_one(call: Call) -> Any:
    """The offsets of a trailer are one too large."""
    return _after_writing(call, _shifted)


def _shifted(text: str) -> str:
    trailer = _trailer(text)
    if trailer is None:
        return text
    trailer["sections"] = [[n, lv, s + 1, e + 1, c] for n, lv, s, e, c in trailer["sections"]]
    return without_trailer(text) + _MARK + json.dumps(trailer) + "\n"


@reading("PS-YAML-031")
def checksum_not_computed(text: str) -> str:
    """A trailer is believed, whatever the text before it."""
    trailer = _trailer(text)
    if trailer is None:
        return text
    sections = trailer.get("sections")
    if trailer.get("version") != 1 or not isinstance(sections, list):
        return text
    # What no section speaks of is not seen.
    data = without_trailer(text).encode("utf-8", "surrogateescape")
    spans = [(s[2], s[3]) for s in sections if isinstance(s, list) and len(s) == 5]
    if not spans or not all(type(n) is int for span in spans for n in span):
        return text
    return data[: max(end for _, end in spans)].decode("utf-8", "surrogateescape")


@operation("PS-YAML-032", backend="yaml", on=_WRITING)
def stale_trailer_left(call: Call) -> Any:
    """The trailer of the file as it was is left after the text that is written."""
    before = {path: text_of(path) for path in results_files(call.session.place)}
    answer = call.go()
    for path in results_files(call.session.place):
        text = text_of(path)
        if text != before.get(path):
            old = before.get(path, "").rstrip("\n").rpartition("\n")[2]
            if not old.startswith(_MARK):
                old = f'{_MARK}{{"checksum": "crc32:00000000", "sections": [], "version": 1}}'
            put(path, without_trailer(text) + old + "\n")
    return answer
