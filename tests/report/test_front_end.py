"""The front end: its filter is Python's, and the committed bundle is made of its sources."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.commands import run_among
from tests.environments import MissingPart
from tests.legs import leave_out
from tests.report.filter_cases import random_group, vector_groups
from tests.report.web import STATIC, WEB, run_test, workplace

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return workplace(tmp_path_factory.mktemp("report"))
    except MissingPart as missing:
        leave_out("node", str(missing), "apt-get install nodejs npm")


def test_the_bundle_is_made_of_the_sources(work: Path) -> None:
    built = work / "built"
    run_among(work, "node", "build.mjs", str(built))
    for name in ("report.js", "report.css"):
        new, committed = (
            sha256((folder / name).read_bytes()).hexdigest() for folder in (built, STATIC)
        )
        assert new == committed, f"{name} is old: run 'npm ci && npm run build' in {WEB}"


def test_types_are_right(work: Path) -> None:
    run_among(work, "node_modules/.bin/tsc", "--noEmit")


def test_the_model(work: Path) -> None:
    run_test(work, "model")


def run_cases(work: Path, folder: Path, groups: list[dict[str, object]]) -> None:
    path = folder / "cases.json"
    path.write_text(json.dumps(groups))
    run_test(work, "filter", REPORT_CASES=str(path))


def test_the_filter_answers_the_vectors(work: Path, tmp_path: Path) -> None:
    groups = list(vector_groups())
    assert len(groups) > 400
    run_cases(work, tmp_path, groups)


def test_the_filter_answers_as_pythons(
    work: Path, tmp_path: Path, trials: Callable[..., Iterator[random.Random]]
) -> None:
    groups = [
        random_group(f"trial {number}", chance, 300)
        for number, chance in enumerate(trials(full=40, ci=5))
    ]
    run_cases(work, tmp_path, groups)


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text()
