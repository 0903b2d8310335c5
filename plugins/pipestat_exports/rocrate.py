"""An RO-Crate of the profile Process Run Crate: an action for each record, with what it made.

Files and images are copied into the crate, remote ones are named by their address. Every other
value is a property; objects have one for each key.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pipestat_exports.cells import cell_text
from pipestat_exports.folders import FolderOptions, read_folder_options, write_folder
from pipestat_exports.places import Places
from pipestat_spec.errors import PipestatDependencyError
from pipestat_spec.installing import install_hint
from pipestat_spec.json_values import JSONValue
from pipestat_spec.linking import local_file
from pipestat_spec.logs import logger
from pipestat_spec.plugins.exporter_options import wrong_option
from pipestat_spec.text.file_names import encode_component

if TYPE_CHECKING:
    from pipestat_exports.places import FoundFile
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_crate"]

_FILE = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_STATUSES = {
    "completed": "CompletedActionStatus",
    "failed": "FailedActionStatus",
    "running": "ActiveActionStatus",
    "waiting": "PotentialActionStatus",
}
_ENDED = ("completed", "failed")
# A crate has to say something.
_NO_LICENSE = "No license is stated: ask whoever made this crate"


@dataclass(frozen=True)
class CrateOptions(FolderOptions):
    """`license` is the address of a license, or a text."""

    license: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        text: object = self.license
        if text is not None and not (isinstance(text, str) and text):
            raise wrong_option("license", text, "give an address or a text")


def export_crate(source: Source, output: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write the folder `output` and return it; raises PipestatSummarizeError."""
    options = read_folder_options(given, "an RO-Crate", CrateOptions)
    try:
        import rocrate.rocrate
    except ImportError:
        raise PipestatDependencyError(
            "an RO-Crate needs the package rocrate", hint=install_hint("pipestat-spec[rocrate]")
        ) from None
    crate = rocrate.rocrate.ROCrate(version="1.1")

    def fill(folder: Path) -> None:
        _Crate(crate, source).fill(options.license)
        crate.write(folder)

    write_folder(output, _FILE, options.replace, fill)
    return [output]


class _Crate:
    """Puts the records of a source into a crate."""

    def __init__(self, crate: Any, source: Source) -> None:
        self._crate = crate
        self._source = source
        self._pipelines: dict[str, Any] = {}

    def fill(self, license: str | None) -> None:
        """Add an action for each record, and what it made."""
        schema = self._source.schema
        namespace = self._source.namespace
        crate = self._crate
        crate.name = getattr(schema, "title", None) or namespace
        crate.description = getattr(schema, "description", None) or f"Results of {namespace}"
        crate.root_dataset["license"] = self._license(license)
        profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
        crate.root_dataset["conformsTo"] = self._entity(_PROFILE, profile)
        actions = []
        for level in self._source.levels:
            places = Places(schema.levels[level] if schema else None)
            for record in self._source.scan(level):
                actions.append(self._action(level, record, places))
        crate.root_dataset["mentions"] = actions

    def _entity(self, identifier: str, properties: Mapping[str, Any]) -> Any:
        # No identifier is given twice; `add_jsonld` would look through all entities for it.
        from rocrate.model.contextentity import ContextEntity

        return self._crate.add(ContextEntity(self._crate, identifier, properties=properties))

    def _license(self, text: str | None) -> Any:
        """Return what the crate may be used for: a text, or an entity for an address."""
        if text is None or "://" not in text:
            return text or _NO_LICENSE
        named = {"name": text, "description": "The license of this crate", "url": text}
        return self._entity(text, {"@type": "CreativeWork", **named})

    def _action(self, level: Level, record: Record, places: Places) -> Any:
        properties: dict[str, Any] = {
            "@type": "CreateAction",
            "name": record.key.identifier,
            "description": self._description(level, record),
        }
        status = _STATUSES.get(record.status or "")
        if status is not None:
            properties["actionStatus"] = {"@id": f"http://schema.org/{status}"}
        if record.status == "failed" and record.status_message:
            properties["error"] = record.status_message
        for name, time in (("startTime", record.created), ("endTime", _end(record))):
            if time is not None:
                properties[name] = time.isoformat(timespec="milliseconds")
        identifier = f"#{level}/{_part(record.key.identifier)}"
        action = self._entity(identifier, properties)
        action["instrument"] = self._software(record)
        action["result"] = list(self._results(identifier, record, places))
        return action

    def _description(self, level: Level, record: Record) -> str:
        text = f"The {level} {record.key.identifier} of {self._source.namespace}"
        if record.status is not None and record.status not in _STATUSES:
            text += f"; status: {record.status}"
        told = [f"{name}: {cell_text(value)}" for name, value in (record.source or {}).items()]
        return "; ".join([text, *told])

    def _software(self, record: Record) -> Any:
        """Return the pipeline, in the version that the record names."""
        namespace = self._source.namespace
        version = (record.source or {}).get("pipeline_version")
        identifier = f"#pipeline/{_part(namespace)}"
        properties: dict[str, Any] = {"@type": "SoftwareApplication", "name": namespace}
        if isinstance(version, str):
            identifier += f"/{_part(version)}"
            properties["softwareVersion"] = version
        if identifier not in self._pipelines:
            self._pipelines[identifier] = self._entity(identifier, properties)
        return self._pipelines[identifier]

    def _results(self, action: str, record: Record, places: Places) -> Iterator[Any]:
        folder = self._source.record_folder(record.key.identifier)
        if record.judgement is not None:
            why = "; ".join(reason.text for reason in record.judgement.reasons)
            field, verdict = record.judgement.field, str(record.judgement.verdict)
            yield self._property(action, (field,), verdict, {"description": why} if why else {})
        for result, value in record.results.items():
            files = {found.keys: found for found in places.files(result, value)}
            for keys, leaf in _leaves(value, (), files):
                path = (result, *keys)
                told = _told(places, path)
                if keys in files:
                    yield self._file(action, path, files[keys], told, folder)
                elif leaf is not None:
                    yield self._property(action, path, leaf, told)

    def _property(
        self, action: str, path: tuple[str | int, ...], value: JSONValue, told: Mapping[str, str]
    ) -> Any:
        plain = isinstance(value, bool | int | float | str)
        properties = {
            "@type": "PropertyValue",
            "name": ".".join(map(str, path)),
            "value": value if plain else cell_text(value),
            **told,
        }
        return self._entity("/".join((action, *map(_part, path))), properties)

    def _file(
        self,
        action: str,
        path: tuple[str | int, ...],
        found: FoundFile,
        told: Mapping[str, str],
        folder: str,
    ) -> Any:
        title = found.value.get("title")
        properties: dict[str, str] = {
            "name": title if isinstance(title, str) and title else found.path,
            **told,
        }
        kind, _ = mimetypes.guess_type(found.path)
        if kind is not None:
            properties["encodingFormat"] = kind
        file = local_file(found.path, folder)
        if file is None:
            address = found.path if "://" in found.path else f"{folder.rstrip('/')}/{found.path}"
            return self._crate.add_file(address, properties=properties)
        where = (unquote(part) for part in action[1:].split("/"))
        keys = (encode_component(str(part)) for part in (*where, *path))
        place = "/".join(("files", *keys, os.path.basename(file)))
        if os.path.isfile(file):
            return self._crate.add_file(file, place, properties=properties, record_size=True)
        if os.path.isdir(file):
            properties.pop("encodingFormat", None)
            return self._crate.add_dataset(file, place, properties=properties)
        logger().warning("no such file: %s", file)
        return self._property(action, path, found.path, {"description": "This file was not there"})


def _end(record: Record) -> datetime | None:
    """Return since when a record that has ended has its status."""
    return record.status_time if record.status in _ENDED else None


def _leaves(
    value: JSONValue, keys: tuple[str | int, ...], files: Mapping[tuple[str | int, ...], object]
) -> Iterator[tuple[tuple[str | int, ...], JSONValue]]:
    """Yield files, and the values inside objects; lists only where files are in them."""
    if keys in files:
        yield keys, value
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key), files)
    elif isinstance(value, list) and any(found[: len(keys)] == keys for found in files):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*keys, index), files)
    else:
        yield keys, value


def _told(places: Places, path: tuple[str | int, ...]) -> dict[str, str]:
    """Return what the schema says of a place that only keys lead to."""
    keys = tuple(key for key in path if isinstance(key, str))
    if len(keys) < len(path):
        return {}
    words = {"description": "description", "unit": "unitText"}
    found = {name: places.text(keys, key) for key, name in words.items()}
    return {name: text for name, text in found.items() if text is not None}


def _part(key: str | int) -> str:
    """Return a part of an identifier, which has to be an address."""
    return quote(str(key), safe="")
