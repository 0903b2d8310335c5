"""looper 2.1.1 on the drop-in: its commands, its configurations, and what it reads of managers."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.compat.programs import Done, drop_in, flags, run, stored
from tests.compat.project import SAMPLES, write_project, write_section
from tests.environments import PythonEnvironment

SECTION = {
    "results_file_path": "results.yaml",
    "flag_file_dir": "output/flags",
    "project_name": "pond",
}
COUNTED = {"project": {}, "sample": {name: {"lines": n} for name, n in SAMPLES.items()}}


class Project(NamedTuple):
    """A project with a way to run looper in it: on the drop-in, or on pipestat 0.13.1."""

    folder: Path
    environment: PythonEnvironment
    through: bool

    def looper(self, *arguments: str, code: int = 0) -> Done:
        if self.through:
            return drop_in(self.environment, "looper", *arguments, cwd=self.folder, code=code)
        return run(self.environment, "looper", *arguments, cwd=self.folder, code=code)

    def records(self, pipeline: str, file: str = "results.yaml") -> Any:
        return stored(self.folder / "output" / pipeline / file)[pipeline]

    @property
    def flags(self) -> dict[str, str]:
        return flags(self.folder / "output" / "flags")

    def config(self, pipeline: str) -> Any:
        path = self.folder / "output" / f"pipestat_config_{pipeline}.yaml"
        return yaml.safe_load(path.read_text())


def after_runs(project: Project) -> Project:
    """Run the samples, one of them damaged, and the project."""
    write_project(project.folder, **SECTION)
    (project.folder / "data" / "newt.txt").write_text("damaged\n")
    # Once without a fork: the command as a user starts it.
    project._replace(environment=replace(project.environment, forks={})).looper("run")
    project.looper("runp")
    return project


@pytest.fixture(scope="module")
def on_pipestat(looper: PythonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that ran on pipestat 0.13.1."""
    return after_runs(Project(tmp_path_factory.mktemp("pipestat") / "pond", looper, False))


@pytest.fixture(scope="module")
def on_drop_in(looper: PythonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same project after it ran on the drop-in."""
    return after_runs(Project(tmp_path_factory.mktemp("drop_in") / "pond", looper, True))


@pytest.fixture(params=["on_pipestat", "on_drop_in"])
def ran(request: pytest.FixtureRequest) -> Project:
    """Either of them."""
    project: Project = request.getfixturevalue(request.param)
    return project


def shares_of(output: str, pipeline: str) -> dict[str, str]:
    """Return the rows of the table that `looper check` prints, status to share."""
    assert f"'{pipeline}' pipeline status summary" in output
    return dict(re.findall(r"│\s+(\w+)\s+│\s+(\d+/\d+)\s+│", output))


# Commands, with the same answers from both


def test_run_and_runp_store_results_and_statuses(ran: Project) -> None:
    counted = {name: {"lines": n} for name, n in SAMPLES.items() if name != "newt"}
    if ran.through:
        # A status makes a record; in pipestat it is a flag alone.
        counted["newt"] = {}
    assert ran.records("count") == {"project": {}, "sample": counted}
    assert ran.records("total") == {"project": {"pond": {"total": 6}}, "sample": {}}
    assert ran.flags == {
        "count_frog_completed.flag": "completed",
        "count_newt_failed.flag": "failed",
        "count_toad_completed.flag": "completed",
        "total_pond_completed.flag": "completed",
    }


def test_the_configurations_are_looper_s(ran: Project) -> None:
    output = ran.folder / "output"
    for name in ("count", "total"):
        config = ran.config(name)
        assert config.pop("layout", None) == ("levels" if ran.through else None)
        assert config == {
            "flag_file_dir": str(output / "flags"),
            "output_dir": str(output),
            "pipeline_name": name,
            "project_name": "pond",
            "results_file_path": str(output / name / "results.yaml"),
            "schema_path": str(ran.folder / "pipelines" / f"{name}_schema.yaml"),
        }


def test_check_shows_the_statuses(ran: Project) -> None:
    assert shares_of(ran.looper("check").stdout, "count") == {
        "completed": "2/3",
        "failed": "1/3",
    }
    described = ran.looper("check", "--describe-codes").stdout
    # Broken into lines, in a table.
    words = re.findall(r"\w+", described)
    assert {"the", "pipeline", "has", "failed", "stopped", "before"} <= set(words)
    project = ran.looper("check", "--project").stdout
    assert shares_of(project, "total") == {"completed": "1/1"}


def test_run_skips_what_has_a_status(ran: Project) -> None:
    before = ran.flags
    said = ran.looper("run").stderr
    assert said.count("> Found existing status: completed. Skipping sample.") == 2
    assert said.count("> Found existing status: failed. Skipping sample.") == 1
    said = ran.looper("runp").stderr
    assert "> Skipping project. Determined status: completed" in said
    assert ran.flags == before


def test_flags_are_found_by_looper_s_own_search(ran: Project) -> None:
    done = ran.looper("run", "--dry-run", "--ignore-flags", "--sel-flag", "failed")
    assert re.findall(r"sample: (\w+); pipeline: count", done.stderr) == ["newt"]


# A project of its own for what changes it


@pytest.mark.parametrize("through", [False, True], ids=["pipestat", "drop-in"])
def test_rerun_runs_what_failed(looper: PythonEnvironment, tmp_path: Path, through: bool) -> None:
    project = Project(write_project(tmp_path / "pond", **SECTION), looper, through)
    (project.folder / "data" / "newt.txt").write_text("damaged\n")
    project.looper("run")
    (project.folder / "data" / "newt.txt").write_text("line\n")
    project.looper("rerun")
    assert project.records("count") == COUNTED
    assert set(project.flags.values()) == {"completed"}
    project.looper("destroy", "--force-yes")
    assert project.records("count") == {"project": {}, "sample": {}}
    # pipestat leaves the flags, so that looper would skip the samples from then on.
    assert set(project.flags.values()) == (set() if through else {"completed"})


def set_flags(project: Project, *statuses: str) -> dict[str, str]:
    """Give every sample a flag of each status, as a program without pipestat does."""
    folder = project.folder / "output" / "flags"
    folder.mkdir(parents=True)
    for status in statuses:
        for name in SAMPLES:
            (folder / f"count_{name}_{status}.flag").write_text(status)
    return project.flags


@pytest.mark.parametrize(
    ("statuses", "through"),
    [
        (("archived", "archived", "archived"), False),
        (("archived", "3333", "on_hold"), True),
    ],
    ids=["pipestat", "drop-in"],
)
def test_a_status_that_is_not_defined_is_one(
    looper: PythonEnvironment, tmp_path: Path, through: bool, statuses: tuple[str, ...]
) -> None:
    """A sample that has it does not run again, and `check` shows it."""
    project = Project(write_project(tmp_path / "pond", **SECTION), looper, through)
    folder = project.folder / "output" / "flags"
    folder.mkdir(parents=True)
    for name, status in zip(SAMPLES, statuses, strict=True):
        (folder / f"count_{name}_{status}.flag").write_text(status)
    before = project.flags
    said = project.looper("run").stderr
    found = re.findall(r"> Found existing status: (\w+)\. Skipping sample\.", said)
    assert sorted(found) == sorted(statuses)
    assert project.flags == before
    assert project.looper("check", "--itemized").stdout.count("unknown") == 3
    project.looper("run", "--ignore-flags")
    assert set(project.flags.values()) == {"completed"}
    assert project.records("count") == COUNTED


@pytest.mark.parametrize(
    ("command", "other", "through"),
    [
        ("run", "completed", False),
        ("run", "completed", True),
        ("run", "archived", True),
        ("check", "archived", True),
    ],
    ids=["run-completed-pipestat", "run-completed", "run-archived", "check-archived"],
)
def test_several_flags_of_a_sample_are_refused(
    looper: PythonEnvironment, tmp_path: Path, through: bool, other: str, command: str
) -> None:
    project = Project(write_project(tmp_path / "pond", **SECTION), looper, through)
    before = set_flags(project, "running", other)
    said = project.looper(command, code=1).stderr
    assert project.flags == before
    assert "> Submitting" not in said
    if through:
        assert "Traceback" not in said
        last = said.splitlines()[-1]
        assert last.startswith("error: flags tell several statuses of ")
        assert all(name in last for name in ("running", other, str(project.folder)))
    else:
        assert "AssertionError" in said


# What only the drop-in does


@pytest.fixture
def pond(looper: PythonEnvironment, tmp_path: Path) -> Project:
    """A project that nothing has run in."""
    return Project(write_project(tmp_path / "pond", **SECTION), looper, through=True)


def test_report_shows_samples_that_never_ran(on_drop_in: Project) -> None:
    samples = on_drop_in.folder / "samples.csv"
    before = samples.read_text()
    samples.write_text(before + "carp,/no/such/file\n")
    try:
        done = on_drop_in.looper("report")
    finally:
        samples.write_text(before)
    report = on_drop_in.folder / "output" / "reports" / "count" / "count_report.html"
    # Once for the pipeline, and not for each sample.
    assert done.stdout.count("Report directory: ") == 1
    assert f"Report directory: {report}" in done.stdout
    assert "<h2>Not reported</h2>\n<p>carp</p>" in report.read_text("utf-8")
    done = on_drop_in.looper("report", "--project", "--portable", "--report-dir", "elsewhere")
    path = on_drop_in.folder / "elsewhere" / "reports" / "total" / "total_report.zip"
    assert path.is_file()
    assert "Report directory: " in done.stdout


def test_tables(on_drop_in: Project) -> None:
    done = on_drop_in.looper("table")
    output = on_drop_in.folder / "output"
    assert (output / "count_stats_summary.tsv").read_text() == (
        "Sample Index\tRecord Identifier\tPipeline Type\tlines\n"
        "1\tfrog\tsample\t2\n2\tnewt\tsample\tNA\n3\ttoad\tsample\t3\n"
    )
    assert f"count: {output}/count_stats_summary.tsv" in done.stderr
    on_drop_in.looper("table", "--project")
    assert (output / "total_stats_summary.tsv").read_text() == (
        "Sample Index\tRecord Identifier\tPipeline Type\ttotal\n1\tpond\tproject\t6\n"
    )


def test_links(pond: Project) -> None:
    schema = pond.folder / "pipelines" / "count_schema.yaml"
    schema.write_text(schema.read_text() + "        plot: {type: image, description: a plot}\n")
    script = pond.folder / "pipelines" / "count.py"
    plot = 'open(path + ".png", "w").write(name)\nplot = {"path": path + ".png", "title": name}\n'
    report = '"plot": plot, "lines"'
    script.write_text(script.read_text().replace("psm.report({", plot + "psm.report({"))
    script.write_text(script.read_text().replace('"lines"', report))
    pond.looper("run")
    done = pond.looper("link")
    output = pond.folder / "output"
    assert f"Linked directory: {output}" in done.stdout
    names = {path.name: path.read_text() for path in (output / "plot").iterdir()}
    assert names == {f"{name}_plot_{name}.txt.png": name for name in SAMPLES}


def test_destroy_removes_report_and_tables(pond: Project) -> None:
    pond.looper("run")
    pond.looper("report")
    pond.looper("table")
    pond.looper("destroy", "--force-yes")
    output = pond.folder / "output"
    assert not (output / "reports" / "count").exists()
    assert not (output / "count_stats_summary.tsv").exists()


def test_debug_shows_where_an_error_comes_from(pond: Project) -> None:
    write_section(pond.folder, results_file="results.yaml")
    done = drop_in(pond.environment, "--debug", "looper", "table", cwd=pond.folder, code=1)
    assert "Traceback (most recent call last):" in done.stderr


def test_a_wrong_configuration_is_one_line(pond: Project) -> None:
    write_section(pond.folder, results_file="results.yaml")
    done = pond.looper("run", code=1)
    assert "Traceback" not in done.stderr
    path = pond.folder / "output" / "pipestat_config_count.yaml"
    assert done.stderr.splitlines()[-1] == (
        f"error: {path}: unknown key 'results_file'; did you mean 'results_file_path'?"
    )


def test_two_schemas_of_one_name_are_refused(pond: Project) -> None:
    """They share one configuration, whose schema would change under the other's jobs."""
    interface = pond.folder / "pipelines" / "total.yaml"
    interface.write_text(interface.read_text().replace("name: total", "name: count"))
    for command in ("run", "runp"):
        done = pond.looper(command, code=1)
        assert "Traceback" not in done.stderr
        assert "differ in output_schema; " in done.stderr.splitlines()[-1]
    assert not list((pond.folder / "output").glob("pipestat_config_*"))


def test_other_errors_of_looper_are_its_own(pond: Project) -> None:
    (pond.folder / "pep.yaml").unlink()
    done = pond.looper("run", code=1)
    assert "Traceback (most recent call last):" in done.stderr
    assert pond.looper("no-such-command", code=2).stdout == ""


def test_pipestat_reads_what_was_stored_through_the_drop_in(on_drop_in: Project) -> None:
    without = on_drop_in._replace(through=False)
    without.looper("table")
    table = (on_drop_in.folder / "output" / "count_stats_summary.tsv").read_text()
    assert table.splitlines() == [
        "Sample Index\tRecord Identifier\tPipeline Type\tlines",
        "1\tfrog\tsample\t2",
        "2\tnewt\tsample\tNone reported",
        "3\ttoad\tsample\t3",
    ]
    assert shares_of(without.looper("check").stdout, "count")["completed"] == "2/3"


def test_a_changed_section_is_taken_over(pond: Project) -> None:
    pond.looper("run")
    first = pond.config("count")
    write_section(pond.folder, **{**SECTION, "results_file_path": "other.yaml"})
    pond.looper("run", "--ignore-flags")
    assert pond.records("count", "other.yaml") == COUNTED
    moved = first["results_file_path"].replace("results.yaml", "other.yaml")
    assert pond.config("count") == {**first, "results_file_path": moved}


def test_no_setting_of_one_pipeline_reaches_another(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    """looper alone puts the second pipeline's file below the first one's folder."""
    project = Project(write_project(tmp_path / "pond", **SECTION), looper, through=True)
    second = project.folder / "pipelines" / "again.yaml"
    interface = yaml.safe_load((project.folder / "pipelines" / "count.yaml").read_text())
    second.write_text(yaml.safe_dump({**interface, "pipeline_name": "again"}))
    config = yaml.safe_load((project.folder / ".looper.yaml").read_text())
    config["pipeline_interfaces"] = ["pipelines/count.yaml", "pipelines/again.yaml"]
    (project.folder / ".looper.yaml").write_text(yaml.safe_dump(config))
    project.looper("run")
    assert project.records("count") == COUNTED
    assert project.records("again") == COUNTED


def test_a_file_for_each_record(looper: PythonEnvironment, tmp_path: Path) -> None:
    section = {**SECTION, "results_file_path": "{record_identifier}/results.yaml"}
    project = Project(write_project(tmp_path / "pond", **section), looper, through=True)
    project.looper("run")
    for name, lines in SAMPLES.items():
        records = stored(project.folder / "output" / name / "results.yaml")
        assert records == {"count": {"project": {}, "sample": {name: {"lines": lines}}}}
    project.looper("table")
    table = (tmp_path / "pond" / "output" / "count_stats_summary.tsv").read_text()
    assert [line.split("\t")[1::2] for line in table.splitlines()[1:]] == [
        [name, str(SAMPLES[name])] for name in sorted(SAMPLES)
    ]
    assert "Report directory: " in project.looper("report").stdout
    assert shares_of(project.looper("check").stdout, "count") == {"completed": "3/3"}
    project.looper("destroy", "--force-yes")
    assert project.flags == {}


def test_a_database(looper: PythonEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "pond.sqlite"
    section = {"project_name": "pond", "database": {"sqlite_url": str(file)}}
    project = Project(write_project(tmp_path / "pond", **section), looper, through=True)
    project.looper("run")
    project.looper("runp")
    with closing(sqlite3.connect(file)) as connection:
        query = 'SELECT record_identifier, lines, status FROM "count__sample"'
        assert set(connection.execute(query)) == {
            (name, lines, "completed") for name, lines in SAMPLES.items()
        }
        assert list(connection.execute('SELECT total FROM "total__project"')) == [(6,)]
    assert shares_of(project.looper("check").stdout, "count") == {"completed": "3/3"}
    project.looper("destroy", "--force-yes")
    with closing(sqlite3.connect(file)) as connection:
        assert list(connection.execute('SELECT * FROM "count__sample"')) == []


def test_every_command_variable(pond: Project) -> None:
    """Those of pipestat's values that looper puts into a command."""
    names = "results_file config_file output_schema flag_file_dir record_identifier".split()
    command = "echo " + " ".join(f"{name}={{pipestat.{name}}}" for name in names)
    path = pond.folder / "pipelines" / "total.yaml"
    interface = yaml.safe_load(path.read_text())
    interface["project_interface"]["command_template"] = command
    path.write_text(yaml.safe_dump(interface))
    done = pond.looper("runp")
    output = pond.folder / "output"
    said = dict(re.findall(r"(\w+)=(\S+)", done.stdout))
    assert {name: said[name] for name in names} == {
        "results_file": f"{output}/total/results.yaml",
        "config_file": f"{output}/pipestat_config_total.yaml",
        "output_schema": f"{pond.folder}/pipelines/total_schema.yaml",
        "flag_file_dir": f"{output}/flags",
        "record_identifier": "pond",
    }


def test_a_looper_of_another_kind_is_run_with_a_warning(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    """A package of that name without the place where configurations are looked for."""
    package = tmp_path / "other" / "looper"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "project.py").write_text("class Project: pass\n")
    (package / "__main__.py").write_text("print('ran')\n")
    done = drop_in(looper, "-m", "looper", cwd=package.parent)
    assert done.stdout == "ran\n"
    warning = "warning: this looper makes its pipestat configurations itself: "
    assert done.stderr.startswith(warning)
    assert done.stderr.count("\n") == 1
