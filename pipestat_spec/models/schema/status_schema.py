"""The statuses that a run can have (spec/core.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipestat_spec.errors import SchemaError, UnrecognizedStatusError
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import nearest

__all__ = ["DEFAULT_STATUS_SCHEMA", "StatusDefinition", "StatusSchema", "parse_status_schema"]

_LONGEST = 64
_IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class StatusDefinition(NamedTuple):
    """What a status means, and the RGB colour that it is shown in (0 to 255 each)."""

    description: str
    color: tuple[int, int, int]


@dataclass(frozen=True)
class StatusSchema:
    """The defined statuses by identifier, in the order of their definition."""

    statuses: Mapping[str, StatusDefinition]
    source: str | None = None

    @property
    def identifiers(self) -> tuple[str, ...]:
        return tuple(self.statuses)

    def __contains__(self, status: object) -> bool:
        return status in self.statuses

    def __iter__(self) -> Iterator[str]:
        return iter(self.statuses)

    def check(self, status: str) -> str:
        """Return `status`; raises UnrecognizedStatusError when it is not defined."""
        if status not in self.statuses:
            near = nearest(status, self.statuses)
            meant = f"did you mean {near!r}? " if near else ""
            raise UnrecognizedStatusError(
                f"status {status!r} is not defined",
                hint=f"{meant}defined are " + ", ".join(self.statuses),
                status=status,
                defined=self.identifiers,
            )
        return status

    def colours(self) -> dict[str, str]:
        """Return the colour of each status, as `#rrggbb`."""
        return {
            name: "#{:02x}{:02x}{:02x}".format(*status.color)
            for name, status in self.statuses.items()
        }

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return the published form: identifier to description and colour."""
        return {
            name: {"description": status.description, "color": list(status.color)}
            for name, status in self.statuses.items()
        }


def parse_status_schema(
    document: object, source: str | None = None, problems: Problems = AT_ONCE
) -> StatusSchema:
    """Check a status schema's document; raises SchemaError that says where and what mends it.

    `problems` may collect the errors; what is in order is returned then.
    """
    where = source or "status schema"
    if not isinstance(document, Mapping) or not document:
        raise SchemaError(
            f"{where}: a status schema maps status identifiers to their definitions",
            hint="for example 'running: {description: the pipeline is running, "
            "color: [30, 144, 255]}'",
        )
    statuses: dict[str, StatusDefinition] = {}
    for name, entry in document.items():
        with problems:
            _check_identifier(name, where)
        with problems:
            statuses[str(name)] = _definition(str(name), entry, where, problems)
    for name in statuses:
        with problems:
            _refuse_ambiguous_suffix(name, statuses, where)
    return StatusSchema(statuses, source)


def _check_identifier(name: object, where: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(_IDENTIFIER, name):
        raise SchemaError(
            f"{where}: {name!r} cannot be a status identifier",
            hint="use up to 64 letters, digits, dots, hyphens and underscores, "
            "a letter or digit first",
        )


def _definition(name: str, entry: object, where: str, problems: Problems) -> StatusDefinition:
    if not isinstance(entry, Mapping):
        raise SchemaError(f"{where}: {name}: a status is a mapping with description and color")
    description, color = entry.get("description"), entry.get("color")
    with problems:
        if not isinstance(description, str):
            raise SchemaError(f"{where}: {name}.description: missing or not a string")
    if not isinstance(color, list | tuple) or len(color) != 3 or not all(map(_is_channel, color)):
        raise SchemaError(
            f"{where}: {name}.color: {color!r} is not a colour",
            hint="give three integers from 0 to 255, for example [30, 144, 255]",
        )
    red, green, blue = color
    return StatusDefinition(str(description), (red, green, blue))


def _is_channel(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def _refuse_ambiguous_suffix(long: str, statuses: Mapping[str, object], where: str) -> None:
    # A flag's name ends in `_{status}.flag`: `a_b` beside `b` could be read both ways.
    for underscore in re.finditer("_", long[:_LONGEST]):
        short = long[underscore.end() :]
        if short in statuses:
            raise SchemaError(
                f"{where}: status {long!r} ends in '_{short}', and {short!r} is a status too",
                hint="rename one of them",
            )


DEFAULT_STATUS_SCHEMA = StatusSchema(
    {
        "running": StatusDefinition("the pipeline is running", (30, 144, 255)),
        "completed": StatusDefinition("the pipeline has completed", (50, 205, 50)),
        "failed": StatusDefinition("the pipeline has failed", (220, 20, 60)),
        "waiting": StatusDefinition("the pipeline is waiting", (240, 230, 140)),
        "partial": StatusDefinition(
            "the pipeline stopped before completion point", (169, 169, 169)
        ),
    }
)
