"""The safe reader for YAML that others wrote (SPEC.md section 7.4).

Mapping keys are the text of their scalar, timestamps stay strings, everything else is read
as YAML 1.1, since that is what wrote the existing files. Numbers outside the data model are
kept as they stand, for whoever reads their record to refuse. What cannot be kept, or would
blow up, is refused with PipestatDataError: one line with file, line and what mends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import isfinite
from typing import Any, NoReturn, cast

import yaml
from yaml.constructor import SafeConstructor
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from yaml.resolver import Resolver

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.record import MAX_INTEGER, MIN_INTEGER
from pipestat_spec.text.yaml_writer import Verbatim

__all__ = ["MAX_ALIASED", "MAX_NESTING", "read_yaml"]

# Mappings and sequences inside each other.
MAX_NESTING = 120
# Nodes that aliases may add; a document of a few bytes can ask for billions.
MAX_ALIASED = 100_000
# Digits beyond which no integer is computed: it takes the square of the time.
_MAX_DIGITS = 4000
# Characters that a parser looks ahead for the end of a key (YAML 1.1, section 7.2: 1024).
_READ_AHEAD = 1100

_LOADER = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_PREFIX = "tag:yaml.org,2002:"
_KEPT_AS_TEXT = {_PREFIX + "str", _PREFIX + "timestamp", _PREFIX + "value", "!"}
_CONSTRUCTED = {_PREFIX + name for name in ("null", "bool", "int", "float")}
_MERGE = _PREFIX + "merge"


def read_yaml(data: bytes, name: str) -> Any:
    """Return the one document of the file `name`; None when there is nothing in it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _refuse(name, line, "the text is not UTF-8", "save the file as UTF-8")
    return _read(text, name, _LOADER)


def _read(text: str, name: str, kind: type[yaml.SafeLoader]) -> Any:
    try:
        return _Composer(kind(text), name).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, _position(error, text, kind)) + 1
        _refuse(name, line, "a character that YAML does not allow", "remove or escape it", error)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark and kind is not yaml.SafeLoader and _opened_ahead(text, mark.index) > MAX_NESTING:
            return _read(text, name, yaml.SafeLoader)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else 1
        _refuse(name, line, f"not valid YAML: {problem}", "correct it by hand", error)


def _opened_ahead(text: str, end: int) -> int:
    """Return how many brackets stand open in what a scanner may have read ahead up to `end`.

    libyaml has a limit of nesting of its own and meets it there, before this reader counts. The
    Python reader has none.
    """
    ahead = text[max(0, end - _READ_AHEAD) : end]
    return sum(map(ahead.count, "[{")) - sum(map(ahead.count, "]}"))


def _position(error: yaml.reader.ReaderError, text: str, kind: type[yaml.SafeLoader]) -> int:
    # libyaml counts bytes, the Python reader characters.
    position = int(error.position)
    if kind is yaml.SafeLoader:
        return position
    return len(text.encode()[:position].decode("utf-8", "ignore"))


def _refuse(
    name: str, line: int, problem: str, hint: str, cause: Exception | None = None
) -> NoReturn:
    raise PipestatDataError(
        f"{name}, line {line}: {problem}", hint=hint, file=name, line=line
    ) from cause


class _Anchor:
    """A node that aliases can repeat, how large it is and, for a scalar, its text."""

    __slots__ = ("depth", "nodes", "text", "value")

    def __init__(self, value: Any, nodes: int, depth: int, text: str | None) -> None:
        self.value, self.nodes, self.depth, self.text = value, nodes, depth, text


class _Composer:
    """Builds values from the events of a parser, counting as it goes."""

    def __init__(self, loader: yaml.SafeLoader, name: str) -> None:
        self._events: Iterator[Event] = iter(loader.get_event, None)
        self._name = name
        self._anchors: dict[str, _Anchor | None] = {}
        self._nodes = 0
        self._aliased = 0
        self._deepest = 0

    def document(self) -> Any:
        next(self._events)  # the start of the stream
        event = next(self._events)
        if not isinstance(event, DocumentStartEvent):
            return None
        value, _ = self._node(next(self._events), 0)
        next(self._events)  # the end of the document
        event = next(self._events)
        if isinstance(event, DocumentStartEvent):
            self._refuse(event, "a second YAML document begins", "keep one document per file")
        return value

    def _node(self, event: Event, depth: int) -> tuple[Any, str | None]:
        """Return a node's value and, for a scalar, its text."""
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        self._nodes += 1
        anchor = cast("str | None", getattr(event, "anchor", None))
        nodes, deepest = self._nodes + self._aliased, self._deepest
        if anchor is not None:
            self._anchors[anchor] = None
            self._deepest = depth
        value, text = self._value(event, depth)
        if anchor is not None:
            size = self._nodes + self._aliased - nodes + 1
            self._anchors[anchor] = _Anchor(value, size, self._deepest - depth, text)
            self._deepest = max(deepest, self._deepest)
        return value, text

    def _value(self, event: Event, depth: int) -> tuple[Any, str | None]:
        if isinstance(event, ScalarEvent):
            return self._scalar(event), event.value
        depth += 1
        self._check_depth(event, depth)
        tag = getattr(event, "tag", None)
        if isinstance(event, MappingStartEvent):
            if tag not in (None, "!", _PREFIX + "map"):
                self._refuse_tag(event, tag)
            return self._mapping(depth), None
        if tag not in (None, "!", _PREFIX + "seq"):
            self._refuse_tag(event, tag)
        items = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, depth)[0])
        return items, None

    def _mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[tuple[bool, str], int] = {}
        merged: list[dict[str, Any]] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            merges = _is_merge(event)
            _, key = self._node(event, depth)
            if key is None:
                self._refuse(event, "a mapping key is not a scalar", "use text as the key")
            value_event = next(self._events)
            value, _ = self._node(value_event, depth)
            # `<<` in quotes is another key than the merge key.
            name, line = (merges, key), _line(event)
            if name in lines:
                self._refuse(
                    event,
                    f"key {key!r} stands twice, on lines {lines[name]} and {line}",
                    "remove one of the two",
                )
            lines[name] = line
            if merges:
                merged = self._merge_sources(value_event, value)
            else:
                result[key] = value
        for source in merged:
            for key, value in source.items():
                result.setdefault(key, value)
        return result

    def _merge_sources(self, event: Event, value: Any) -> list[dict[str, Any]]:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._refuse(event, "'<<' merges something else than mappings", "quote the key '<<'")
        return sources

    def _alias(self, event: AliasEvent, depth: int) -> tuple[Any, str | None]:
        name = event.anchor
        if name not in self._anchors:
            self._refuse(event, f"alias *{name} has no anchor", "write the value out")
        anchor = self._anchors[name]
        if anchor is None:
            self._refuse(event, f"alias *{name} holds itself", "write the value out")
        self._aliased += anchor.nodes
        if self._aliased > MAX_ALIASED:
            self._refuse(
                event, f"aliases repeat more than {MAX_ALIASED} values", "write the values out"
            )
        self._check_depth(event, depth + anchor.depth)
        return anchor.value, anchor.text

    def _check_depth(self, event: Event, depth: int) -> None:
        if depth > MAX_NESTING:
            self._refuse(event, f"more than {MAX_NESTING} levels of nesting", "flatten the value")
        self._deepest = max(self._deepest, depth)

    def _scalar(self, event: ScalarEvent) -> Any:
        tag, text = event.tag, event.value
        if tag is None:
            tag = _implicit_tag(text) if event.implicit[0] else _PREFIX + "str"
        if tag in _KEPT_AS_TEXT or tag == _MERGE:
            return self._text(event, text)
        if tag not in _CONSTRUCTED:
            self._refuse_tag(event, tag)
        value = _construct(tag, text)
        if isinstance(value, Verbatim) and tag != _implicit_tag(text):
            self._refuse(event, f"{text[:40]!r} is not a {tag.removeprefix(_PREFIX)}", "quote it")
        return value

    def _text(self, event: Event, text: str) -> str:
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(event, "the string holds a lone surrogate", "write it in UTF-8")
        return text

    def _refuse_tag(self, event: Event, tag: object) -> NoReturn:
        self._refuse(event, f"tag {tag} is not supported", "remove the tag")

    def _refuse(self, event: Event, problem: str, hint: str) -> NoReturn:
        _refuse(self._name, _line(event), problem, hint)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _is_merge(event: Event) -> bool:
    return (
        isinstance(event, ScalarEvent)
        and event.value == "<<"
        and (event.tag == _MERGE or (event.tag is None and event.implicit[0]))
    )


@lru_cache(maxsize=4096)
def _implicit_tag(text: str) -> str:
    resolvers = Resolver.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(text[:1], []):
        if pattern.match(text):
            return cast("str", tag)
    return _PREFIX + "str"


def _construct(tag: str, text: str) -> Any:
    """Return the value, or the text itself when the data model does not have the value."""
    if tag == _PREFIX + "null":
        return None if _implicit_tag(text) == tag else Verbatim(text)
    if len(text) > _MAX_DIGITS and (tag == _PREFIX + "int" or ":" in text):
        return Verbatim(text)
    try:
        value = _CONSTRUCTORS[tag](SafeConstructor(), yaml.ScalarNode(tag, text))
    except (ValueError, KeyError, IndexError, OverflowError):
        return Verbatim(text)
    if isinstance(value, float):
        return value if isfinite(value) else Verbatim(text)
    return value if MIN_INTEGER <= value <= MAX_INTEGER else Verbatim(text)


_CONSTRUCTORS: dict[str, Any] = {
    _PREFIX + name: getattr(SafeConstructor, f"construct_yaml_{name}")
    for name in ("bool", "int", "float")
}
