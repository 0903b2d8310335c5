"""Loading plugins: one by one, failures isolated and named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipestat_spec.errors import PluginError
from pipestat_spec.plugins.entry_points import EntryPoint, find_entry_points
from pipestat_spec.plugins.loading import load_plugins

BACKEND = """
from pipestat_spec import hookimpl
from pipestat_spec.backend import BackendFactory

class Factory(BackendFactory):
    name = {backend!r}
    def open(self, settings):
        raise AssertionError("not opened here")

@hookimpl
def register_backends(register):
    register(Factory())
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def write(name: str, text: str) -> EntryPoint:
        (tmp_path / f"{name}.py").write_text(text)
        names.append(name)
        return EntryPoint(name, name, "dist-" + name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


def test_a_broken_plugin_is_named_and_the_others_load(module) -> None:
    loaded = load_plugins(
        [
            module("plug_raises", "raise RuntimeError('no\\nlicence')"),
            module("plug_exits", "raise SystemExit(3)"),
            module("plug_syntax", "def ("),
            module("plug_good", BACKEND.format(backend="good")),
        ]
    )
    assert list(loaded.backends) == ["good"]
    errors = {p.name: p.error for p in loaded.failures()}
    assert errors["plug_raises"] == "RuntimeError: no licence"
    assert errors["plug_exits"] == "SystemExit: 3"
    assert errors["plug_syntax"].startswith("SyntaxError: ")


def test_a_misspelt_hook_is_found(module) -> None:
    text = "from pipestat_spec import hookimpl\n@hookimpl\ndef register_backend(register): pass\n"
    (failure,) = load_plugins([module("plug_misspelt", text)]).failures()
    assert "'register_backend' is not a hook; did you mean 'register_backends'?" in failure.error


def test_a_backend_name_belongs_to_the_first(module) -> None:
    first = module("plug_first", BACKEND.format(backend="mydb"))
    second = module("plug_second", BACKEND.format(backend="mydb"))
    loaded = load_plugins([first, second])
    assert loaded.providers["backend:mydb"] == "plug_first"
    (failure,) = loaded.failures()
    assert failure.name == "plug_second"
    assert "already registered by plugin 'plug_first'" in failure.error


def test_two_plugins_of_one_name(module) -> None:
    point = module("plug_twice", BACKEND.format(backend="mydb"))
    loaded = load_plugins([point, EntryPoint("plug_twice", "plug_twice", "another")])
    (failure,) = loaded.failures()
    assert failure.entry_point.distribution == "another"


def test_the_environment_restricts_what_is_loaded(module, monkeypatch) -> None:
    good = module("plug_good", BACKEND.format(backend="good"))
    other = module("plug_other", BACKEND.format(backend="other"))
    monkeypatch.setenv("PIPESTAT_PLUGINS", "plug_other, ")
    assert list(load_plugins([good, other]).backends) == ["other"]
    monkeypatch.setenv("PIPESTAT_PLUGINS", "")
    assert load_plugins([good, other]).loaded == []


def test_an_unknown_backend_names_those_that_exist_and_those_that_failed(module) -> None:
    loaded = load_plugins(
        [
            module("plug_good", BACKEND.format(backend="good")),
            module("plug_raises", "raise RuntimeError('no licence')"),
        ]
    )
    with pytest.raises(PluginError, match=r"'mydb'.*good.*plug_raises.*no licence"):
        loaded.backend("mydb")


def test_the_built_in_backends_come_through_the_entry_points() -> None:
    loaded = load_plugins(find_entry_points("pipestat_spec"))
    assert loaded.failures() == []
    assert {"memory", "yaml"} <= loaded.backends.keys()
