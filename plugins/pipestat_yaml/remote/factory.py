"""From a URL to the backend for what it names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipestat_spec.backend import Backend, StoreSettings
from pipestat_spec.errors import MissingConfigDataError, PipestatError, PipestatStartupError
from pipestat_spec.text.file_names import PLACEHOLDER
from pipestat_spec.text.strings import nearest, shown_address
from pipestat_yaml.remote.attempts import Seen
from pipestat_yaml.remote.flag_mirrors import Mirror, local_mirror, no_mirror, object_mirror
from pipestat_yaml.remote.object_index import ObjectIndex
from pipestat_yaml.remote.object_store import ObjectStore, Transient
from pipestat_yaml.remote.retries import DEFAULT_PATIENCE, Retries, fetch_many
from pipestat_yaml.remote.urls import Location, locate
from pipestat_yaml.remote.write_guard import WriteGuard
from pipestat_yaml.text.spliced_text import open_text

__all__ = ["list_namespaces", "nearest_object", "open_backend"]

# Option of ours among those of the file system.
_PATIENCE = "retry_seconds"
# So many letters does a name begin with that may have been meant by another one.
_ALIKE = 2
# What looking for the namespaces has opened and read, for the opening that follows.
_looked_at: tuple[Mapping[str, Any], ObjectStore, str, Seen | None] | None = None


def open_backend(location: Location, settings: StoreSettings) -> Backend:
    """Open the object, or the objects of a `{record_identifier}` URL; they need not exist."""
    global _looked_at
    options, patience = _options(settings)
    looked, _looked_at = _looked_at, None
    if looked is not None and looked[0] is settings.config:
        _, store, key, seen = looked
    else:
        store, key = open_store(location, options)
        seen = None
    guard = WriteGuard(store, patience, unsafe=settings.unsafe_writes, readonly=location.is_web)
    mirror = _mirror(settings, options, patience)
    if PLACEHOLDER in key:
        from pipestat_yaml.remote.record_objects import RecordObjectsBackend

        return RecordObjectsBackend(guard, key, settings, mirror)
    from pipestat_yaml.remote.backend import open_object

    return open_object(guard, key, settings, mirror, seen)


def list_namespaces(location: Location, settings: StoreSettings) -> list[str]:
    """Return the namespaces that the object or the objects hold, in code-point order."""
    global _looked_at
    options, patience = _options(settings)
    store, key = open_store(location, options)
    _looked_at = (settings.config, store, key, None)
    if PLACEHOLDER in key:
        return _namespaces_of_many(store, key, settings, patience)
    with Retries(store.shown(key), patience) as retries:
        found = retries.reading(lambda: store.get(key))
    _looked_at = (settings.config, store, key, Seen(found))
    return sorted(open_text(found.data if found else b"", store.shown(key)).namespaces())


def _namespaces_of_many(
    store: ObjectStore, template: str, settings: StoreSettings, patience: float
) -> list[str]:
    index = ObjectIndex(store, template, settings, patience)
    keys = [item.key for item in index.listed()]
    found: set[str] = set()
    for key, stored in fetch_many(store, keys, patience):
        text = open_text(stored.data if stored else b"", store.shown(key))
        for name in text.namespaces() - found:
            if any(index.names.key(record) == key for record in text.all_identifiers(name)):
                found.add(name)
    return sorted(found)


def nearest_object(location: Location, settings: StoreSettings) -> str | None:
    """Return the URL of an object whose name is like that of one that is not there."""
    options, _ = _options(settings)
    store, key = open_store(location, options)
    folder, slash, name = key.rpartition("/")
    # Not the whole folder: there may be millions of objects in it.
    with suppress(PipestatError, Transient):
        listed = store.find(folder + slash + name[:_ALIKE])
        near = nearest(key, [item.key for item in listed if item.key != key])
        return near and store.shown(near)
    return None


def open_store(location: Location, options: Mapping[str, Any]) -> tuple[ObjectStore, str]:
    """Return the store behind a URL and the key, or the template of keys, that it names."""
    url = location.url
    if location.is_s3:
        bucket, _, key = url.partition("://")[2].partition("/")
        if not bucket or not key or key.endswith("/") or PLACEHOLDER in bucket:
            raise PipestatStartupError(
                f"{shown_address(url)} names no object",
                hint="write s3://BUCKET/PATH/results.yaml",
                file=shown_address(url),
            )
        from pipestat_yaml.remote.s3 import S3Objects

        return S3Objects(bucket, options), key
    if location.protocol == "memory":
        from pipestat_yaml.remote.filesystems import MemoryObjects

        return MemoryObjects(), "/" + url.partition("://")[2].strip("/")
    from pipestat_yaml.remote.filesystems import FilesystemObjects

    store = FilesystemObjects(url, options, web=location.is_web)
    return store, store.key


def _options(settings: StoreSettings) -> tuple[dict[str, Any], float]:
    """Return the file system's options and for how many seconds an operation is retried."""
    options = dict(settings.config.get("storage_options") or {})
    seconds = options.pop(_PATIENCE, DEFAULT_PATIENCE)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e6:
        raise MissingConfigDataError(
            f"storage_options.{_PATIENCE} is not a number of seconds",
            hint=f"the default is {DEFAULT_PATIENCE:.0f}",
        )
    return options, float(seconds)


def _mirror(settings: StoreSettings, options: Mapping[str, Any], patience: float) -> Mirror:
    folder = settings.config.get("flag_file_dir")
    if not folder:
        return no_mirror
    folder = os.fspath(folder)
    place = locate(folder, settings.config_folder) if "://" in folder else folder
    if isinstance(place, str):
        return local_mirror(place, settings)
    # A folder is opened by a name in it, which also says how keys are written there.
    named = Location(f"{place.url.rstrip('/')}/flag", place.protocol)
    flags, key = open_store(named, options)
    return object_mirror(flags, key.removesuffix("flag"), settings, patience)
