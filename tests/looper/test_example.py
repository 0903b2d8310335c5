"""examples/looper with real looper: the same on pipestat as through the drop-in.

What differs is listed here, each with the fault of looper or pipestat that it comes from.
"""

from __future__ import annotations

import gzip
import os
import pickle
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.commands import told
from tests.environments import PythonEnvironment, clean_environment
from tests.forking import running
from tests.looper.example_runs import (
    RESULTS,
    Example,
    Facts,
    copy_example,
    differences,
    fetch_reads,
    mend_reads,
    walk,
    write_program,
)
from tests.looper.example_values import (
    SAMPLES,
    cells,
    expected_config,
    expected_count,
    expected_quality,
    expected_records,
    expected_statuses,
    links,
    of_kind,
    table,
)
from tests.looper.old_pipelines import translate
from tests.sharing import shared_folder

Walks = tuple[dict[str, Facts], dict[str, Facts]]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the reference, and the facts in which it shows, with both values."""

    says: str
    differences: list[tuple[tuple[str, ...], tuple[Any, Any]]]


def walk_twice(
    parent: Path,
    environment: PythonEnvironment,
    prepare: Callable[[Example], object],
    before_destroy: Callable[[Example], object],
) -> Walks:
    """Walk through two copies of the example at once: on pipestat, and through the drop-in."""

    def one(name: str) -> dict[str, Facts]:
        example = copy_example(parent / name, environment, drop_in=name == "ours")
        prepare(example)
        return walk(example, before_destroy)

    with ThreadPoolExecutor() as threads:
        reference, ours = threads.map(one, ["reference", "ours"])
    return reference, ours


@dataclass(frozen=True)
class Run:
    """The walk through the example as it is, and what was there before `destroy`."""

    reference: dict[str, Facts]
    ours: dict[str, Facts]
    folder: Path

    def kept(self, name: str) -> Path:
        """What was in the output folder of a walk before `destroy`."""
        return self.folder / name / "kept"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, looper: PythonEnvironment) -> Run:
    """The walk, made once even where several processes run the tests of this module."""
    with shared_folder(tmp_path_factory, "looper_walk") as shared:
        made = shared / "run.pickle"
        if not made.exists():
            folder = tmp_path_factory.mktemp("looper_example")
            reference, ours = walk_twice(folder, looper, lambda copy: None, keep_output)
            made.write_bytes(pickle.dumps(Run(reference, ours, folder)))
        walked: Run = pickle.loads(made.read_bytes())
    return walked


def keep_output(example: Example) -> None:
    make_reports(example)
    shutil.copytree(example.folder / "output", example.folder.parent / "kept")


def make_reports(example: Example) -> None:
    """Have looper make its tables and reports; relative paths begin where it is started."""
    samples, project = (example.folder / RESULTS / name for name in ("count_reads", "panel"))
    example.looper("table", cwd=samples)
    example.looper("table", "--project", cwd=project)
    for path in (example.folder / RESULTS).glob("*_stats_summary.tsv"):
        path.rename(path.with_suffix(".table"))
    example.looper("report", cwd=samples)
    example.looper("report", "--project", cwd=project)
    example.looper("link", cwd=samples)
    example.looper("link", "--project", cwd=project)


STEPS = ("run", "rerun", "runp", "destroy")


def looper_faults(samples: list[str], removed: dict[str, Any]) -> list[Fault]:
    """Return what differs whatever the pipelines use; `removed` is what they had counted."""
    both = [(p, s) for p in ("count_reads", "read_quality") for s in samples]
    leaked = expected_config("read_quality", "count_reads")
    config = expected_config("read_quality", "read_quality")
    return [
        Fault(
            "one section is filled in for all pipelines in turn, so the results file of the first "
            "becomes that of the second",
            [
                ((step, "config", "pipestat_config_read_quality.yaml"), (leaked, config))
                for step in STEPS
            ],
        ),
        Fault(
            "a manager writes back all that it read at its start, so what another one has removed "
            "from the file meanwhile is there again",
            [
                (("destroy", "record", "count_reads", "sample", s), (removed[s], None))
                for s in samples
            ],
        ),
        Fault(
            "the status of a removed record stays, so 'run' skips every sample after 'destroy'",
            [(("destroy", "flag", f"{p}_{s}_completed.flag"), ("completed", None)) for p, s in both]
            + [(("destroy", "status", p, s), ("completed", "unknown")) for p, s in both],
        ),
    ]


def check_differences(
    reference: Mapping[str, Facts], ours: Mapping[str, Facts], faults: list[Fault]
) -> None:
    """Everything that differs is listed, and all that is listed differs as it says."""
    found = differences(reference, ours)
    for fault in faults:
        for name, values in fault.differences:
            assert found.pop(name, None) == values, fault.says
    assert found == {}


def test_same_on_pipestat_and_through_the_drop_in(run: Run) -> None:
    counts = {sample: expected_count(sample) for sample in SAMPLES}
    check_differences(run.reference, run.ours, looper_faults(SAMPLES, counts))


def reason_of_a_cut_file() -> str:
    """Return what Python says of a compressed file that was cut off."""
    with pytest.raises(EOFError) as caught:
        gzip.decompress(gzip.compress(b"reads")[:-9])
    return str(caught.value)


@pytest.mark.parametrize("package", ["reference", "ours"])
def test_first_run_has_two_samples_and_the_reason_of_the_third(run: Run, package: str) -> None:
    facts = getattr(run, package)["run"]
    failed = {
        "count_reads": "liver_2.fastq.gz cannot be read",
        "read_quality": f"EOFError: {reason_of_a_cut_file()}",
    }
    expected = expected_records(SAMPLES[:2]) | {
        ("record", pipeline, "sample", "liver_2"): {"meta": {"status_message": text}}
        for pipeline, text in failed.items()
    }
    assert of_kind(facts, "record") == expected
    statuses = expected_statuses("status", liver_2="failed")
    assert of_kind(facts, "status") == statuses
    assert of_kind(facts, "flag") == expected_statuses("flag", liver_2="failed")


@pytest.mark.parametrize("package", ["reference", "ours"])
def test_rerun_completes_the_sample_that_was_mended(run: Run, package: str) -> None:
    facts = getattr(run, package)["rerun"]
    assert of_kind(facts, "record") == expected_records(SAMPLES)
    assert of_kind(facts, "flag") == expected_statuses("flag")


@pytest.mark.parametrize("package", ["reference", "ours"])
def test_project_pipeline_reports_a_number_and_an_image(run: Run, package: str) -> None:
    facts = getattr(run, package)["runp"]
    counts = [expected_count(sample)["reads"] for sample in SAMPLES]
    weighted = [
        expected_quality(sample)["mean_quality"] * count
        for sample, count in zip(SAMPLES, counts, strict=True)
    ]
    assert facts["record", "panel", "project", "tissue-panel"] == {
        "samples": 3,
        "total_reads": sum(counts),
        "mean_quality": round(sum(weighted) / sum(counts), 2),
        "overview": {
            "path": "overview.png",
            "thumbnail_path": "overview_small.png",
            "title": "Reads and quality",
        },
    }
    assert of_kind(facts, "status") == {("status", "panel", "tissue-panel"): "completed"}
    for image in ("overview.png", "overview_small.png"):
        drawn = (run.kept(package) / "results" / "panel" / image).read_bytes()
        assert drawn[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("package", ["reference", "ours"])
def test_configs_are_made_of_looper_s_and_the_interface(run: Run, package: str) -> None:
    facts = of_kind(getattr(run, package)["runp"], "config")
    assert facts == {
        ("config", f"pipestat_config_{pipeline}.yaml"): expected_config(pipeline, folder)
        for pipeline, folder in [
            ("count_reads", "count_reads"),
            ("read_quality", "count_reads" if package == "reference" else "read_quality"),
            ("panel", "panel"),
        ]
    }


# looper's table, report and link: on pipestat, of results that pipestat_spec has written, and
# through the drop-in. Only pipestat's report makes the tables once more.


@pytest.mark.parametrize(
    ("package", "suffix"), [("reference", "table"), ("reference", "tsv"), ("ours", "table")]
)
def test_looper_s_tables_have_the_values(run: Run, package: str, suffix: str) -> None:
    results = run.kept(package) / "results"
    counts = {sample: expected_count(sample) for sample in SAMPLES}
    assert table(results / f"count_reads_stats_summary.{suffix}") == {
        sample: {"md5": values["md5"], "reads": str(values["reads"])}
        for sample, values in counts.items()
    }
    qualities = {sample: expected_quality(sample) for sample in SAMPLES}
    assert table(results / f"read_quality_stats_summary.{suffix}") == {
        sample: {name: str(values[name]) for name in ("gc_percent", "mean_quality")}
        for sample, values in qualities.items()
    }
    row = table(results / f"panel_stats_summary.{suffix}")["tissue-panel"]
    assert row["total_reads"] == str(sum(values["reads"] for values in counts.values()))


@pytest.mark.parametrize("package", ["reference", "ours"])
def test_looper_s_links_lead_to_the_files(run: Run, package: str) -> None:
    results = run.kept(package) / "results"
    names = [f"{sample}_profile_{sample}.tsv" for sample in SAMPLES]
    assert sorted(path.name for path in (results / "profile").iterdir()) == names
    (overview,) = (results / "overview").iterdir()
    assert overview.name == "tissue-panel_overview_overview.png"
    assert all(path.is_file() for path in (*(results / "profile").iterdir(), overview))


def test_looper_s_report_through_the_drop_in_is_one_file_for_each_pipeline(run: Run) -> None:
    reports = run.kept("ours") / "results" / "reports"
    files = sorted(str(path.relative_to(reports)) for path in reports.rglob("*.*"))
    assert files == [
        "count_reads/count_reads_report.html",
        "panel/panel_report.html",
        "read_quality/read_quality_report.html",
    ]
    # What a reader without scripts sees.
    page = (reports / "count_reads" / "count_reads_report.html").read_text("utf-8")
    assert {expected_count(sample)["md5"] for sample in SAMPLES} <= cells(page)


def test_looper_s_report_shows_values_statuses_files_and_the_image(run: Run) -> None:
    reports = run.kept("reference") / "results" / "reports"
    for sample in SAMPLES:
        count = (reports / "count_reads" / f"{sample}.html").read_text("utf-8")
        assert {expected_count(sample)["md5"], str(expected_count(sample)["reads"])} <= cells(count)
        page = (reports / "read_quality" / f"{sample}.html").read_text("utf-8")
        assert str(expected_quality(sample)["mean_quality"]) in cells(page)
        assert "completed" in page.lower()
        (profile,) = links(page, ".tsv")
        assert profile == f"../../count_reads/profiles/{sample}.tsv"
        assert (reports / "read_quality" / profile).is_file()
    page = (reports / "panel" / "overview.html").read_text("utf-8")
    assert links(page, ".png") == {"../../panel/overview.png", "../../panel/overview_small.png"}
    assert all((reports / "panel" / link).is_file() for link in links(page, ".png"))


# The same pipelines said with pipestat: `import pipestat` and the command `pipestat`.


def test_pipelines_that_import_pipestat_do_the_same_through_the_drop_in(
    tmp_path: Path, looper: PythonEnvironment
) -> None:
    samples = ["brain_1", "liver_2"]

    def prepare(example: Example) -> None:
        translate(example.folder)
        path = example.folder / "samples.csv"
        table = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in table if "liver_1" not in line))
        if not example.drop_in:
            write_program(example.programs / "pipestat", f'exec {shlex.join(pipestat)} "$@"')

    # Of each start of that command nearly all is its imports.
    with running(
        str(looper.command("pipestat")),
        ["pipestat.__main__"],
        python=looper.python,
        environment=clean_environment(),
    ) as pipestat:
        reference, ours = walk_twice(tmp_path, looper, prepare, lambda example: None)
    counts = {sample: expected_count(sample)["reads"] for sample in samples}
    texts = {sample: {"reads": str(count)} for sample, count in counts.items()}
    pipestat_faults = [
        Fault(
            "'pipestat report -v 12' stores text, whatever type the schema says",
            [
                ((step, "record", "count_reads", "sample", s), (texts[s], {"reads": counts[s]}))
                for step in STEPS[:3]
                for s in (["brain_1"] if step == "run" else samples)
            ],
        ),
        Fault(
            "a record that has a status and no result yet is not in the results file",
            [
                (("run", "record", pipeline, "sample", "liver_2"), (None, {}))
                for pipeline in ("count_reads", "read_quality")
            ],
        ),
    ]
    check_differences(reference, ours, looper_faults(samples, texts) + pipestat_faults)
    qualities = {sample: expected_quality(sample) for sample in samples}
    for sample, quality in qualities.items():
        assert ours["rerun"]["record", "read_quality", "sample", sample] == {
            name: quality[name] for name in ("mean_quality", "read_length")
        }
    assert ours["runp"]["record", "panel", "project", "tissue-panel"] == {
        "samples": 2,
        "mean_quality": round(fmean(q["mean_quality"] for q in qualities.values()), 2),
        "overview": {"path": "overview.png", "title": "Reads and quality"},
    }


# One results file for each record.


def test_a_file_for_each_record(tmp_path: Path, looper: PythonEnvironment) -> None:
    def run_and_check(name: str) -> tuple[Example, Facts]:
        example = copy_example(tmp_path / name, looper, drop_in=name == "ours")
        config = example.folder / ".looper.yaml"
        text = config.read_text("utf-8")
        path = 'results_file_path: "{record_identifier}/stats.yaml"'
        config.write_text(text.replace("results_file_path: results.yaml", path))
        fetch_reads(example)
        mend_reads(example)
        example.looper("run", "-c", "looper/.looper.yaml", cwd=example.folder.parent)
        example.looper("runp")
        return example, example.facts(example.statuses())

    with ThreadPoolExecutor() as threads:
        (reference, before), (ours, after) = threads.map(run_and_check, ["reference", "ours"])
    check_differences({"run": before}, {"run": after}, [])
    panel = after.pop(("record", "panel", "project", "tissue-panel"))
    assert panel["total_reads"] == sum(expected_count(sample)["reads"] for sample in SAMPLES)
    assert of_kind(after, "record") == expected_records(SAMPLES)
    assert of_kind(after, "status") == expected_statuses("status")
    for example in (reference, ours):
        results = example.folder / RESULTS
        records = [*SAMPLES, "tissue-panel"]
        there = [path for path in results.iterdir() if path.is_dir()]
        folders = {path.name for path in there if not path.name.startswith(".")}
        assert folders - {"submission"} == set(records)
        for record in records:
            pipelines = ["panel"] if record == "tissue-panel" else ["count_reads", "read_quality"]
            assert list(example.read(results / record / "stats.yaml")) == pipelines
        for sample in SAMPLES:
            profile = after["record", "read_quality", "sample", sample]["profile"]["path"]
            assert (results / sample / profile).is_file()
        assert (results / "tissue-panel" / panel["overview"]["path"]).is_file()


# Configurations that are there before looper is.


def test_looper_on_pipestat_takes_the_configs_that_are_there(
    tmp_path: Path, looper: PythonEnvironment
) -> None:
    example = copy_example(tmp_path, looper, drop_in=False)
    fetch_reads(example)
    mend_reads(example)
    printed = example.run("pipestat-spec", "looper-config").stdout.splitlines()
    results = example.folder / RESULTS
    names = [f"pipestat_config_{p}.yaml" for p in ("count_reads", "read_quality", "panel")]
    assert printed == [str(results / name) for name in names]
    texts = [(results / name).read_bytes() for name in names]

    example.looper("run")
    for pipeline in ("count_reads", "read_quality"):
        document = example.read(results / pipeline / "results.yaml")
        assert list(document) == [pipeline]
        assert sorted(document[pipeline]["sample"]) == SAMPLES
    assert [(results / name).read_bytes() for name in names] == texts

    example.looper("destroy", "--force-yes")
    assert of_kind(example.facts(), "record") == {}


# The demo, here with the database.


def python_with_forks(folder: Path, environment: PythonEnvironment) -> Path:
    """Write a `python` into a new folder, which starts looper through the drop-in as a fork."""
    through = ("python", "-m", "pipestat_spec.compat", "looper")
    words = " ".join(through[1:])
    fork = shlex.join(environment.forks[through])
    return write_program(
        folder / "python",
        f'case "$* " in "{words} "*) shift {len(through) - 1}; exec {fork} "$@" ;; esac\n'
        f'exec {shlex.quote(str(environment.python))} "$@"',
    )


def test_the_demo_runs_on_a_database_and_prints_what_the_readme_shows(
    tmp_path: Path, looper: PythonEnvironment
) -> None:
    example = copy_example(tmp_path, looper, drop_in=True)
    python = python_with_forks(tmp_path / "bin", looper)
    path = os.pathsep.join([str(looper.folder / "bin"), os.environ["PATH"]])
    settings = {"PATH": path, "LC_ALL": "C.UTF-8", "LOOPER_CONFIG": ".looper.sqlite.yaml"}
    said = told(example.folder / "demo.sh", python, "drop-in", cwd=tmp_path, **settings)
    printed = [" ".join(line.split()) for line in said.splitlines()]
    for sample, count in ((sample, expected_count(sample)) for sample in SAMPLES):
        assert f"{sample} completed {count['reads']} {count['md5']}" in printed
    assert sorted(path.name for path in (example.folder / "output").iterdir()) == [
        "looper.log",
        "reads",
        "results_sqlite",
    ]
    readme = (example.folder / "README.md").read_text("utf-8")
    shown = re.findall(r"^```console\n(.*?)^```$", readme, re.M | re.S)
    for line in "\n".join(shown).splitlines():
        if not line.startswith(("$", "...", "/...")):
            assert " ".join(line.split()) in printed, line
