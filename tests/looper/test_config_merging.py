"""What one pipeline's configuration holds, by the rules that looper's pages give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.engines.looper import looper_configs, merge_section
from pipestat_spec.errors import MissingConfigDataError, PipestatError
from tests.looper.projects import OUTPUT_SCHEMA, STORES, write_looper_config, write_project

NAME = "example_pipestat_pipeline"
COMMAND = {"sample_interface": {"command_template": "true"}}


def merged(section: dict[str, Any], **interface: Any) -> dict[str, Any]:
    content = {"pipeline_name": "p", **COMMAND, **interface}
    made = merge_section(section, "/srv/project/results", "/srv/pipelines/p.yaml", content)
    return dict(made.settings)


def only(path: Path, **arguments: Any) -> dict[str, Any]:
    (config,) = looper_configs(path, **arguments)
    return dict(config.settings)


# What the pages' four configurations become; `{0}` is the folder of looper's configuration.
EXPECTED: dict[str, dict[str, Any]] = {
    "file": {
        "project_name": "TEST_PROJECT_NAME",
        "results_file_path": "{0}/results/example_pipestat_pipeline/tmp_pipestat_results.yaml",
    },
    "postgresql": {
        "database": {
            "dialect": "postgresql",
            "driver": "psycopg2",
            "name": "pipestat-test",
            "user": "postgres",
            "password": "pipestat-password",
            "host": "127.0.0.1",
            "port": 5432,
        },
    },
    "sqlite": {"database": {"sqlite_url": "sqlite:///yourdatabase.sqlite3"}},
    "pephub": {"pephub_path": "databio/pipestat_demo:default"},
}


@pytest.mark.parametrize("store", STORES)
def test_the_four_configurations_of_the_pages(tmp_path: Path, store: str) -> None:
    write_project(tmp_path, STORES[store])
    (config,) = looper_configs(tmp_path / ".looper.yaml")
    assert config.pipeline_name == NAME
    assert config.levels == ("sample",)
    assert config.path == f"{tmp_path}/results/pipestat_config_{NAME}.yaml"
    fill = {
        key: value.format(tmp_path) if isinstance(value, str) else value
        for key, value in EXPECTED[store].items()
    }
    assert config.settings == {
        **fill,
        "flag_file_dir": f"{tmp_path}/output/results_pipeline",
        "output_dir": f"{tmp_path}/results",
        "pipeline_name": NAME,
        "schema_path": f"{tmp_path}/pipeline_pipestat/pipestat_output_schema.yaml",
        "layout": "levels",
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("r.yaml", "/srv/project/results/p/r.yaml"),
        ("sub/r.yaml", "/srv/project/results/p/sub/r.yaml"),
        ("/data/r.yaml", "/data/r.yaml"),
        ("{record_identifier}/stats.yaml", "/srv/project/results/{record_identifier}/stats.yaml"),
        ("/data/{record_identifier}.yaml", "/data/{record_identifier}.yaml"),
        ("s3://bucket/r.yaml", "s3://bucket/r.yaml"),
        ("~/r.yaml", "/home/me/r.yaml"),
        ("${PLACE}/r.yaml", "/scratch/r.yaml"),
        ("$PLACE/r.yaml", "/scratch/r.yaml"),
    ],
)
def test_results_file_path(monkeypatch: pytest.MonkeyPatch, given: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("PLACE", "/scratch")
    assert merged({"results_file_path": given})["results_file_path"] == expected


def test_results_file_path_does_not_depend_on_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    expected = "/srv/project/results/p/sub/r.yaml"
    assert merged({"results_file_path": "sub/r.yaml"})["results_file_path"] == expected


def test_flags_lie_beside_the_output_folder() -> None:
    assert merged({"flag_file_dir": "flags"})["flag_file_dir"] == "/srv/project/flags"
    assert merged({"flag_file_dir": "/var/flags"})["flag_file_dir"] == "/var/flags"
    assert "flag_file_dir" not in merged({})


def test_a_relative_output_folder_is_one_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = {"pipeline_name": "p", **COMMAND}
    section = {"results_file_path": "r.yaml", "flag_file_dir": "flags"}
    made = merge_section(section, "out/results", "/srv/p.yaml", content)
    assert made.path == f"{tmp_path}/out/results/pipestat_config_p.yaml"
    assert made.settings["results_file_path"] == f"{tmp_path}/out/results/p/r.yaml"
    assert made.settings["flag_file_dir"] == f"{tmp_path}/out/flags"


def test_the_schema_is_found_from_the_interface() -> None:
    assert merged({}, output_schema="s.yaml")["schema_path"] == "/srv/pipelines/s.yaml"
    assert merged({}, output_schema="../s.yaml")["schema_path"] == "/srv/pipelines/../s.yaml"
    address = "https://example.org/s.yaml"
    assert merged({}, output_schema=address)["schema_path"] == address


def test_the_section_passes_through_and_stays_as_it_was() -> None:
    section = {"database": {"name": "x", "password": "${PGPASSWORD}"}, "validate_results": False}
    made = merged(section, output_schema="s.yaml")
    assert made["database"] == {"name": "x", "password": "${PGPASSWORD}"}
    assert made["validate_results"] is False
    made["database"]["name"] = "changed"
    assert section == {
        "database": {"name": "x", "password": "${PGPASSWORD}"},
        "validate_results": False,
    }


def test_the_name_of_the_interface_beats_that_of_the_section() -> None:
    assert merged({"pipeline_name": "other"})["pipeline_name"] == "p"


def test_a_layout_that_the_user_chose_stays() -> None:
    assert merged({"layout": "records"})["layout"] == "records"


def test_no_section_leaks_into_another_pipeline(tmp_path: Path) -> None:
    write_project(tmp_path, STORES["file"])
    other = tmp_path / "other" / "interface.yaml"
    other.parent.mkdir()
    other.write_text("pipeline_name: other\noutput_schema: schema.yaml\ncommand_template: run it\n")
    (other.parent / "schema.yaml").write_text(OUTPUT_SCHEMA.format(name="other"))
    write_looper_config(
        tmp_path, STORES["file"], ("pipeline_interface.yaml", "other/interface.yaml")
    )
    first, second = looper_configs(tmp_path / ".looper.yaml")
    assert first.settings["results_file_path"] == (
        f"{tmp_path}/results/{NAME}/tmp_pipestat_results.yaml"
    )
    assert second.settings["results_file_path"] == (
        f"{tmp_path}/results/other/tmp_pipestat_results.yaml"
    )
    assert first.settings["schema_path"].endswith("pipeline_pipestat/pipestat_output_schema.yaml")
    assert second.settings["schema_path"] == f"{tmp_path}/other/schema.yaml"


@pytest.mark.parametrize(
    ("interface", "levels"),
    [
        ({"sample_interface": {"command_template": "x"}}, ("sample",)),
        ({"project_interface": {"command_template": "x"}}, ("project",)),
        (
            {
                "sample_interface": {"command_template": "x"},
                "project_interface": {"command_template": "x"},
            },
            ("sample", "project"),
        ),
        ({"command_template": "x"}, ("sample",)),
        ({"command_template": "x", "pipeline_type": "project"}, ("project",)),
    ],
)
def test_both_forms_of_an_interface(interface: dict[str, Any], levels: tuple[str, ...]) -> None:
    made = merge_section({}, "/out", "/p.yaml", {"pipeline_name": "p", **interface})
    assert made.levels == levels


def test_interfaces_by_level_as_in_older_configurations(tmp_path: Path) -> None:
    path = write_project(tmp_path, "  project_name: demo\n  results_file_path: r.yaml\n")
    (tmp_path / "summary.yaml").write_text(
        "pipeline_name: summary\noutput_schema: s.yaml\ncommand_template: summarize\n"
    )
    (tmp_path / "s.yaml").write_text("pipeline_name: summary\nproject: {n: {type: integer}}\n")
    text = path.read_text().replace(
        "  - pipeline_interface.yaml\n",
        "  sample: pipeline_interface.yaml\n  project: [summary.yaml]\n",
    )
    path.write_text(text)
    configs = looper_configs(path)
    assert [(c.pipeline_name, c.levels) for c in configs] == [
        (NAME, ("sample",)),
        ("summary", ("project",)),
    ]


def test_the_configuration_is_found_above_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, STORES["file"])
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    (config,) = looper_configs()
    assert config.settings["output_dir"] == f"{tmp_path}/results"


def test_interface_and_folder_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_project(tmp_path, STORES["file"])
    path.write_text(path.read_text().replace("pipeline_interface.yaml", "nowhere.yaml"))
    monkeypatch.chdir(tmp_path)
    settings = only(
        path, pipeline_interfaces=["pipeline_interface.yaml"], output_dir="elsewhere/out"
    )
    assert settings["results_file_path"] == (
        f"{tmp_path}/elsewhere/out/{NAME}/tmp_pipestat_results.yaml"
    )
    assert settings["flag_file_dir"] == f"{tmp_path}/elsewhere/output/results_pipeline"


def test_template_variables_are_those_of_looper(tmp_path: Path) -> None:
    path = write_project(tmp_path, STORES["file"])
    (config,) = looper_configs(path)
    assert config.template_variables() == {
        "config_file": f"{tmp_path}/results/pipestat_config_{NAME}.yaml",
        "results_file": f"{tmp_path}/results/{NAME}/tmp_pipestat_results.yaml",
        "output_schema": f"{tmp_path}/pipeline_pipestat/pipestat_output_schema.yaml",
        "flag_file_dir": f"{tmp_path}/output/results_pipeline",
    }
    assert config.template_variables("frog_1")["record_identifier"] == "frog_1"


def test_template_variables_of_a_file_for_each_record() -> None:
    section = {"results_file_path": "{record_identifier}/stats.yaml"}
    made = merge_section(section, "/out", "/p.yaml", {"pipeline_name": "p", **COMMAND})
    assert made.template_variables()["results_file"] == "/out/{record_identifier}/stats.yaml"
    assert made.template_variables("a b")["results_file"] == "/out/a b/stats.yaml"
    assert made.template_variables("a/b")["results_file"] == "/out/a%2Fb/stats.yaml"


def test_template_variables_of_pephub_and_of_a_project_pipeline() -> None:
    interface = {"pipeline_name": "p", "project_interface": {"command_template": "x"}}
    section = {"pephub_path": "databio/demo:default", "project_name": "demo"}
    assert merge_section(section, "/out", "/p.yaml", interface).template_variables() == {
        "config_file": "/out/pipestat_config_p.yaml",
        "pephub_path": "databio/demo:default",
        "record_identifier": "demo",
    }


SAMPLE_ONLY = "sample_interface: {command_template: x}\n"
# What is wrong, the file to change, its text before and after, and what the error says.
FAULTS = {
    "missing output schema": (
        "pipeline_interface.yaml",
        "output_schema: pipeline_pipestat/pipestat_output_schema.yaml\n",
        "",
        "{0}/pipeline_interface.yaml: output_schema is missing; "
        "give the path of the pipeline's output schema",
    ),
    "no such output schema": (
        "pipeline_interface.yaml",
        "pipestat_output_schema.yaml",
        "gone.yaml",
        "schema {0}/pipeline_pipestat/gone.yaml: there is no such file; ",
    ),
    "missing name": (
        "pipeline_interface.yaml",
        f"pipeline_name: {NAME}\n",
        "",
        "{0}/pipeline_interface.yaml: pipeline_name is missing; "
        "the results of a pipeline are stored under its name",
    ),
    "a name that leaves the folder": (
        "pipeline_interface.yaml",
        f"pipeline_name: {NAME}\n",
        "pipeline_name: ../../p\n",
        "{0}/pipeline_interface.yaml: pipeline_name: ../../p cannot be a part of a file name; "
        "give a string without '/'",
    ),
    "no command": (
        "pipeline_interface.yaml",
        "sample_interface",
        "something",
        "{0}/pipeline_interface.yaml: there is no command_template; "
        "give one under sample_interface or project_interface",
    ),
    "two stores": (
        ".looper.yaml",
        "  results_file_path:",
        "  database: {sqlite_url: x.db}\n  results_file_path:",
        "{0}/.looper.yaml: pipestat: results_file_path and database name two stores; "
        "keep one of them",
    ),
    "no store": (
        ".looper.yaml",
        "  results_file_path: tmp_pipestat_results.yaml\n",
        "",
        "{0}/.looper.yaml: pipestat: no store is named; "
        "give one of results_file_path, pephub_path, database",
    ),
    "a misspelt key": (
        ".looper.yaml",
        "results_file_path",
        "results_file_pat",
        "{0}/.looper.yaml: pipestat: unknown key 'results_file_pat'; "
        "did you mean 'results_file_path'?",
    ),
    "no section": (
        ".looper.yaml",
        "pipestat:\n",
        "pipestats:\n",
        "{0}/.looper.yaml: the section 'pipestat' is missing; "
        "give it results_file_path, database or pephub_path",
    ),
    "no output folder": (
        ".looper.yaml",
        "output_dir: results\n",
        "",
        "{0}/.looper.yaml: output_dir is missing; "
        "the configuration is written there; add it, or give --output-dir",
    ),
    "no interfaces": (
        ".looper.yaml",
        "pipeline_interfaces:\n  - pipeline_interface.yaml\n",
        "",
        "{0}/.looper.yaml: pipeline_interfaces is missing; add it, or give --pipeline-interface",
    ),
    "no such interface": (
        ".looper.yaml",
        "pipeline_interface.yaml",
        "pipeline_interfaces.yaml",
        "there is no pipeline interface {0}/pipeline_interfaces.yaml; "
        "did you mean pipeline_interface.yaml?",
    ),
    "a variable that is not set": (
        ".looper.yaml",
        "tmp_pipestat_results.yaml",
        "${NOT_SET_ANYWHERE}/r.yaml",
        "results_file_path: the environment variable NOT_SET_ANYWHERE is not set; "
        "export NOT_SET_ANYWHERE=... or write the path itself",
    ),
    "not YAML": (".looper.yaml", "output_dir: results", "output_dir: [", "{0}/.looper.yaml: line "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, fault: str) -> None:
    path = write_project(tmp_path, STORES["file"])
    file, before, after, message = FAULTS[fault]
    text = (tmp_path / file).read_text()
    assert before in text
    (tmp_path / file).write_text(text.replace(before, after))
    with pytest.raises(PipestatError) as info:
        looper_configs(path)
    assert str(info.value).startswith(message.format(tmp_path))
    assert "\n" not in str(info.value)
    assert not (tmp_path / "results").exists()


def test_a_project_without_a_name_is_called_project(tmp_path: Path) -> None:
    path = write_project(tmp_path, "  results_file_path: r.yaml\n")
    interface = tmp_path / "pipeline_interface.yaml"
    interface.write_text(interface.read_text().replace("sample_interface", "project_interface"))
    (config,) = looper_configs(path)
    assert "project_name" not in config.settings
    assert config.template_variables()["record_identifier"] == "project"


def test_an_interface_without_schema_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_project(tmp_path, STORES["file"])
    other = tmp_path / "other.yaml"
    other.write_text("pipeline_name: other\n" + SAMPLE_ONLY)
    write_looper_config(tmp_path, STORES["file"], ("other.yaml", "pipeline_interface.yaml"))
    (config,) = looper_configs(path)
    assert config.pipeline_name == NAME
    assert [record.getMessage() for record in caplog.records] == [
        f"{other} is left out: it has no output_schema"
    ]


def test_two_interfaces_of_one_name_that_differ(tmp_path: Path) -> None:
    path = write_project(tmp_path, STORES["file"])
    other = tmp_path / "other.yaml"
    other.write_text((tmp_path / "pipeline_interface.yaml").read_text())
    write_looper_config(tmp_path, STORES["file"], ("pipeline_interface.yaml", "other.yaml"))
    assert len(looper_configs(path)) == 1
    schema = tmp_path / "schema.yaml"
    schema.write_text(OUTPUT_SCHEMA.format(name=NAME))
    text = other.read_text().replace("pipeline_pipestat/pipestat_output_schema", "schema")
    other.write_text(text)
    with pytest.raises(MissingConfigDataError, match=r"have one pipeline_name, .* and differ"):
        looper_configs(path)


def test_no_configuration_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingConfigDataError) as info:
        looper_configs()
    assert str(info.value) == (
        f"there is no .looper.yaml in {tmp_path} or a folder above it; "
        "name looper's configuration file (-c)"
    )


def test_a_repr_shows_no_password(tmp_path: Path) -> None:
    (config,) = looper_configs(write_project(tmp_path, STORES["postgresql"]))
    assert "pipestat-password" not in repr(config)
    assert "pipestat-password" not in repr(config.template_variables())


def test_names_that_differ_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_project(tmp_path, STORES["file"])
    interface = tmp_path / "pipeline_interface.yaml"
    interface.write_text(
        interface.read_text().replace(f"pipeline_name: {NAME}", "pipeline_name: q")
    )
    (config,) = looper_configs(path)
    assert config.pipeline_name == "q"
    assert [record.getMessage() for record in caplog.records] == [
        f"{interface} calls the pipeline 'q', its output schema '{NAME}': "
        "results are stored under the first"
    ]
