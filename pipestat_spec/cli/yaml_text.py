"""YAML that YAML 1.1 and YAML 1.2 parsers read alike (SPEC.md section 7.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipestat_spec.models.record import JSONValue

__all__ = ["yaml_text"]

# Letters first, so that it is no number; the words below are none either.
_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_WORDS = frozenset("y n yes no on off true false null none nan inf".split())
# Line breaks and invisible characters that JSON leaves as they are.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# A longer key takes YAML's other form of an entry; half of what parsers bear.
_LONGEST_KEY = 500


def yaml_text(data: JSONValue) -> str:
    """Return `data` as block YAML with sorted keys, without the last line break."""
    if isinstance(data, dict | list) and data:
        return "\n".join(_block(data, ""))
    return _scalar(data)


def _block(data: JSONValue, indent: str) -> Iterator[str]:
    if isinstance(data, dict):
        for key in sorted(data):
            yield from _entry(_head(key, indent), data[key], f"{indent}  ")
    else:
        for item in data:
            yield from _entry(f"{indent}-", item, f"{indent}  ")


def _entry(head: str, value: JSONValue, indent: str) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield head
        yield from _block(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _head(key: str, indent: str) -> str:
    quoted = _scalar(key)
    if len(quoted) > _LONGEST_KEY:
        return f"{indent}? {quoted}\n{indent}:"
    return f"{indent}{quoted}:"


def _scalar(value: JSONValue) -> str:
    if isinstance(value, float):
        mantissa, exponent, power = json.dumps(value).partition("e")
        # YAML 1.1 asks for a dot before the exponent.
        return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent + power
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
