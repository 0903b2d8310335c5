"""What botocore knows of S3, read before a process is forked: each client of it would read it."""

from __future__ import annotations

from aiobotocore.session import AioSession
from pipestat_yaml.remote.s3 import _share_models


def read() -> None:
    """Let all clients of this process, and of its forks, find the descriptions of S3 read."""
    _share_models(AioSession()).warm_up_loader_caches("s3")
