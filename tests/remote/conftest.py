"""An S3 server over HTTP (moto), with a proxy that counts and spoils requests."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.legs import leave_out
from tests.remote.proxy import Proxy, ProxyServer
from tests.remote.raw import RawBucket
from tests.remote.servers import KEYS, running_moto

# Objects on one page of a list; it is 1,000 on S3.
LISTED = 100


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    try:
        import moto  # noqa: F401
        import s3fs  # noqa: F401
    except ImportError as missing:
        leave_out("s3", str(missing), "pip install s3fs 'moto[s3,server]'")
    with running_moto(page=LISTED) as url:
        yield url


@pytest.fixture(autouse=True)
def aws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the caller's AWS settings and cache out.

    The settings of all tests are the same, so that they can have the same client.
    """
    nowhere = tmp_path_factory.getbasetemp() / "no-aws"
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def bucket(moto_url: str) -> RawBucket:
    """A fresh bucket, read and written through plain HTTP."""
    made = RawBucket(moto_url, f"b{uuid.uuid4().hex[:12]}")
    made.create()
    return made


@pytest.fixture(scope="session")
def proxies(moto_url: str) -> Iterator[ProxyServer]:
    made = ProxyServer(moto_url)
    yield made
    made.stop()


@pytest.fixture
def proxy(proxies: ProxyServer, bucket: RawBucket) -> Proxy:
    return proxies.before(bucket.name)


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
    """Note that the server honours conditions, as a first report does that has found it out."""
    known = f"{place.proxy.url} {place.bucket.name}"
    name = hashlib.sha256(known.encode()).hexdigest()[:32]
    note = Path(os.environ["XDG_CACHE_HOME"], "pipestat-spec", f"conditional-puts-{name}")
    note.parent.mkdir(parents=True)
    note.write_text(f"{known}\n")


Managers = Callable[..., Any]


@pytest.fixture
def manager(place: Place) -> Managers:
    """`manager(**settings)` opens the place."""
    from pipestat_spec import PipestatManager

    def open_it(**settings: Any) -> PipestatManager:
        return PipestatManager.from_config({**place.config, **settings})

    return open_it
