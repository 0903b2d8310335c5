"""The engine that the tests run pipelines with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.environments import MissingPart, nextflow_command
from tests.legs import leave_out


@pytest.fixture(scope="session")
def engine() -> Path:
    """A Nextflow engine, fetched with Maven."""
    try:
        return nextflow_command()
    except MissingPart as missing:
        leave_out("nextflow", str(missing), "apt-get install default-jre-headless maven")
