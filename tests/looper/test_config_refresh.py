"""A configuration that is there: what changed is taken over, what was edited by hand stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.engines.looper import Written, looper_configs, write_config
from pipestat_spec.errors import MissingConfigDataError
from tests.looper.projects import STORES, write_project

NAME = "example_pipestat_pipeline"
FILE_STORE = STORES["file"]


class Project:
    """One looper project and the configuration that comes from it."""

    def __init__(self, folder: Path, store: str = FILE_STORE) -> None:
        self.looper = write_project(folder, store)
        self.path = folder / "results" / f"pipestat_config_{NAME}.yaml"

    def write(self, **options: Any) -> Written:
        (config,) = looper_configs(self.looper)
        return write_config(config, **options)

    def change(self, before: str, after: str, path: Path | None = None) -> None:
        """Edit looper's configuration, or another file."""
        path = path or self.looper
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    def edit(self, before: str, after: str) -> None:
        self.change(before, after, self.path)

    @property
    def settings(self) -> dict[str, Any]:
        """The file as another parser reads it."""
        settings = yaml.safe_load(self.path.read_text())
        assert isinstance(settings, dict)
        return settings

    def beside(self) -> list[str]:
        return sorted(os.listdir(self.path.parent))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    assert project.write().action == "written"
    return project


def test_a_second_call_changes_nothing(project: Project) -> None:
    before = project.path.read_bytes()
    assert project.write() == Written(str(project.path), "unchanged")
    assert project.path.read_bytes() == before


def test_what_changes_in_loopers_configuration_is_taken_over(project: Project) -> None:
    project.change("output/results_pipeline", "flags")
    project.change("TEST_PROJECT_NAME", "other")
    done = project.write()
    assert (done.action, done.refreshed) == ("refreshed", ("flag_file_dir", "project_name"))
    assert (done.kept, done.backup) == ((), None)
    assert project.settings["flag_file_dir"] == str(project.looper.parent / "flags")
    assert project.settings["project_name"] == "other"
    assert project.beside() == [project.path.name]


def test_keys_come_and_go(project: Project) -> None:
    project.change("  project_name: TEST_PROJECT_NAME\n", "  validate_results: false\n")
    assert project.write().refreshed == ("project_name", "validate_results")
    assert "project_name" not in project.settings
    assert project.settings["validate_results"] is False


def test_results_that_stay_behind_are_told(project: Project) -> None:
    former = project.settings["results_file_path"]
    project.change("tmp_pipestat_results.yaml", "other.yaml")
    assert project.write().attention == []
    project.change("other.yaml", "third.yaml")
    stored = Path(former).with_name("other.yaml")
    stored.parent.mkdir()
    stored.write_text("")
    assert project.write().attention == [
        f"what is stored in {stored} stays there ('pipestat-spec convert' copies)"
    ]


def test_another_store_replaces_the_first(project: Project) -> None:
    project.change("  results_file_path: tmp_pipestat_results.yaml\n", "  pephub_path: a/b:c\n")
    project.write()
    assert project.settings["pephub_path"] == "a/b:c"
    assert "results_file_path" not in project.settings


def test_an_edit_stays_and_is_reported_as_long_as_it_differs(project: Project) -> None:
    project.edit("TEST_PROJECT_NAME", "mine")
    for _ in range(2):
        done = project.write()
        assert done.action == "unchanged"
        assert done.kept == (
            "project_name stays as it is, edited by hand; "
            "looper's configuration says TEST_PROJECT_NAME (-o takes that)",
        )
    assert project.settings["project_name"] == "mine"


def test_an_edit_stays_while_other_values_are_refreshed(project: Project) -> None:
    project.edit("project_name: TEST_PROJECT_NAME", "# what I want\nproject_name: mine")
    edited = project.path.read_text()
    project.change("output/results_pipeline", "flags")
    done = project.write()
    assert (done.action, done.refreshed) == ("refreshed", ("flag_file_dir",))
    assert len(done.kept) == 1
    assert project.settings["project_name"] == "mine"
    assert project.settings["flag_file_dir"] == str(project.looper.parent / "flags")
    assert done.backup == f"{project.path}.bak"
    assert Path(done.backup).read_text() == edited
    again = project.write()
    assert (again.action, again.backup) == ("unchanged", None)
    project.change("flag_file_dir: flags", "flag_file_dir: flags2")
    assert project.write().backup is None
    assert project.settings["project_name"] == "mine"


def test_an_edit_and_a_change_of_the_same_value(project: Project) -> None:
    project.edit("TEST_PROJECT_NAME", "mine")
    project.change("TEST_PROJECT_NAME", "theirs")
    done = project.write()
    assert done.kept == (
        "project_name stays as it is, edited by hand; "
        "looper's configuration says theirs (-o takes that)",
    )
    assert project.settings["project_name"] == "mine"
    project.change("theirs", "mine")
    assert project.write().kept == ()
    project.change("project_name: mine", "project_name: newer")
    assert project.write().refreshed == ("project_name",)


def test_an_added_key_stays_without_a_word(project: Project) -> None:
    project.edit("project_name:", "force_overwrite: false\nproject_name:")
    assert project.write() == Written(str(project.path), "unchanged")
    project.change("output/results_pipeline", "flags")
    assert project.write().kept == ()
    assert project.settings["force_overwrite"] is False


def test_a_removed_key_stays_away_and_is_reported(project: Project) -> None:
    project.edit("project_name: TEST_PROJECT_NAME\n", "")
    done = project.write()
    assert done.kept == (
        "project_name stays away, edited by hand; "
        "looper's configuration says TEST_PROJECT_NAME (-o takes that)",
    )
    assert "project_name" not in project.settings


def test_an_edited_key_that_looper_no_longer_has(project: Project) -> None:
    project.edit("TEST_PROJECT_NAME", "mine")
    project.change("  project_name: TEST_PROJECT_NAME\n", "")
    assert project.write().kept == (
        "project_name stays as it is, edited by hand; "
        "looper's configuration does not have it (-o takes that)",
    )
    assert project.settings["project_name"] == "mine"


def test_comments_stay_while_nothing_changes_and_go_to_the_backup_later(project: Project) -> None:
    project.edit("project_name:", "# why: see the wiki\nproject_name:")
    assert project.write().action == "unchanged"
    assert "# why: see the wiki" in project.path.read_text()
    project.change("TEST_PROJECT_NAME", "other")
    done = project.write()
    assert done.refreshed == ("project_name",)
    assert done.backup is not None
    assert "# why: see the wiki" in Path(done.backup).read_text()


def test_overwrite_takes_what_looper_says(project: Project) -> None:
    project.edit("TEST_PROJECT_NAME", "mine")
    project.edit("layout: levels\n", "layout: levels\nforce_overwrite: false\n")
    done = project.write(overwrite=True)
    assert (done.refreshed, done.kept) == (("force_overwrite", "project_name"), ())
    assert project.settings["project_name"] == "TEST_PROJECT_NAME"
    assert "force_overwrite" not in project.settings
    assert done.backup is not None
    assert "mine" in Path(done.backup).read_text()


def test_a_dry_run_writes_nothing(project: Project) -> None:
    project.edit("TEST_PROJECT_NAME", "mine")
    project.change("output/results_pipeline", "flags")
    before = project.path.read_bytes()
    done = project.write(dry_run=True)
    assert done.refreshed == ("flag_file_dir",)
    assert len(done.kept) == 1
    assert project.path.read_bytes() == before
    assert project.beside() == [project.path.name]


def test_values_inside_a_mapping_are_told_apart_and_never_shown(tmp_path: Path) -> None:
    project = Project(tmp_path, STORES["postgresql"])
    project.write()
    project.edit("pipestat-password", "my-own-password")
    project.change("127.0.0.1", "db.example.org")
    done = project.write()
    assert done.refreshed == ("database.host",)
    assert done.kept == ("database.password stays as it is, edited by hand (-o takes that)",)
    assert project.settings["database"]["password"] == "my-own-password"
    assert project.settings["database"]["host"] == "db.example.org"
    assert not any("password" in note and "own" in note for note in (*done.done, *done.attention))


def test_a_number_is_not_its_text(tmp_path: Path) -> None:
    project = Project(tmp_path, STORES["postgresql"])
    project.write()
    project.change("port: 5432", 'port: "5432"')
    assert project.write().refreshed == ("database.port",)
    assert project.settings["database"]["port"] == "5432"


# As looper 2.1.1 writes it, one that is behind looper's configuration.
STALE = """\
flag_file_dir: {0}/old_flags
output_dir: {0}/results
pipeline_name: example_pipestat_pipeline
project_name: TEST_PROJECT_NAME
results_file_path: {0}/results/example_pipestat_pipeline/tmp_pipestat_results.yaml
schema_path: {0}/pipeline_pipestat/pipestat_output_schema.yaml
status_schema_path: {0}/status.yaml
"""


def test_loopers_own_file_is_brought_up_to_date_and_kept_beside(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.path.parent.mkdir()
    project.path.write_text(STALE.format(tmp_path))
    done = project.write()
    assert (done.action, done.refreshed) == ("refreshed", ("flag_file_dir", "layout"))
    assert done.backup == f"{project.path}.bak"
    assert Path(done.backup).read_text() == STALE.format(tmp_path)
    assert project.settings == {
        **yaml.safe_load(STALE.format(tmp_path)),
        "flag_file_dir": f"{tmp_path}/output/results_pipeline",
        "layout": "levels",
    }


def test_a_store_that_looper_left_behind_goes(tmp_path: Path) -> None:
    project = Project(tmp_path, STORES["sqlite"])
    project.path.parent.mkdir()
    project.path.write_text(STALE.format(tmp_path))
    project.write()
    assert "results_file_path" not in project.settings
    assert project.settings["database"] == {"sqlite_url": "sqlite:///yourdatabase.sqlite3"}


def test_a_second_store_added_by_hand_is_refused(project: Project) -> None:
    project.edit("project_name:", "database: {sqlite_url: x.db}\nproject_name:")
    before = project.path.read_bytes()
    with pytest.raises(MissingConfigDataError) as info:
        project.write()
    assert str(info.value) == (
        f"{project.path}: results_file_path and database name two stores; keep one of them"
    )
    assert project.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"a: [", b"- a\n- b\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_left_alone(project: Project, content: bytes) -> None:
    project.path.write_bytes(content)
    with pytest.raises(MissingConfigDataError) as info:
        project.write()
    assert str(info.value).startswith(str(project.path))
    assert str(info.value).endswith("remove it to have it made anew")
    assert project.path.read_bytes() == content


def test_an_empty_file_is_filled(project: Project) -> None:
    expected = project.settings
    project.path.write_text("")
    project.write()
    assert project.settings == expected


def test_backups_do_not_replace_each_other(project: Project) -> None:
    for number, name in enumerate(["a", "b", "c"]):
        project.edit("layout: levels", f"layout: levels # note {number}")
        project.change("project_name: ", f"project_name: {name}")
        project.write()
    names = [project.path.name + ending for ending in ("", ".bak", ".bak2", ".bak3")]
    assert project.beside() == sorted(names)


def test_the_mode_of_the_file_stays(project: Project) -> None:
    project.path.chmod(0o600)
    project.edit("TEST_PROJECT_NAME", "mine")
    project.change("output/results_pipeline", "flags")
    done = project.write()
    assert done.backup is not None
    assert project.path.stat().st_mode & 0o777 == 0o600
    assert os.stat(done.backup).st_mode & 0o777 == 0o600
