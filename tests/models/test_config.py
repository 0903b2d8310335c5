"""Configuration: keys, precedence, expansion (spec/configuration.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec.configuration import load_config_document, merge_config, parse_config
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.config import Config


def test_paths_refer_to_the_file(tmp_path: Path) -> None:
    document = {
        "results_file_path": "out/r.yaml",
        "flag_file_dir": "../flags",
        "schema_path": "https://example.org/schema.yaml",
        "output_dir": "/abs/dir",
    }
    config = parse_config(document, tmp_path / "conf" / "c.yaml")
    assert config.values == {
        "results_file_path": str(tmp_path / "conf/out/r.yaml"),
        "flag_file_dir": str(tmp_path / "flags"),
        "schema_path": "https://example.org/schema.yaml",
        "output_dir": "/abs/dir",
    }


def test_variables_are_expanded_everywhere(tmp_path: Path) -> None:
    document = {
        "results_file_path": "${RUN}/r.yaml",
        "database": {"password": "${SECRET}-x", "user": "$RUN", "host": "$NO", "port": 5432},
        "project_name": "$RUN costs $${RUN}",
    }
    config = parse_config(document, tmp_path / "c.yaml", environment={"RUN": "run7", "SECRET": "s"})
    assert config.values["results_file_path"] == str(tmp_path / "run7/r.yaml")
    assert config.values["database"] == {
        "password": "s-x",
        "user": "run7",
        "host": "$NO",
        "port": 5432,
    }
    assert config.values["project_name"] == "$RUN costs ${RUN}"


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingConfigDataError, match=r"database\.password.*PGPASS.*not set"):
        parse_config({"database": {"password": "${PGPASS}"}}, environment={})


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        MissingConfigDataError, match="'result_file_path'; did you mean 'results_file_path'"
    ):
        parse_config({"result_file_path": "r.yaml"})


def test_the_keys_of_a_looper_section_pass() -> None:
    assert parse_config({"pep_config": "x.yaml", "pipeline_name": "p"}).values == {
        "pipeline_name": "p"
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pipeline_type", "samples"),
        ("layout", "flat"),
        ("validate_results", "maybe"),
        ("database", "postgresql://"),
        ("results_file_path", 3),
        ("pipeline_name", ["a"]),
        ("history_limit", -1),
        ("history_limit", "ten"),
        ("history_limit", "-1"),
        ("history_limit", "²"),
        ("history_limit", 1.0),
        ("history_limit", True),
        ("history_limit", ""),
        ("history_limit", [1]),
        ("history_limit", 10**30),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object) -> None:
    with pytest.raises(MissingConfigDataError) as caught:
        parse_config({key: value})
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arguments_beat_the_file_and_the_file_beats_the_environment() -> None:
    environment = {
        "PIPESTAT_PIPELINE_NAME": "env",
        "PIPESTAT_PROJECT_NAME": "env",
        "PIPESTAT_RECORD_IDENTIFIER": "env",
    }
    config = Config({"pipeline_name": "file", "project_name": "file"})
    merged = merge_config({"pipeline_name": "argument", "project_name": None}, config, environment)
    assert merged.values == {
        "pipeline_name": "argument",
        "project_name": "file",
        "record_identifier": "env",
    }


def test_a_count_may_be_digits() -> None:
    assert parse_config({"history_limit": 0}).get("history_limit", 7) == 0
    assert parse_config({"history_limit": "12"}).get("history_limit") == 12
    environment = {"PIPESTAT_HISTORY_LIMIT": "3"}
    assert merge_config({}, Config(), environment).get("history_limit") == 3
    assert merge_config({"history_limit": 0}, Config(), environment).get("history_limit") == 0


def test_the_sample_name_variable_names_the_record() -> None:
    merged = merge_config({}, Config(), {"PIPESTAT_SAMPLE_NAME": "s1"})
    assert merged.get("record_identifier") == "s1"


def test_a_configuration_does_not_show_its_values() -> None:
    config = parse_config(
        {"database": {"password": "hunter2"}, "mydb": {"token": "t0ken"}}, backends=["mydb"]
    )
    assert "hunter2" not in repr(config)
    assert "t0ken" not in repr(config)
    assert config.sections == {"mydb": {"token": "t0ken"}}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c.json", '{"backend": "yaml", "backend": "sql"}', "the key 'backend' stands twice"),
        ("c.yaml", "backend: yaml\nbackend: sql", "line 2, column 1: key 'backend' stands twice"),
        ("c.yaml", "a: ]", "line 1, column 4: not valid YAML: "),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, text: str, problem: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(MissingConfigDataError) as caught:
        load_config_document(path, "no such configuration")
    assert str(caught.value).startswith(f"{path}: {problem}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingConfigDataError, match=r"^no such configuration; the current folder"):
        load_config_document(tmp_path / "c.yaml", "no such configuration")
    with pytest.raises(MissingConfigDataError, match="cannot be read: it is a folder, not a file"):
        load_config_document(tmp_path, "no such configuration")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$RUN/r.yaml", "run7/r.yaml"),
        ("${RUN}/$RUN.yaml", "run7/run7.yaml"),
        ("a$$RUN/r.yaml", "a$RUN/r.yaml"),
        ("a$${RUN}/r.yaml", "a${RUN}/r.yaml"),
        ("a$/1$2.yaml", "a$/1$2.yaml"),
    ],
)
@pytest.mark.parametrize("key", ["results_file_path", "flag_file_dir", "schema_path"])
def test_variables_in_paths(tmp_path: Path, key: str, text: str, path: str) -> None:
    config = parse_config({key: text}, tmp_path / "c.yaml", environment={"RUN": "run7"})
    assert config.values[key] == str(tmp_path / path)


@pytest.mark.parametrize(
    "document",
    [
        {"results_file_path": "$NO/r.yaml"},
        {"output_dir": "${NO}"},
        {"database": {"sqlite_url": "$NO/r.db"}},
        {"results_file_path": "postgresql://u:p@h/$NO"},
    ],
)
def test_a_missing_variable_in_a_path_is_named(document: dict[str, object]) -> None:
    with pytest.raises(MissingConfigDataError, match=r"the environment variable NO is not set"):
        parse_config(document, environment={})


def test_a_dollar_in_a_password_stands_for_itself() -> None:
    address = "postgresql://$USER:pa$word@h/$DB"
    config = parse_config({"results_file_path": address}, environment={"USER": "me", "DB": "d"})
    assert config.values["results_file_path"] == "postgresql://me:pa$word@h/d"
