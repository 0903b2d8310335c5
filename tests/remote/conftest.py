"""An S3 server over HTTP (moto), with a proxy that counts and spoils requests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.legs import leave_out
from tests.remote.proxy import Proxy
from tests.remote.raw import RawBucket
from tests.remote.servers import KEYS, running_moto


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    try:
        import moto  # noqa: F401
        import s3fs  # noqa: F401
    except ImportError as missing:
        leave_out("s3", str(missing), "pip install s3fs 'moto[s3,server]'")
    with running_moto() as url:
        yield url


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the caller's AWS settings and cache out."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def bucket(moto_url: str) -> RawBucket:
    """A fresh bucket, read and written through plain HTTP."""
    made = RawBucket(moto_url, f"b{uuid.uuid4().hex[:12]}")
    made.create()
    return made


@pytest.fixture
def proxy(moto_url: str) -> Iterator[Proxy]:
    made = Proxy(moto_url)
    yield made
    made.stop()


@dataclass
class Place:
    """Where a test's results go: a URL and the options that lead there."""

    url: str
    bucket: RawBucket
    proxy: Proxy
    options: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        return {
            "results_file_path": self.url,
            "storage_options": self.options,
            "pipeline_name": "demo",
        }


@pytest.fixture
def place(bucket: RawBucket, proxy: Proxy) -> Place:
    """One object behind the proxy, whose server is known to honour conditions."""
    made = Place(f"s3://{bucket.name}/run/results.yaml", bucket, proxy, {"endpoint_url": proxy.url})
    know(made)
    return made


def know(place: Place) -> None:
    """Let a first report find out what the server can do, and forget its requests."""
    from pipestat_spec import PipestatManager

    other = {**place.config, "results_file_path": f"s3://{place.bucket.name}/probe.yaml"}
    PipestatManager.from_config(other).report({"n": 1}, "s1")
    place.bucket.delete("probe.yaml")
    place.proxy.requests()


Managers = Callable[..., Any]


@pytest.fixture
def manager(place: Place) -> Managers:
    """`manager(**settings)` opens the place."""
    from pipestat_spec import PipestatManager

    def open_it(**settings: Any) -> PipestatManager:
        return PipestatManager.from_config({**place.config, **settings})

    return open_it
