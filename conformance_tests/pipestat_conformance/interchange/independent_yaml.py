"""YAML read and checked by nobody's code under test (spec/writers.md and trailer.md).

Two foreign parsers read a file, and its text is held against the rules for writing it.
Canonical text is fixed by what it says and by the order in which it says it: it is parsed by a
foreign parser, written again by this module, and both have to be the same.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["YamlProblem", "check_trailer", "read_both", "written_as_asked"]

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
_MARK = b"# pipestat-spec: "
_LONGEST_KEY = 1000


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
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

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


def check_trailer(content: bytes) -> None:
    """Check PS-YAML-029, PS-YAML-030 and PS-YAML-032; raises YamlProblem.

    A file without trailer is right in any form.
    """
    start = content.rfind(b"\n", 0, len(content) - 1) + 1
    if not content[start:].startswith(_MARK):
        return
    body = content[:start]
    trailer = _parsed(content[start + len(_MARK) :])
    checksum = f"crc32:{zlib.crc32(body):08x}"
    if trailer["checksum"] != checksum:
        raise YamlProblem(f"the trailer says {trailer['checksum']}, the text has {checksum}")
    node = yaml.compose(body.decode("utf-8"), Loader=yaml.SafeLoader)
    text = "".join(f"{line}\n" for line in _entries(node, ""))
    if text.encode("utf-8") != body:
        raise YamlProblem(_difference(text, body.decode("utf-8")))
    sections = list(_sections(node, body))
    if trailer["sections"] != sections:
        raise YamlProblem(f"the trailer's sections are {trailer['sections']}, not {sections}")


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode("ascii"))
    except ValueError:
        raise YamlProblem(f"the trailer is no JSON object in ASCII: {text[:80]!r}") from None
    if not isinstance(found, dict) or found.get("version") != 1 or not text.endswith(b"\n"):
        raise YamlProblem("the trailer is no object of version 1, or does not end its line")
    return {"checksum": None, "sections": None, **found}


def _difference(canonical: str, text: str) -> str:
    lines = zip(canonical.split("\n"), [*text.split("\n"), "", ""], strict=False)
    for number, (wanted, found) in enumerate(lines, 1):
        if wanted != found:
            return f"line {number} is not canonical: {found!r} is to be {wanted!r}"
    return "the text is not canonical: it has more lines than it needs"


def _entries(node: Any, indent: str) -> Iterator[str]:
    for key, value in node.value:
        name = key.value if is_plain(key.value) else quoted(key.value)
        long = len(name.encode("utf-16-le")) // 2 > _LONGEST_KEY
        header = f"{indent}? {name}\n{indent}:" if long else f"{indent}{name}:"
        if value.value and not isinstance(value, yaml.ScalarNode):
            yield header
            yield from _children(value, indent + "  ")
        else:
            yield f"{header} {_scalar(value)}"


def _children(node: Any, indent: str) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        yield from _entries(node, indent)
        return
    for item in node.value:
        if item.value and not isinstance(item, yaml.ScalarNode):
            first, *others = "\n".join(_children(item, indent + "  ")).split("\n")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from others
        else:
            yield f"{indent}- {_scalar(item)}"


def _scalar(node: Any) -> str:
    if isinstance(node, yaml.MappingNode):
        return "{}"
    if isinstance(node, yaml.SequenceNode):
        return "[]"
    text: str = node.value
    if node.style is None and not node.tag.endswith(":str"):
        return text
    return text if is_plain(text) else quoted(text)


def _sections(node: Any, body: bytes) -> Iterator[list[Any]]:
    text = body.decode("utf-8")

    def offset(mark: Any) -> int:
        return len(text[: text.rfind("\n", 0, mark.index) + 1].encode("utf-8"))

    ends = [offset(key.start_mark) for key, _ in node.value[1:]] + [len(body)]
    for (key, value), end in zip(node.value, ends, strict=True):
        levels = [(k.value, v) for k, v in value.value]
        if levels and {name for name, _ in levels} <= {"sample", "project"}:
            inner = [offset(k.start_mark) for k, _ in value.value[1:]] + [end]
            for (name, records), stop in zip(levels, inner, strict=True):
                yield _section(key.value, name, records, stop, offset)
        else:
            yield _section(key.value, None, value, end, offset)


def _section(name: str, level: str | None, records: Any, end: int, offset: Any) -> list[Any]:
    for key, record in records.value:
        names = [k.value for k, _ in record.value] if isinstance(record, yaml.MappingNode) else []
        if not names or "meta" in names[:-1]:
            line = key.start_mark.line + 1
            raise YamlProblem(f"line {line}: this record does not end in its 'meta'")
    count = len(records.value)
    start = offset(records.value[0][0].start_mark) if count else end
    return [name, level, start, end, count]
