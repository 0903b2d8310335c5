"""Objects of an S3 bucket, by the client of s3fs and nothing above it.

s3fs as a file system would answer from caches and turn large puts into uploads of several
parts, which no condition guards. All retrying is turned off: it is decided by who knows what
was asked. (aiohttp repeats a request all the same when a kept connection turns out closed.)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pipestat_spec.errors import (
    MissingConfigDataError,
    PipestatDataError,
    PipestatDependencyError,
    PipestatError,
)
from pipestat_spec.text.strings import shown_address
from pipestat_yaml.remote.faults import Missing, found, mapped
from pipestat_yaml.remote.object_store import (
    Condition,
    ConditionFailed,
    Fetched,
    Listed,
    ObjectStore,
    StoredObject,
    Transient,
)

__all__ = ["S3Objects"]

# Requests under way at once.
_PARALLEL = 32
# Seconds; s3fs waits 15 for an answer, too short for large objects on slow lines.
_TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30}
_TRUSTED = (".amazonaws.com", ".amazonaws.com.cn")
_CONTENT_TYPE = "application/yaml"

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class S3Objects(ObjectStore):
    """The objects of one bucket; `options` are those of `s3fs.S3FileSystem`."""

    conditional = True
    keeps_metadata = True
    lists_versions = True
    durable = True

    def __init__(self, bucket: str, options: Mapping[str, Any]) -> None:
        self.bucket = bucket
        self._options = _options(options)
        self._fs: Any = None
        self._made_by = 0
        self._endpoint = ""

    def shown(self, key: str) -> str:
        return shown_address(f"s3://{self.bucket}/{key}")

    def _connected(self) -> Any:
        """Return the file system, with a client."""
        if self._fs is None or self._made_by != os.getpid():
            with found(self.shown("")):
                self._fs = _file_system(self._options)
            self._made_by = os.getpid()
            self._endpoint = str(self._fs.s3.meta.endpoint_url)
        return self._fs

    def _run(self, key: str, work: Callable[[Any], Awaitable[Answer]]) -> Answer:
        fs = self._connected()
        from fsspec.asyn import sync

        try:
            with mapped(self.shown(key)):
                answer: Answer = sync(fs.loop, work, fs)
                return answer
        except PipestatError:
            # Keys are read when a client is made: after a refusal there may be others.
            self._fs = None
            _forget(fs)
            raise

    def get(self, key: str) -> StoredObject | None:
        try:
            return self._run(key, lambda fs: self._get(fs, key))
        except Missing:
            return None

    async def _get(self, fs: Any, key: str) -> StoredObject:
        answer = await fs._call_s3("get_object", Bucket=self.bucket, Key=key)
        async with answer["Body"] as body:
            data = await body.read()
        return StoredObject(data, answer["ETag"], answer.get("Metadata") or {})

    def get_many(self, keys: Sequence[str]) -> list[Fetched]:
        async def fetch(fs: Any, key: str) -> Fetched:
            try:
                with mapped(self.shown(key)):
                    return await self._get(fs, key)
            except Missing:
                return None
            except Transient as failure:
                return failure

        return self._all(fetch, keys)

    def put(self, key: str, data: bytes, when: Condition, metadata: Mapping[str, str]) -> None:
        try:
            self._run(key, lambda fs: self._put(fs, key, data, when, metadata))
        except Missing:
            # What was to be replaced is gone.
            raise ConditionFailed from None

    async def _put(
        self, fs: Any, key: str, data: bytes, when: Condition, metadata: Mapping[str, str]
    ) -> None:
        conditions: dict[str, dict[str, Any]] = {
            "new": {"IfNoneMatch": "*"},
            "version": {"IfMatch": when.version},
            "any": {},
        }
        await fs._call_s3(
            "put_object",
            Bucket=self.bucket,
            Key=key,
            Body=data,
            Metadata=dict(metadata),
            ContentType=_CONTENT_TYPE,
            **conditions[when.kind],
        )

    def put_many(
        self, puts: Sequence[tuple[str, bytes, Condition, Mapping[str, str]]]
    ) -> list[ConditionFailed | Transient | None]:
        async def store(
            fs: Any, put: tuple[str, bytes, Condition, Mapping[str, str]]
        ) -> ConditionFailed | Transient | None:
            try:
                with mapped(self.shown(put[0])):
                    await self._put(fs, *put)
            except Missing:
                return ConditionFailed()
            except (ConditionFailed, Transient) as failure:
                return failure
            return None

        return self._all(store, puts)

    def _all(
        self, work: Callable[[Any, Item], Awaitable[Answer]], items: Sequence[Item]
    ) -> list[Answer]:
        """Do the work of each item, some at once, and return what came of each."""
        import asyncio

        async def run(fs: Any) -> list[Answer]:
            room = asyncio.Semaphore(_PARALLEL)

            async def one(item: Item) -> Answer:
                async with room:
                    return await work(fs, item)

            return list(await asyncio.gather(*map(one, items)))

        return self._run("", run)

    def delete(self, key: str) -> None:
        async def remove(fs: Any) -> None:
            await fs._call_s3("delete_object", Bucket=self.bucket, Key=key)

        with suppress(Missing):
            self._run(key, remove)

    def find(self, prefix: str) -> list[Listed]:
        async def pages(fs: Any) -> list[Listed]:
            listed: list[Listed] = []
            more: dict[str, str] = {}
            while True:
                answer = await fs._call_s3(
                    "list_objects_v2", Bucket=self.bucket, Prefix=prefix, **more
                )
                listed += [
                    Listed(item["Key"], item["Size"], item.get("ETag"))
                    for item in answer.get("Contents", [])
                ]
                before, more = more, _next_page(answer)
                if not more:
                    return listed
                if before == more or "" in more.values():
                    raise PipestatDataError(
                        f"{self.shown(prefix)}: the server begins a list of objects and does not "
                        "continue it",
                        hint="see the table in docs/remote.md",
                        file=self.shown(prefix),
                    )

        try:
            return self._run(prefix, pages)
        except Missing:
            return []

    def is_trusted(self) -> bool:
        self._connected()
        return _is_trusted(self._endpoint)

    def address(self, key: str) -> str:  # noqa: ARG002
        self._connected()
        parts = urlsplit(self._endpoint)
        return f"{parts.scheme}://{parts.hostname}:{parts.port} {self.bucket}"

    def close(self) -> None:
        """Keep the client for the next store of this process."""
        self._fs = None


# Making a client takes botocore longer than a report takes: a few are kept, by the process that
# made them and their settings.
_made: dict[tuple[int, str], Any] = {}
_KEPT = 4


def _file_system(options: Mapping[str, Any]) -> Any:
    """Return a file system with a client, made before with the same settings in this process."""
    environment = sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))
    told = f"{environment} {sorted(options.items(), key=str)!r}"
    name = os.getpid(), hashlib.sha256(told.encode()).hexdigest()
    fs = _made.get(name)
    if fs is None:
        import s3fs

        fs = s3fs.S3FileSystem(**options, skip_instance_cache=True)
        fs.retries = 1
        if fs.session is None:
            from aiobotocore.session import AioSession

            fs.session = _share_models(AioSession(**fs.kwargs))
        fs.connect()
        _check_library(fs)
        _without_checksums(fs)
        _made[name] = fs
        # Those of a parent process are left alone: to drop one would close its connections.
        own = [made for made in list(_made) if made[0] == os.getpid()]
        for oldest in own[:-_KEPT]:
            _made.pop(oldest, None)
    return fs


# What reads the descriptions of services, by the places where it looks beside botocore's own.
_models: dict[str | None, Any] = {}


def _share_models(session: Any) -> Any:
    """Let the clients of a session use the descriptions of S3 that others before have read.

    They are 14 MB, and most of the time that making a client takes.
    """
    places = session.get_config_variable("data_path")
    shared = _models.setdefault(places, session.get_component("data_loader"))
    session.register_component("data_loader", shared)
    return session


def _forget(fs: Any) -> None:
    """Make another client for the next store with the same settings."""
    for name in [name for name, made in _made.items() if made is fs]:
        del _made[name]


def _next_page(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what asks for the next page of a list; nothing after the last one.

    Some servers say that there is more and give no token.
    """
    if answer.get("NextContinuationToken"):
        return {"ContinuationToken": answer["NextContinuationToken"]}
    if not answer.get("IsTruncated"):
        return {}
    keys = [item["Key"] for item in answer.get("Contents", [])]
    return {"StartAfter": max(keys, key=str.encode, default="")}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with all retrying turned off."""
    options = dict(given)
    config = options.get("config_kwargs") or {}
    if not isinstance(config, Mapping):
        raise MissingConfigDataError("storage_options: config_kwargs is a mapping")
    config = {**_TIMEOUTS, "max_pool_connections": _PARALLEL, **config}
    config["retries"] = {"total_max_attempts": 1}
    return {**options, "config_kwargs": config}


def _without_checksums(fs: Any) -> None:
    """Leave out the checksums that botocore adds of late, where nobody has asked for them.

    Not every server but Amazon's understands them. Which server it is only the client knows:
    the address may come from options, environment, profile or its section of services.
    """
    if _is_trusted(str(fs.s3.meta.endpoint_url)):
        return
    asked = {*(fs.config_kwargs or {}), *fs.session.get_scoped_config()}
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        if name not in asked and f"AWS_{name.upper()}" not in os.environ:
            setattr(fs.s3.meta.config, name, "when_required")


def _is_trusted(endpoint: str) -> bool:
    return (urlsplit(endpoint).hostname or "").endswith(_TRUSTED)


def _check_library(fs: Any) -> None:
    """Raise PipestatDependencyError when a condition would silently not be sent."""
    known = fs.s3.meta.service_model.operation_model("PutObject").input_shape.members
    if not {"IfMatch", "IfNoneMatch"} <= set(known):
        raise PipestatDependencyError(
            "the installed botocore is too old for conditional puts",
            hint="pip install --upgrade s3fs aiobotocore",
        )
