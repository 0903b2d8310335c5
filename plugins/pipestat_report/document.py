"""Everything that a report shows, as one JSON document, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipestat_report.encoding import encode_value
from pipestat_report.fields import describe_fields
from pipestat_report.links import Place
from pipestat_report.media import Media, find_media
from pipestat_spec.domain.times import format_utc

if TYPE_CHECKING:
    from pipestat_report.links import Linker
    from pipestat_report.thumbnails import Thumbnails
    from pipestat_spec.models.record import HistoryEntry, Level, Record
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["LevelTable", "read_level", "report_json"]


class LevelTable:
    """The records of one level, column by column; rows are in the order of identifiers."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.identifiers: list[str] = []
        self.statuses: list[str | None] = []
        # Since when each record has its status, by row: not every store knows.
        self.since: dict[int, str] = {}
        # Where records are judged: what the verdict is called, each one, and the reasons by row.
        self.verdict_field: str | None = None
        self.verdicts: list[str] = []
        self.reasons: dict[int, list[tuple[str, str]]] = {}
        self.messages: dict[int, str] = {}
        self.sources: dict[int, Any] = {}
        self.created: list[str | None] = []
        self.modified: list[str | None] = []
        # Values by result and row: what was not reported is not there.
        self.values: dict[str, dict[int, Any]] = {}
        self.history: dict[int, dict[str, list[list[Any]]]] = {}
        self.media: dict[str, dict[int, list[Media]]] = {}
        self.fields: list[dict[str, Any]] = []
        for row, record in enumerate(records):
            self._add(row, record)
        self.rows = {identifier: row for row, identifier in enumerate(self.identifiers)}

    def _add(self, row: int, record: Record) -> None:
        self.identifiers.append(record.key.identifier)
        self.statuses.append(record.status)
        self.created.append(_time(record.created))
        self.modified.append(_time(record.modified))
        if record.status_time is not None:
            self.since[row] = format_utc(record.status_time)
        if record.status_message is not None:
            self.messages[row] = record.status_message
        if record.source is not None:
            self.sources[row] = encode_value(record.source)
        judgement = record.judgement
        if judgement is not None:
            self.verdict_field = judgement.field
            self.verdicts.append(str(judgement.verdict))
            if judgement.reasons:
                self.reasons[row] = [(str(one.severity), one.text) for one in judgement.reasons]
        for name, value in record.results.items():
            if name != self.verdict_field:
                self.values.setdefault(name, {})[row] = value

    def add_history(self, identifier: str, entries: Iterable[HistoryEntry]) -> None:
        """Add the earlier values of a record, oldest first."""
        row = self.rows.get(identifier)
        if row is None:  # removed since the records were read
            return
        found = self.history.setdefault(row, {})
        for entry in entries:
            item = [format_utc(entry.time), encode_value(entry.value)]
            found.setdefault(entry.result, []).append(item)

    def images(self) -> Iterator[Media]:
        """Yield the images, highlighted results first, each result's in the order of the rows."""
        for field in self.fields:
            for media in self.media.get(field["name"], {}).values():
                yield from (one for one in media if one.kind == "image")

    def as_json(self) -> dict[str, Any]:
        """Return the table as the page reads it."""
        return {
            "fields": self.fields,
            "ids": self.identifiers,
            "status": self.statuses,
            "since": self.since,
            "verdicts": self._verdicts(),
            "messages": self.messages,
            "sources": self.sources,
            "created": self.created,
            "modified": self.modified,
            "columns": [self._column(field["name"]) for field in self.fields],
            "history": self.history,
            "media": {
                name: {row: [one.as_json() for one in media] for row, media in rows.items()}
                for name, rows in self.media.items()
            },
        }

    def _verdicts(self) -> dict[str, Any] | None:
        if self.verdict_field is None:
            return None
        return {"field": self.verdict_field, "values": self.verdicts, "reasons": self.reasons}

    def _column(self, name: str) -> dict[str, Any]:
        """Return the values of all rows, or of the named rows when fewer than half have one."""
        values = self.values.get(name, {})
        if len(values) * 2 < len(self.identifiers):
            return {"rows": list(values), "values": [encode_value(v) for v in values.values()]}
        column: dict[str, Any] = {
            "values": [encode_value(values.get(row)) for row in range(len(self.identifiers))]
        }
        if nulls := [row for row, value in values.items() if value is None]:
            column["nulls"] = nulls
        return column


def read_level(source: Source, level: Level, linker: Linker) -> LevelTable:
    """Read the records of a level with their history, and look for their files."""
    table = LevelTable(source.scan(level))
    for key, entries in source.histories(level):
        table.add_history(key.identifier, entries)
    schema = source.schema.levels[level] if source.schema else None
    table.fields = describe_fields(
        schema, {name: values.values() for name, values in table.values.items()}
    )
    folders = _Folders(source)
    for field in table.fields:
        if field["kind"] in ("file", "image", "object", "array", "mixed"):
            found = _media_of(table, field, level, folders, linker)
            if found:
                table.media[field["name"]] = found
    return table


class _Folders(dict[str, str]):
    """The folder of each record, asked for once."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def __missing__(self, identifier: str) -> str:
        folder = self[identifier] = self._source.record_folder(identifier)
        return folder


def _media_of(
    table: LevelTable,
    field: dict[str, Any],
    level: Level,
    folders: Mapping[str, str],
    linker: Linker,
) -> dict[int, list[Media]]:
    """Return the files and images of a result by row; a field of files alone becomes one."""
    found = {}
    values = table.values.get(field["name"], {})
    for row, value in values.items():
        identifier = table.identifiers[row]
        place = Place(level, identifier, field["name"])
        if media := find_media(value, field["kind"], folders[identifier], linker, place):
            found[row] = media
    kinds = {one.kind for media in found.values() for one in media if not one.keys}
    if field["kind"] == "object" and len(found) == len(values) and len(kinds) == 1:
        field["kind"] = kinds.pop()
    return found


def report_json(
    source: Source,
    samples: LevelTable,
    project: LevelTable | None,
    thumbnails: Thumbnails,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the whole document; `about` has what stands beside the records."""
    return {
        "format": 1,
        "pipeline": source.namespace,
        **about,
        "statuses": [
            {"name": name, "description": status.description}
            for name, status in source.statuses.statuses.items()
        ],
        "samples": samples.as_json(),
        "project": project.as_json() if project else None,
        "thumbnails": thumbnails.as_json(),
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_utc(time)
