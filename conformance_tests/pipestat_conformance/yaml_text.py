"""YAML as two foreign parsers read it, and the rules of SPEC.md section 7.3 for writing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["YamlProblem", "is_plain", "quoted", "read_both", "written_as_asked"]

_PLAIN = re.compile(r"[A-Za-z_/]([A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_WORDS = frozenset("y n yes no on off true false null none nan inf".split())
_EXPONENT = re.compile(r"[eE]-?[0-9]+")
_SCALAR = re.compile(r"null|true|false|-?(0|[1-9][0-9]*)|-?(0|[1-9][0-9]*)\.[0-9]+(e[+-][0-9]+)?")
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


class YamlProblem(Exception):
    """The text is not what a writer may write."""


def read_both(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yield (parser, document) for PyYAML, YAML 1.1, and ruamel.yaml, YAML 1.2."""
    try:
        yield "PyYAML (YAML 1.1)", yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise YamlProblem(f"PyYAML cannot read it: {error}") from None
    yield "ruamel.yaml (YAML 1.2)", _ruamel(content)


def _ruamel(content: bytes) -> Any:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError:
        raise YamlProblem(
            "ruamel.yaml is needed: pip install 'pipestat-spec[conformance]'"
        ) from None
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    try:
        return parser.load(content)
    except (YAMLError, ValueError) as error:
        raise YamlProblem(f"ruamel.yaml cannot read it: {error}") from None


def written_as_asked(content: bytes) -> None:
    """Check the rules PS-YAML-016 to PS-YAML-019; raises YamlProblem."""
    if content.startswith(b"\xef\xbb\xbf"):
        raise YamlProblem("it begins with a byte order mark")
    try:
        text = content.decode("utf-8")
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise YamlProblem(str(error)) from None
    if sum(isinstance(event, yaml.DocumentStartEvent) for event in events) > 1:
        raise YamlProblem("it holds more than one document")
    for event in events:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        where = f"line {start.line + 1}"
        if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
            raise YamlProblem("it has a directive")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlProblem(f"{where}: an anchor or alias")
        tag = getattr(event, "tag", None)
        if tag:
            raise YamlProblem(f"{where}: the tag {tag}")
        if isinstance(event, yaml.ScalarEvent):
            _check_scalar(event, text[start.index : end.index], where)


def _check_scalar(event: yaml.ScalarEvent, raw: str, where: str) -> None:
    value = event.value
    if event.style is None:
        if not is_plain(value) and not _SCALAR.fullmatch(value):
            raise YamlProblem(f"{where}: {value!r} is written plain")
    elif event.style != '"':
        raise YamlProblem(f"{where}: a string is written neither plain nor in double quotes")
    elif raw != quoted(value):
        raise YamlProblem(f"{where}: {raw[:80]} is to be written {quoted(value)[:80]}")


def is_plain(text: str) -> bool:
    """Tell whether a string may be written plain (PS-YAML-017)."""
    return (
        _PLAIN.fullmatch(text) is not None
        and text.lower() not in _WORDS
        and not _EXPONENT.fullmatch(text)
    )


def quoted(text: str) -> str:
    """Return a string in double quotes (PS-YAML-018)."""
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    escaped = code < 0x20 or 0x7F <= code <= 0x9F
    if escaped or code in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF):
        return f"\\u{code:04x}"
    return character
