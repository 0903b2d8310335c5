"""Schemas from files and addresses, YAML or JSON (SPEC.md sections 4 and 6)."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import MissingConfigDataError, SchemaError, SchemaNotFoundError
from pipestat_spec.models.schema.output_schema import OutputSchema, parse_output_schema
from pipestat_spec.models.schema.status_schema import StatusSchema, parse_status_schema
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

__all__ = [
    "load_config_document",
    "load_document",
    "load_output_schema",
    "load_status_schema",
    "parse_document",
    "read_text",
]

# Seconds to wait for a server that holds a schema.
_TIMEOUT = 10
_MAX_BYTES = 16 * 1024 * 1024
# Values in a document once every alias is written out.
_MAX_NODES = 100_000
_YAML_TYPES = ("null", "bool", "int", "float", "str", "seq", "map")


def load_output_schema(location: str | os.PathLike[str]) -> OutputSchema:
    """Read an output schema from a path, a `file:` or an `http(s):` address.

    Raises SchemaNotFoundError, and SchemaError that says where and what mends it.
    """
    source = os.fspath(location)
    return parse_output_schema(load_document(source), source)


def load_status_schema(location: str | os.PathLike[str]) -> StatusSchema:
    """Read a status schema; locations and errors as for `load_output_schema`."""
    source = os.fspath(location)
    return parse_status_schema(load_document(source), source)


def load_document(location: str | os.PathLike[str]) -> Any:
    """Return the YAML or JSON document at `location`, its keys as text as they are written.

    Raises SchemaNotFoundError; SchemaError with line and column when it cannot be parsed.
    """
    source = os.fspath(location)
    return parse_document(read_text(source), source)


def load_config_document(location: str | os.PathLike[str], missing: str) -> Any:
    """Return the document of a configuration; raises MissingConfigDataError.

    `missing` is what it says when there is no such file.
    """
    try:
        return load_document(location)
    except SchemaNotFoundError as error:
        raise MissingConfigDataError(missing, hint=error.hint) from None
    except SchemaError as error:
        raise MissingConfigDataError(error.message, hint=error.hint) from None


def parse_document(text: str, source: str) -> Any:
    """Return the YAML or JSON document in a text; raises SchemaError, as `load_document` does."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            pass  # perhaps YAML in flow style, and if not, YAML's error says where
        except RecursionError:
            raise SchemaError(f"{source}: nested too deep") from None
    return _parse_yaml(text, source)


def read_text(location: str) -> str:
    """Return the text at a path or address; raises SchemaNotFoundError and SchemaError."""
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    content = _fetch(location) if scheme in ("http", "https") else _read_file(location)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"{location}: byte {error.start} is not UTF-8", hint="save the file as UTF-8"
        ) from None


def _read_file(location: str) -> bytes:
    path = os.path.expanduser(_local_path(location))
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        near = _neighbour(path)
        raise SchemaNotFoundError(
            f"schema {location}: there is no such file",
            hint=f"did you mean {near}?" if near else f"the current folder is {os.getcwd()}",
            source=location,
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SchemaError(f"schema {location}: cannot be read: {reason}", source=location) from None


def _local_path(location: str) -> str:
    if not location.lower().startswith("file:"):
        return location
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(location).path)


def _neighbour(path: str) -> str | None:
    from pipestat_spec.text.strings import nearest

    try:
        return nearest(os.path.basename(path), os.listdir(os.path.dirname(path) or os.curdir))
    except OSError:
        return None


def _fetch(address: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    try:
        request = Request(address, headers={"User-Agent": "pipestat-spec"})
        with urlopen(request, timeout=_TIMEOUT) as response:
            content: bytes = response.read(_MAX_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        code = getattr(error, "code", None)
        raise SchemaNotFoundError(
            f"schema {address}: {f'{code} ' if code else ''}{shorten(str(reason))}",
            hint="check the address, or download the file and give its path",
            source=address,
        ) from None
    if len(content) > _MAX_BYTES:
        raise SchemaError(f"schema {address}: longer than {_MAX_BYTES} bytes", source=address)
    return content


def _parse_yaml(text: str, source: str) -> Any:
    import yaml

    loader = _loader_class()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_bombs(node, source)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = ", ".join(filter(None, (error.context, error.problem)))
        raise SchemaError(
            f"{source}: {place}{shorten(problem or 'not YAML', 160)}",
            hint="mend the YAML there",
            source=source,
            line=mark.line + 1 if mark else None,
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise SchemaError(
            f"{source}: not YAML: {shorten(str(error), 160)}", source=source
        ) from None
    except RecursionError:
        raise SchemaError(f"{source}: nested too deep", source=source) from None
    finally:
        loader.dispose()


def _refuse_bombs(root: Node, source: str) -> None:
    """Refuse a document that aliases make larger than _MAX_NODES, or endless."""
    sizes: dict[int, int] = {}
    if _size(root, sizes) > _MAX_NODES:
        raise SchemaError(
            f"{source}: the aliases (*name) make more than {_MAX_NODES} values of this document",
            hint="write it without aliases; $defs and $ref serve for recursion",
            source=source,
        )


def _size(node: Node, sizes: dict[int, int]) -> int:
    if isinstance(node.value, str):
        return 1
    known = sizes.get(id(node))
    if known is None:
        sizes[id(node)] = _MAX_NODES + 1  # what an alias inside itself finds
        members = (
            part for item in node.value for part in (item if isinstance(item, tuple) else (item,))
        )
        known = sizes[id(node)] = 1 + sum(_size(member, sizes) for member in members)
    return known


@cache
def _loader_class() -> Any:
    """Return a safe loader of the JSON data model: keys are text, dates are strings."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class SchemaLoader(base):  # type: ignore[misc]
        def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[str, Any]:
            lines: dict[str, int] = {}
            for key, _ in node.value:
                name = self._key(key)
                if name in lines:
                    problem = f"the key {name!r} stands in line {lines[name]} already"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                lines[name] = key.start_mark.line + 1
            self.flatten_mapping(node)
            return {
                self._key(key): self.construct_object(value, deep=deep) for key, value in node.value
            }

        def _key(self, key: Node) -> str:
            if isinstance(key.value, str):
                return key.value
            raise yaml.constructor.ConstructorError(
                None, None, "a key is a list or a mapping", key.start_mark
            )

    # Nothing beyond JSON: no sets, binaries and dates, whatever the tags say.
    tags = {name: f"tag:yaml.org,2002:{name}" for name in _YAML_TYPES}
    SchemaLoader.yaml_constructors = {
        None: base.yaml_constructors[None],
        "tag:yaml.org,2002:timestamp": base.yaml_constructors[tags["str"]],
        **{tag: base.yaml_constructors[tag] for tag in tags.values()},
    }
    return SchemaLoader
