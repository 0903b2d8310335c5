"""The safe parser for YAML that others wrote (spec/yaml.md).

Mapping keys are the text of their scalar, timestamps stay strings, everything else is read
as YAML 1.1, since that is what wrote the existing files. What cannot be kept, or would blow
up, is refused with UnreadableText.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from json import loads
from math import isfinite
from typing import Any, cast

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

from pipestat_spec.json_values import MAX_INTEGER, MIN_INTEGER
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText
from pipestat_spec.text.yaml_writer import Verbatim

__all__ = ["parse_yaml"]

# Mappings and sequences inside each other.
_MAX_DEPTH = 120
_TOO_DEEP = (f"the depth is more than {_MAX_DEPTH}", "flatten the value")
# Nodes that aliases may add; a document of a few bytes can ask for billions.
_MAX_ALIASED = 100_000
# Characters of a key at most (YAML 1.1, section 7.2), and how far a parser reads ahead for its end.
_LONGEST_KEY, _READ_AHEAD = 1024, 1100
# Digits beyond which no integer is computed: it takes the square of the time.
_MAX_DIGITS = 4000

# Two escapes for one character, in JSON, and what may stand before them.
_ESCAPED_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)

_PREFIX = "tag:yaml.org,2002:"
_KEPT_AS_TEXT = {_PREFIX + "str", _PREFIX + "timestamp", _PREFIX + "value", "!"}
_CONSTRUCTED = {_PREFIX + name for name in ("null", "bool", "int", "float")}
_MERGE = _PREFIX + "merge"


class _PythonLoader(yaml.SafeLoader):
    """The Python reader, with no limit of depth, in which a token takes no look at all brackets.

    What may begin a key is held by depth, from the outer to the inner: the first is the oldest.
    """

    def next_possible_simple_key(self) -> int | None:
        oldest = next(iter(self.possible_simple_keys.values()), None)
        return None if oldest is None else oldest.token_number

    def stale_possible_simple_keys(self) -> None:
        keys = self.possible_simple_keys
        while keys:
            depth, oldest = next(iter(keys.items()))
            if oldest.line == self.line and self.index - oldest.index <= _LONGEST_KEY:
                break
            if oldest.required:
                super().stale_possible_simple_keys()  # an error
            del keys[depth]


_LOADER = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", _PythonLoader))


def parse_yaml(text: str, *, verbatim: bool) -> Any:
    """Return the one document of a text, as `read_yaml` says it."""
    return _parse(text, verbatim, _LOADER)


def _parse(text: str, verbatim: bool, kind: type[yaml.SafeLoader]) -> Any:
    try:
        loader = kind(text)
        try:
            return _Composer(loader, verbatim).document()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        before = text[: _position(error, text, kind)]
        raise UnreadableText(
            "a character that YAML does not allow",
            "remove or escape it",
            before.count("\n") + 1,
            len(before) - before.rfind("\n"),
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark and kind is not _PythonLoader and _opened(text, mark.index) > _MAX_DEPTH:
            return _parse(text, verbatim, _PythonLoader)
        joined = _with_whole_characters(text)
        if joined != text:
            return _parse(joined, verbatim, kind)
        raise _not_yaml(error, mark, text) from error


def _with_whole_characters(text: str) -> str:
    """Return JSON with the two escapes of a character beyond U+FFFF, which YAML refuses, as one."""
    if not text.lstrip().startswith("{"):
        return text
    return _ESCAPED_PAIR.sub(lambda pair: pair[1] + loads(f'"{pair[2]}"'), text)


def _opened(text: str, end: int) -> int:
    """Return how many brackets stand open in what a scanner may have read ahead up to `end`.

    libyaml has a limit of depth of its own and meets it there, before this reader counts. The
    Python reader has none.
    """
    ahead = text[max(0, end - _READ_AHEAD) : end]
    return sum(map(ahead.count, "[{")) - sum(map(ahead.count, "]}"))


def _position(error: yaml.reader.ReaderError, text: str, kind: type[yaml.SafeLoader]) -> int:
    # libyaml counts bytes, the Python reader characters.
    position = int(error.position)
    if kind is _PythonLoader:
        return position
    return len(text.encode()[:position].decode("utf-8", "ignore"))


def _not_yaml(error: yaml.YAMLError, mark: yaml.Mark | None, text: str) -> UnreadableText:
    if mark is not None and _indent_of(text, mark.line).count("\t"):
        return UnreadableText(
            "not valid YAML: a tab stands where the line is indented",
            "indent it with blanks",
            *_place(mark),
        )
    said = [getattr(error, name, None) for name in ("context", "problem")]
    problem = ", ".join(filter(None, said)) or str(error)
    return UnreadableText(f"not valid YAML: {shorten(problem, 160)}", "correct it", *_place(mark))


def _indent_of(text: str, line: int) -> str:
    whole = text.split("\n", line + 1)[line] if text.count("\n") >= line else ""
    return whole[: len(whole) - len(whole.lstrip())]


class _Anchor:
    """A node that aliases can repeat, how large it is and, for a scalar, its text."""

    __slots__ = ("depth", "nodes", "text", "value")

    def __init__(self, value: Any, nodes: int, depth: int, text: str | None) -> None:
        self.value, self.nodes, self.depth, self.text = value, nodes, depth, text


class _Composer:
    """Builds values from the events of a parser, counting as it goes."""

    def __init__(self, loader: yaml.SafeLoader, verbatim: bool) -> None:
        self._events: Iterator[Event] = iter(loader.get_event, None)
        self._verbatim = verbatim
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
            raise _wrong(event, "a second YAML document begins", "keep one document per file")
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
                raise _wrong_tag(event, tag)
            return self._mapping(depth), None
        if tag not in (None, "!", _PREFIX + "seq"):
            raise _wrong_tag(event, tag)
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
            key = self._key(event, depth)
            if key is None:
                raise _wrong(event, "a mapping key is not a scalar", "use text as the key")
            value_event = next(self._events)
            value, _ = self._node(value_event, depth)
            # `<<` in quotes is another key than the merge key.
            name, line = (merges, key), _place(event.start_mark)[0]
            if name in lines:
                raise _wrong(
                    event,
                    f"key {key!r} stands twice, on lines {lines[name]} and {line}",
                    "remove one of the two",
                )
            lines[name] = line
            if merges:
                merged = _merge_sources(value_event, value)
            else:
                result[key] = value
        if not merged:
            return result
        # Merged keys come first, and of several sources the first one counts.
        below: dict[str, Any] = {}
        for source in merged:
            for key, value in source.items():
                below.setdefault(key, value)
        return {**below, **result}

    def _key(self, event: Event, depth: int) -> str | None:
        """Return the text of a key, whatever it would be as a value; None for no scalar."""
        if isinstance(event, ScalarEvent) and event.tag is None and event.anchor is None:
            self._nodes += 1
            return _text(event, event.value)
        return self._node(event, depth)[1]

    def _alias(self, event: AliasEvent, depth: int) -> tuple[Any, str | None]:
        name = event.anchor
        if name not in self._anchors:
            raise _wrong(event, f"alias *{name} has no anchor", "write the value out")
        anchor = self._anchors[name]
        if anchor is None:
            raise _wrong(event, f"alias *{name} holds itself", "write the value out")
        self._aliased += anchor.nodes
        if self._aliased > _MAX_ALIASED:
            raise _wrong(
                event, f"aliases repeat more than {_MAX_ALIASED} values", "write the values out"
            )
        self._check_depth(event, depth + anchor.depth)
        return anchor.value, anchor.text

    def _check_depth(self, event: Event, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise _wrong(event, *_TOO_DEEP)
        self._deepest = max(self._deepest, depth)

    def _scalar(self, event: ScalarEvent) -> Any:
        tag, text = event.tag, event.value
        if tag is None:
            tag = _implicit_tag(text) if event.implicit[0] else _PREFIX + "str"
        if tag in _KEPT_AS_TEXT or tag == _MERGE:
            return _text(event, text)
        if tag not in _CONSTRUCTED:
            raise _wrong_tag(event, tag)
        value = _construct(tag, text)
        if not isinstance(value, Verbatim):
            return value
        if tag != _implicit_tag(text):
            raise _wrong(event, f"{text[:40]!r} is not a {tag.removeprefix(_PREFIX)}", "quote it")
        return value if self._verbatim else _beyond(event, tag)


def _beyond(event: ScalarEvent, tag: str) -> int:
    """Return an integer outside the data model; refuse what is no number of JSON."""
    text = event.value
    if tag == _PREFIX + "int" and len(text) <= _MAX_DIGITS:
        with suppress(*_NO_VALUE):
            return cast("int", _constructed(tag, text))
    raise _wrong(event, f"{shorten(text, 40)} is not a number of JSON", "quote it or leave it out")


def _text(event: Event, text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _wrong(event, "the string holds a lone surrogate", "write it in UTF-8")
    return text


def _merge_sources(event: Event, value: Any) -> list[dict[str, Any]]:
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise _wrong(event, "'<<' merges something else than mappings", "quote the key '<<'")
    return sources


def _wrong_tag(event: Event, tag: object) -> UnreadableText:
    return _wrong(event, f"tag {tag} is not supported", "remove the tag")


def _wrong(event: Event, problem: str, hint: str) -> UnreadableText:
    return UnreadableText(problem, hint, *_place(event.start_mark))


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


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
        value = _constructed(tag, text)
    except _NO_VALUE:
        return Verbatim(text)
    if isinstance(value, float):
        return value if isfinite(value) else Verbatim(text)
    return value if MIN_INTEGER <= value <= MAX_INTEGER else Verbatim(text)


def _constructed(tag: str, text: str) -> Any:
    return _CONSTRUCTORS[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))


# What PyYAML raises for a scalar that is not what its tag says.
_NO_VALUE = (ValueError, KeyError, IndexError, OverflowError)
_CONSTRUCTOR = SafeConstructor()
_CONSTRUCTORS: dict[str, Any] = {
    _PREFIX + name: getattr(SafeConstructor, f"construct_yaml_{name}")
    for name in ("bool", "int", "float")
}
