"""The finder of entry points answers as importlib.metadata does."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

from pipestat_spec.plugins.entry_points import find_entry_points


def ours(group: str) -> list[tuple[str, str]]:
    return sorted((point.name, point.value) for point in find_entry_points(group))


def theirs(group: str) -> list[tuple[str, str]]:
    importlib.invalidate_caches()
    return sorted(
        (point.name, point.value) for point in importlib.metadata.entry_points(group=group)
    )


def install(folder: Path, distribution: str, text: str, kind: str = "dist-info") -> None:
    info = folder / f"{distribution}-1.0.{kind}"
    info.mkdir(parents=True)
    name = "METADATA" if kind == "dist-info" else "PKG-INFO"
    (info / name).write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("group", ["pipestat_spec", "console_scripts", "pytest11", "no_such_group"])
def test_same_answer_for_what_is_installed(group: str) -> None:
    assert ours(group) == theirs(group)


def test_the_shipped_plugins_are_found() -> None:
    found = dict(ours("pipestat_spec"))
    assert found["memory"] == "pipestat_spec.memory"
    assert found["yaml"] == "pipestat_yaml.plugin"


def test_same_answer_for_odd_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    install(
        first,
        "odd_one",
        "[console_scripts]\nrun = odd:run\n\n[pipestat_spec]\n"
        "# a comment\n a = odd.a\nb=odd.b:thing\n\n[other]\nc = odd.c\n",
    )
    install(first, "egg_one", "[pipestat_spec]\ne = egg.e\n", kind="egg-info")
    install(second, "odd_one", "[pipestat_spec]\nshadowed = odd.z\n")
    install(second, "Capital_Two", "[pipestat_spec]\ncapital = capital.two\n")
    (second / "empty-1.0.dist-info").mkdir()
    zipped = tmp_path / "third.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("zipped-1.0.dist-info/METADATA", "Name: zipped\nVersion: 1.0\n")
        archive.writestr("zipped-1.0.dist-info/entry_points.txt", "[pipestat_spec]\nzip = zipped\n")
    for place in (tmp_path / "missing", zipped, second, first):
        monkeypatch.syspath_prepend(str(place))
    names = {name for name, _ in ours("pipestat_spec")}
    assert {"a", "b", "e", "capital", "zip"} <= names
    assert "shadowed" not in names
    assert ours("pipestat_spec") == theirs("pipestat_spec")


def test_a_relative_place_on_the_path_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "here", "[pipestat_spec]\nhere = here.plugin\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert ("here", "here.plugin") in ours("pipestat_spec")
