"""A manager of the drop-in over a results file of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.compat.manager import PipestatManager

Make = Callable[..., PipestatManager]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "out" / "results.yaml"


@pytest.fixture
def make(results: Path) -> Make:
    def make(**settings: Any) -> PipestatManager:
        return PipestatManager(
            **{"results_file_path": results, "pipeline_name": "count", **settings}
        )

    return make
