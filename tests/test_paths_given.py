"""Paths of settings mean the same from every source: `~`, variables, placeholders, no folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from pipestat_spec.compat.manager import PipestatManager as DropIn
from pipestat_spec.engines.looper import looper_configs
from pipestat_spec.errors import MissingConfigDataError, PipestatError
from pipestat_spec.text.paths import nearest_name

SCHEMA = "pipeline_name: count\nsamples: {n: {type: integer, description: n}}\n"
# What the command calls a setting that managers and configurations have.
OPTIONS = {
    "schema_path": "-s",
    "results_file_path": "-f",
    "flag_file_dir": "--flag-dir",
    "status_schema_path": "--status-schema",
}
ENVIRONMENT = {
    "schema_path": "PIPESTAT_RESULTS_SCHEMA",
    "results_file_path": "PIPESTAT_RESULTS_FILE",
    "status_schema_path": "PIPESTAT_STATUS_SCHEMA",
}

Settings = dict[str, Any]
# Takes settings, and a folder for the files that they stand in.
Entry = Callable[[Settings, Path], None]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, `$PROJ` and `~`; `NOT_SET` is not set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROJ", str(tmp_path / "proj"))
    monkeypatch.setenv("HOME", str(tmp_path / "proj"))
    monkeypatch.delenv("NOT_SET", raising=False)
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj" / "schema.yaml").write_text(SCHEMA)
    return tmp_path


def by_manager(settings: Settings, folder: Path) -> None:
    with PipestatManager(**_arguments(settings)) as psm:
        _use(psm)


def by_drop_in(settings: Settings, folder: Path) -> None:
    with DropIn(**_arguments(settings)) as psm:
        _use(psm)


def by_configuration(settings: Settings, folder: Path) -> None:
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    with PipestatManager.from_config(folder / "config.yaml") as psm:
        _use(psm)


def by_mapping(settings: Settings, folder: Path) -> None:
    with DropIn.from_config(config=settings) as psm:
        _use(psm)


def by_command(settings: Settings, folder: Path) -> None:
    given = _arguments(settings)
    options = [text for key in OPTIONS if key in given for text in (OPTIONS[key], given[key])]
    if "config_dict" in given:
        (folder / "config.yaml").write_text(yaml.safe_dump(given["config_dict"]))
        options += ["-c", str(folder / "config.yaml")]
    for command in (["report", "n=1"], ["status", "set", "running"]):
        with redirect_stderr(StringIO()) as said:
            code = main([*command, "-r", "s1", "--pipeline-name", "count", "-q", *options])
        if code:
            (line,) = said.getvalue().splitlines()
            raise MissingConfigDataError(line)


def by_environment(settings: Settings, folder: Path) -> None:
    given = {name: settings[key] for key, name in ENVIRONMENT.items() if key in settings}
    os.environ.update(given)
    rest = {key: value for key, value in settings.items() if key not in ENVIRONMENT}
    try:
        by_manager(rest, folder)
    finally:
        for name in given:
            del os.environ[name]


def by_looper(settings: Settings, folder: Path) -> None:
    """looper-config, and a pipeline that opens what it wrote."""
    section = {key: value for key, value in settings.items() if key in OPTIONS}
    section |= {key: value for key, value in settings.items() if key == "database"}
    schema = section.pop("schema_path", "$PROJ/schema.yaml")
    interface: Settings = {"pipeline_name": "count", "output_schema": schema}
    interface["sample_interface"] = {"command_template": "true"}
    (folder / "interface.yaml").write_text(yaml.safe_dump(interface))
    looper: Settings = {"output_dir": settings.get("output_dir", "out"), "pipestat": section}
    looper["pipeline_interfaces"] = ["interface.yaml"]
    (folder / ".looper.yaml").write_text(yaml.safe_dump(looper))
    (made,) = looper_configs(folder / ".looper.yaml")
    with PipestatManager.from_config(made.settings) as psm:
        _use(psm)


def _arguments(settings: Settings) -> Settings:
    """Return what a call takes: what no argument exists for is in a configuration."""
    arguments = {key: value for key, value in settings.items() if key in OPTIONS}
    rest = {key: value for key, value in settings.items() if key not in OPTIONS}
    return {**arguments, **({"config_dict": rest} if rest else {})}


def _use(psm: PipestatManager) -> None:
    psm.report({"n": 1}, "s1")
    psm.set_status("running", "s1")


ENTRIES = [
    by_manager,
    by_drop_in,
    by_configuration,
    by_mapping,
    by_command,
    by_environment,
    by_looper,
]
each_entry = pytest.mark.parametrize("enter", ENTRIES)


@each_entry
@pytest.mark.parametrize("proj", ["$PROJ", "${PROJ}", "~"])
def test_variables_and_the_home_folder(here: Path, enter: Entry, proj: str) -> None:
    enter(
        {
            "schema_path": f"{proj}/schema.yaml",
            "results_file_path": f"{proj}/r.yaml",
            "flag_file_dir": f"{proj}/flags",
            "output_dir": f"{proj}/out",
        },
        here,
    )
    assert (here / "proj" / "r.yaml").is_file()
    assert (here / "proj" / "flags" / "count_s1_running.flag").exists()
    assert not [path for path in here.rglob("*") if "$" in path.name or "~" in path.name]


@each_entry
@pytest.mark.parametrize("address", ["$PROJ/r.db", "sqlite:///$PROJ/r.db"])
def test_variables_in_addresses(here: Path, enter: Entry, address: str) -> None:
    enter({"results_file_path": address}, here)
    assert (here / "proj" / "r.db").is_file()


SECTIONS: list[Settings] = [
    {"database": {"sqlite_url": "$PROJ/r.db"}},
    {"sql": {"url": "sqlite:///$PROJ/r.db"}},
]


# looper's section has no keys of plugins.
@pytest.mark.parametrize(
    ("enter", "store"),
    [
        (enter, store)
        for enter in ENTRIES
        for store in SECTIONS
        if not (enter is by_looper and "sql" in store)
    ],
)
def test_variables_in_sections(here: Path, enter: Entry, store: Settings) -> None:
    enter({"pipeline_name": "count", "backend": "sql", **store}, here)
    assert (here / "proj" / "r.db").is_file()


STORE = {"results_file_path": "r.yaml", "pipeline_name": "count"}
PATHS = ["schema_path", "status_schema_path", "results_file_path", "flag_file_dir", "output_dir"]


@each_entry
@pytest.mark.parametrize("key", PATHS)
@pytest.mark.parametrize("name", ["$NOT_SET", "${NOT_SET}"])
def test_a_variable_that_is_not_set_is_refused(
    here: Path, enter: Entry, key: str, name: str
) -> None:
    with pytest.raises(MissingConfigDataError, match="environment variable NOT_SET is not set"):
        enter({**STORE, key: f"{name}/x.yaml"}, here)
    assert not [path for path in here.rglob("*") if "NOT_SET" in path.name]


@each_entry
@pytest.mark.parametrize("key", PATHS)
@pytest.mark.parametrize(
    "text", ["{sample_name}", "{record_identifer}", "{}", "{record_identifier}"]
)
def test_other_placeholders_are_refused(here: Path, enter: Entry, key: str, text: str) -> None:
    if (key, text) == ("results_file_path", "{record_identifier}"):
        return
    with pytest.raises(MissingConfigDataError, match=r"\{record_identifier\}"):
        enter({**STORE, key: f"{text}/x.yaml"}, here)
    assert not [path for path in here.rglob("*") if "{" in path.name]


@each_entry
@pytest.mark.parametrize("text", ["{sample_name}.db", "{record_identifier}.db", "sqlite:///{x}.db"])
@pytest.mark.parametrize("key", ["results_file_path", "sqlite_url"])
def test_placeholders_of_a_database_are_refused(
    here: Path, enter: Entry, key: str, text: str
) -> None:
    store = {key: text} if key == "results_file_path" else {"database": {key: text}}
    with pytest.raises(MissingConfigDataError, match=r"\{record_identifier\}"):
        enter({"pipeline_name": "count", **store}, here)
    assert not [path for path in here.rglob("*") if "{" in path.name]


@pytest.mark.parametrize("enter", [by_manager, by_command])
def test_a_dollar_is_written_twice(here: Path, enter: Entry) -> None:
    enter({"results_file_path": "a$$PROJ.yaml"}, here)
    assert (here / "a$PROJ.yaml").is_file()


@pytest.mark.parametrize("name", ["$PROJ/config.yaml", "~/config.yaml"])
def test_the_path_of_the_configuration(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (here / "proj" / "config.yaml").write_text("results_file_path: r.yaml\n")
    assert PipestatManager(config_file=name).file == str(here / "proj" / "r.yaml")
    monkeypatch.setenv("PIPESTAT_CONFIG", name)
    assert PipestatManager().file == str(here / "proj" / "r.yaml")
    with pytest.raises(MissingConfigDataError, match="NOT_SET is not set"):
        PipestatManager(config_file="$NOT_SET/config.yaml")


# A working folder that is not there any more


@pytest.fixture
def gone(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of `here`, with the working folder deleted."""
    monkeypatch.chdir(here)
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    return here


@each_entry
@pytest.mark.parametrize("store", ["r.yaml", "{record_identifier}/r.yaml", "r.db"])
def test_a_deleted_working_folder(gone: Path, enter: Entry, store: str) -> None:
    """Absolute paths need none."""
    proj = gone / "proj"
    settings = {
        "schema_path": str(proj / "schema.yaml"),
        "results_file_path": str(proj / store),
        "flag_file_dir": str(proj / "flags"),
        "output_dir": str(proj / "out"),
    }
    enter(settings, gone)
    assert (proj / store.format(record_identifier="s1")).is_file()


RELATIVE: list[Settings] = [
    {"results_file_path": "r.yaml"},
    {"results_file_path": "r.db"},
    {"results_file_path": "sqlite:///r.db"},
    {"database": {"sqlite_url": "r.db"}, "pipeline_name": "count"},
]


# The command finds a database in a file, to which the path is relative.
@pytest.mark.parametrize(
    ("enter", "settings"),
    [
        (enter, settings)
        for enter in (by_manager, by_drop_in, by_mapping, by_command, by_environment)
        for settings in RELATIVE
        if not (enter is by_command and "database" in settings)
    ],
)
def test_a_relative_path_in_a_deleted_folder(gone: Path, enter: Entry, settings: Settings) -> None:
    with pytest.raises(PipestatError, match="relative to the working folder, which was deleted"):
        enter(settings, gone)


def test_relative_paths_for_looper_in_a_deleted_folder(gone: Path) -> None:
    by_looper({**STORE, "output_dir": str(gone / "out")}, gone)
    config = gone / ".looper.yaml"
    assert (gone / "out" / "count" / "r.yaml").is_file()
    for arguments in (
        {"config": ".looper.yaml"},
        {"config": config, "output_dir": "out"},
        {"config": config, "pipeline_interfaces": ["interface.yaml"]},
    ):
        with pytest.raises(MissingConfigDataError, match="working folder, which was deleted"):
            looper_configs(**arguments)


@pytest.mark.parametrize(
    ("given", "there", "meant"),
    [
        ("results.yml", ["results.db", "results.yaml"], "results.yaml"),
        ("result.yaml", ["results.db", "results.yaml"], "results.yaml"),
        ("reslts.db", ["results.db", "results.yaml"], "results.db"),
        ("results", ["results.yaml", "results.db"], "results.db"),
        ("counts.yaml", ["results.yaml", "results.db"], None),
    ],
)
def test_a_name_that_is_probably_meant(given: str, there: list[str], meant: str | None) -> None:
    """Whatever the order of a folder's files is, the answer is the same."""
    assert nearest_name(given, there) == nearest_name(given, there[::-1]) == meant
