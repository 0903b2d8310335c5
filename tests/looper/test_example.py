"""examples/looper: the same with looper on pipestat and with looper through the drop-in.

What differs is listed here, with the fault of pipestat that it comes from.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml

from tests.environments import PythonEnvironment
from tests.looper.example_runs import (
    EXAMPLES,
    RESULTS,
    Example,
    Facts,
    copy_example,
    differences,
    fetch_reads,
    mend_reads,
    walk,
)
from tests.looper.old_pipelines import translate

DATA = EXAMPLES / "quickstart" / "data"
SAMPLES = ["brain_1", "liver_1", "liver_2"]


@dataclass(frozen=True)
class Walks:
    """What each step left, on pipestat and through the drop-in."""

    reference: Mapping[str, Facts]
    ours: Mapping[str, Facts]
    example: Example
    before_destroy: Path


def walk_twice(
    parent: Path, environment: PythonEnvironment, prepare: Callable[[Path], None]
) -> Walks:
    """Walk through two copies of the example at once."""

    def one(name: str) -> tuple[Example, Mapping[str, Facts]]:
        example = copy_example(parent / name, environment, drop_in=name == "ours")
        prepare(example.folder)
        kept = example.folder / "before_destroy"
        return example, walk(example, lambda e: shutil.copytree(e.folder / "output", kept))

    with ThreadPoolExecutor() as threads:
        (_, reference), (example, ours) = threads.map(one, ["reference", "ours"])
    return Walks(reference, ours, example, example.folder / "before_destroy")


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory, looper: PythonEnvironment) -> Walks:
    return walk_twice(tmp_path_factory.mktemp("walks"), looper, lambda folder: None)
