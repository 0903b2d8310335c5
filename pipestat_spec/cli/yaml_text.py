"""Data as YAML on the terminal: keys sorted, since their order carries nothing."""

from __future__ import annotations

from pipestat_spec.models.record import JSONValue
from pipestat_spec.text import yaml_writer as emitter

__all__ = ["yaml_text"]


def yaml_text(data: JSONValue) -> str:
    """Return `data` as block YAML with sorted keys, without the last line break."""
    return emitter.yaml_text(_sorted(data))


def _sorted(data: JSONValue) -> JSONValue:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data
