"""What is remembered of looper's projects, without looper."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from pipestat_spec.compat import looper


class Project(dict[str, Any]):
    """As looper's: a mapping, so it has no hash."""

    def _check_for_existing_pipestat_config(self, interface: object) -> str:
        raise NotImplementedError


def test_every_project_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("looper.project")
    module.Project, module.EXTRA_KEY, module.PIPESTAT_KEY = Project, "looper", "pipestat"
    checked: list[str] = []
    monkeypatch.setitem(sys.modules, "looper.project", module)
    monkeypatch.setattr(looper, "_check_shared", lambda section, project: checked.append(section))
    monkeypatch.setattr(looper, "_merged", lambda section, project, interface: section)
    monkeypatch.setattr(looper, "_written", lambda made: made)
    monkeypatch.setattr(looper, "_link_once", lambda: None)
    monkeypatch.setattr(
        Project,
        "_check_for_existing_pipestat_config",
        Project._check_for_existing_pipestat_config,
    )
    looper.take_over_configs()
    # Each goes before the next one comes, which may take its place in memory.
    for number in range(50):
        project = Project(looper={"pipestat": f"p{number}"})
        for _ in range(2):
            assert project._check_for_existing_pipestat_config(None) == f"p{number}"
        del project
    assert checked == [f"p{number}" for number in range(50)]
