"""Where a configuration says the database is (PS-CFG-002, PS-CFG-009, PS-CFG-010)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import MissingConfigDataError


@pytest.mark.parametrize(
    "section",
    [
        "database: {{sqlite_url: sub/r.db}}",
        "database: {{sqlite_url: 'sqlite:///sub/r.db'}}",
        "database: {{sqlite_url: '{folder}/sub/r.db'}}",
        "database: {{sqlite_url: 'sqlite:///{folder}/sub/r.db'}}",
        "backend: sql\nsql: {{url: 'sqlite:///sub/r.db'}}",
        "backend: sql\nsql: {{url: 'sqlite:///${{SUB}}/r.db'}}\noutput_dir: elsewhere",
    ],
)
def test_sqlite_paths(tmp_path: Path, section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUB", "sub")
    folder = tmp_path / "configs"
    (folder / "sub").mkdir(parents=True)
    config = folder / "config.yaml"
    config.write_text("pipeline_name: demo\n" + section.format(folder=folder) + "\n")
    with PipestatManager(config_file=config) as psm:
        psm.report({"n": 1}, "s1")
        assert psm.db_url == f"sqlite:///{folder}/sub/r.db"
        assert psm.file is None
    connection = sqlite3.connect(folder / "sub" / "r.db")
    assert connection.execute("select record_identifier from demo").fetchall() == [("s1",)]
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_the_only_namespace_is_found(tmp_path: Path) -> None:
    config = {"database": {"sqlite_url": str(tmp_path / "r.db")}}
    for name in ("demo", "other"):
        for layout in ("levels",) if name == "demo" else ("records",):
            if name == "other":
                with PipestatManager(config_dict=config) as psm:
                    assert psm.pipeline_name == "demo"
            with PipestatManager(config_dict={**config, "layout": layout}, pipeline_name=name) as p:
                p.report({"n": 1}, "s1")
    with pytest.raises(MissingConfigDataError, match="several namespaces: demo, other"):
        PipestatManager(config_dict=config)


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "sqlite://host/path"])
def test_what_is_no_file(text: str) -> None:
    with pytest.raises(MissingConfigDataError, match="the path of a SQLite file is missing"):
        PipestatManager(config_dict={"database": {"sqlite_url": text}, "pipeline_name": "demo"})
