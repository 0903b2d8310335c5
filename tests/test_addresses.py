"""A store in one word: what an address means, against which folder, and beside other settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.configuration import merge_config, parse_config
from pipestat_spec.errors import MissingConfigDataError, PipestatError
from pipestat_spec.models.config import Config
from pipestat_spec.plugins.loading import plugins


def merged(
    arguments: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    is_found: bool = False,
) -> Config:
    """Return the settings of a configuration in `/conf`, of arguments and of an environment."""
    backends = plugins().backends
    parsed = parse_config(config or {}, Path("/conf/c.yaml"), backends=backends, environment={})
    parsed = parsed._replace(is_found=is_found)
    return merge_config(arguments or {}, parsed, environment or {}, backends=backends)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def store_of(config: Config) -> dict[str, Any]:
    """Return what names the store, with the section of its backend."""
    keys = ("backend", "results_file_path", "pephub_path", "database")
    values = {key: config.values[key] for key in keys if key in config.values}
    return {**values, **{f"{name}:": dict(found) for name, found in config.sections.items()}}


def against(folder: object, store: Any) -> Any:
    """Return what is expected with HERE replaced by a folder."""
    if isinstance(store, dict):
        return {key: against(folder, value) for key, value in store.items()}
    return store.replace("HERE", str(folder))


@pytest.mark.parametrize(
    ("address", "store"),
    [
        ("r.yaml", {"results_file_path": "HERE/r.yaml"}),
        ("each/{record_identifier}", {"results_file_path": "HERE/each/{record_identifier}"}),
        ("s3://bucket/r.yaml", {"results_file_path": "s3://bucket/r.yaml"}),
        ("simplecache::s3://b/r.yaml", {"results_file_path": "simplecache::s3://b/r.yaml"}),
        ("r.db", {"backend": "sql", "sql:": {"url": "HERE/r.db"}}),
        ("sub/r.SQLite", {"backend": "sql", "sql:": {"url": "HERE/sub/r.SQLite"}}),
        ("/abs/r.sqlite3", {"backend": "sql", "sql:": {"url": "/abs/r.sqlite3"}}),
        ("sqlite:///sub/r", {"backend": "sql", "sql:": {"url": "HERE/sub/r"}}),
        ("sqlite:////abs/r", {"backend": "sql", "sql:": {"url": "/abs/r"}}),
        ("postgresql://u@h/d", {"backend": "sql", "sql:": {"url": "postgresql://u@h/d"}}),
        ("postgres://h/d.csv", {"backend": "sql", "sql:": {"url": "postgres://h/d.csv"}}),
        (
            "postgresql+psycopg://u:p@h:1/d",
            {"backend": "sql", "sql:": {"url": "postgresql+psycopg://u:p@h:1/d"}},
        ),
        ("pephub:lab/rnaseq:t", {"backend": "pephub", "pephub_path": "lab/rnaseq:t"}),
        ("pephub:lab/rnaseq", {"backend": "pephub", "pephub_path": "lab/rnaseq"}),
    ],
)
def test_what_an_address_means(here: Path, address: str, store: dict[str, Any]) -> None:
    assert store_of(merged({"results_file_path": address})) == against(here, store)
    assert store_of(merged({}, {}, {"PIPESTAT_RESULTS_FILE": address})) == against(here, store)
    assert store_of(merged({}, {"results_file_path": address})) == against("/conf", store)


@pytest.mark.parametrize(
    ("arguments", "config", "environment", "store"),
    [
        # The strongest source names the store as a whole.
        ("/a.db", {"database": {"name": "x"}}, None, {"backend": "sql", "sql:": {"url": "/a.db"}}),
        ("/a.yaml", {"database": {"name": "x"}}, None, {"results_file_path": "/a.yaml"}),
        ("/a.yaml", {"pephub_path": "n/p"}, None, {"results_file_path": "/a.yaml"}),
        (None, {"pephub_path": "n/p"}, "/a.yaml", {"pephub_path": "n/p"}),
        (None, {"database": {"name": "x"}}, "/a.db", {"database": {"name": "x"}}),
        ("/a.yaml", {}, "/b.db", {"results_file_path": "/a.yaml"}),
        # Of several in one source the first decides, whatever it stands for.
        (
            None,
            {"results_file_path": "/a.db", "database": {"name": "x"}},
            None,
            {"backend": "sql", "sql:": {"url": "/a.db"}},
        ),
        (
            None,
            {"results_file_path": "/a.db", "sql": {"url": "sqlite:////b", "pool_size": 2}},
            None,
            {"backend": "sql", "sql:": {"url": "/a.db", "pool_size": 2}},
        ),
        # A backend by name is as strong as its source.
        (
            "/a.yaml",
            {"backend": "sql", "sql": {"url": "sqlite:////b"}},
            None,
            {"results_file_path": "/a.yaml", "sql:": {"url": "sqlite:////b"}},
        ),
        (
            "/a.db",
            {"backend": "sql", "sql": {"url": "sqlite:////b", "pool_size": 2}},
            None,
            {"backend": "sql", "sql:": {"url": "/a.db", "pool_size": 2}},
        ),
        (
            None,
            {"backend": "sql", "sql": {"url": "sqlite:////b"}},
            "/a.db",
            {"backend": "sql", "sql:": {"url": "sqlite:////b"}},
        ),
        (
            None,
            {"backend": "sql", "sql": {"pool_size": 2}},
            "/a.db",
            {"backend": "sql", "sql:": {"url": "/a.db", "pool_size": 2}},
        ),
        (
            None,
            {"sql": {"url": "sqlite:////b", "pool_size": 2}},
            "/a.db",
            {"backend": "sql", "sql:": {"url": "/a.db", "pool_size": 2}},
        ),
        # Who names a backend means its files.
        (
            None,
            {"backend": "yaml", "results_file_path": "/a.db"},
            None,
            {"backend": "yaml", "results_file_path": "/a.db"},
        ),
        (
            None,
            {"backend": "yaml", "results_file_path": "/run:1.csv"},
            None,
            {"backend": "yaml", "results_file_path": "/run:1.csv"},
        ),
    ],
)
def test_beside_other_settings(
    arguments: str | None,
    config: dict[str, Any],
    environment: str | None,
    store: dict[str, Any],
) -> None:
    exported = {"PIPESTAT_RESULTS_FILE": environment or ""}
    assert store_of(merged({"results_file_path": arguments}, config, exported)) == store


def test_a_found_configuration_is_the_weakest() -> None:
    config = {"backend": "sql", "sql": {"url": "sqlite:////b"}, "project_name": "found"}
    exported = {"PIPESTAT_RESULTS_FILE": "/a.yaml", "PIPESTAT_PROJECT_NAME": "exported"}
    assert store_of(merged({}, config, exported))["backend"] == "sql"
    found = merged({}, config, exported, is_found=True)
    assert found.get("results_file_path") == "/a.yaml"
    assert found.get("backend") is None
    assert found.get("project_name") == "exported"
    assert (found.store_from, found.is_found) == ("environment", True)
    address = merged({}, config, {"PIPESTAT_RESULTS_FILE": "/a.db"}, is_found=True)
    assert store_of(address) == {"backend": "sql", "sql:": {"url": "/a.db"}}


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("r.csv", r"results are not stored as \.csv; .*'pipestat-spec table -o r\.csv'"),
        ("out/R.TSV", r"not stored as \.tsv; .*'pipestat-spec table -o R\.TSV'"),
        ("r.xlsx", "pipestat-spec table -o"),
        ("r.parquet", "pipestat-spec table -o"),
        ("r.html", "pipestat-spec summarize"),
        ("s3://bucket/r.csv", "s3://bucket/r.csv: results are not stored as"),
        ("s3://bucket/r.db", "a database is a file of this machine"),
        ("s1.pipestat.json", "pipestat-spec ingest s1.pipestat.json"),
        ("nosuch:x", "no installed plugin takes addresses that begin with 'nosuch:'.* ./nosuch:x"),
        ("each/{sample_name}.yaml", r"the placeholder \{sample_name\} is unknown; \{record_iden"),
        ("each/{}.yaml", r"placeholder \{\} is unknown"),
        ("each/{record_identifier}.db", r"\{record_identifier\} is for files"),
        ("pephub:lab/{record_identifier}", r"\{record_identifier\} is for files"),
        ("mysql://u:secret@h/d", "dialect 'mysql' are not supported; use postgresql or sqlite"),
        ("sqlite:x.db", "is not a database URL"),
        ("postgres:x.db", "is not a database URL"),
        ("sqlite://host?x", "the path of a SQLite file is missing"),
        ("pephub:lab", "names no project"),
    ],
)
def test_what_is_refused(here: Path, address: str, problem: str) -> None:
    with pytest.raises(MissingConfigDataError, match=problem) as caught:
        PipestatManager(results_file_path=address, pipeline_name="p")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(here.iterdir())


def test_a_file_of_such_a_name(here: Path) -> None:
    PipestatManager(results_file_path="./run:1.yaml", pipeline_name="p").report({"n": 1}, "s1")
    assert (here / "run:1.yaml").exists()


@pytest.mark.parametrize("key", ["flag_file_dir", "schema_path", "output_dir"])
def test_placeholders_elsewhere(key: str) -> None:
    with pytest.raises(MissingConfigDataError, match=rf"{key}: \{{record_identifier\}} stands for"):
        parse_config({key: "x/{record_identifier}"})


def test_sqlite_by_its_path(here: Path) -> None:
    (here / "conf").mkdir()
    config = here / "conf" / "c.yaml"
    config.write_text("results_file_path: r.db\npipeline_name: rnaseq\n")
    with PipestatManager(config_file=config) as psm:
        psm.report({"n": 1}, "s1")
        assert psm.db_url == f"sqlite:///{here}/conf/r.db"
    with PipestatManager(results_file_path="sqlite:///conf/r.db") as psm:
        assert psm.pipeline_name == "rnaseq"
        assert psm.retrieve_one("s1", "n") == 1
    with PipestatManager(results_file_path="own?.db", config_file=config) as psm:
        psm.report({"n": 2}, "s1")
    connection = sqlite3.connect(here / "own?.db")
    assert connection.execute("select record_identifier from rnaseq").fetchall() == [("s1",)]
    connection.close()


def test_no_password_shows(here: Path) -> None:
    address = "postgresql://user:hunter2@localhost:1/results.csv"
    config = merged({"results_file_path": address})
    assert "hunter2" not in repr(config)
    for place in (address, "s3://key:hunter2@bucket/r.csv", "postgresql://u:hunter2{x}@h/{y}"):
        with pytest.raises(PipestatError) as caught:
            PipestatManager(results_file_path=place, pipeline_name="p")
        assert "hunter2" not in f"{caught.value} {caught.value!r}"
