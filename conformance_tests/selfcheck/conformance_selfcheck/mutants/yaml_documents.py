"""A small YAML reader and writer that are nobody's under test, for mutants that edit files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from pipestat_spec.errors import PipestatError

__all__ = ["Twice", "dump", "load"]

_LINE_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Twice(PipestatError):
    """A key occurs twice."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1, but keys are text, dates are strings, and a key twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        merged = {key for key, _ in node.value if key.tag == "tag:yaml.org,2002:merge"}
        names = [key.value for key, _ in node.value if key not in merged]
        if len(set(map(str, names))) < len(names):
            raise Twice("a key occurs twice")
        self.flatten_mapping(node)
        return {
            str(key.value): self.construct_object(value, deep=deep) for key, value in node.value
        }

    def construct_yaml_map(self, node: Any) -> Any:
        found: dict[Any, Any] = {}
        yield found
        found.update(self.construct_mapping(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_yaml_map)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Any:
    """Return the document of a text; raises PipestatError."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise PipestatError(f"the file cannot be read: {error}") from None


def dump(document: Mapping[str, Any]) -> str:
    """Return the text of a document: mappings as blocks, arrays in one line."""
    return "".join(f"{line}\n" for line in _lines(document, ""))


def _lines(mapping: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in mapping.items():
        name = _scalar(key)
        start = f"{indent}? {name}\n{indent}:" if len(name) > 400 else f"{indent}{name}:"
        if value and isinstance(value, dict):
            lines += [start, *_lines(value, indent + "  ")]
        else:
            lines.append(f"{start} {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        point = "" if "." in mantissa or not exponent else ".0"
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(
            mantissa, f"{mantissa}{point}{exponent}{power}"
        )
    text = json.dumps(value, ensure_ascii=False)
    return _LINE_BREAKS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
