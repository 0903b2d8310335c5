"""Settings that keep nothing are stopped at the start, or told at the end."""

from __future__ import annotations

import pytest

from tests.snakemake.places import Place

SNAKEFILE = """
rule all:
    input: "s1-L1.txt", "s2-L1.txt"
rule make:
    output: "{sample}-{lane}.txt"
    shell: "touch {output}"
"""


def test_a_record_that_no_job_names_is_told_at_the_end(place: Place) -> None:
    place.write(Snakefile=SNAKEFILE)
    for said in ("Finished jobid", "Nothing to be done"):
        printed = place.run("--logger-pipestat-record", "{smaple}")
        assert said in printed
        (warning,) = [line for line in printed.splitlines() if line.startswith("pipestat: ")]
        assert "'{smaple}'" in warning
        assert "lane, sample" in warning
        assert "did you mean '{sample}'?" in warning
    assert place.records() == {}


def test_a_workflow_without_the_wildcard_is_told_at_the_end(place: Place) -> None:
    place.write(Snakefile=SNAKEFILE.replace("{sample}", "{patient}"))
    printed = place.run()
    (warning,) = [line for line in printed.splitlines() if line.startswith("pipestat: ")]
    assert "'{sample}'" in warning
    assert "lane, patient" in warning
    # Where only the project is wanted, nothing is missing.
    assert "pipestat:" not in place.run("--logger-pipestat-project", "--forceall")
    assert place.records("project")["project"].status == "completed"


@pytest.mark.parametrize("how", ["configured", "found"])
def test_a_file_without_room_for_the_project_stops_at_the_start(place: Place, how: str) -> None:
    place.write(Snakefile=SNAKEFILE)
    if how == "found":
        place.run("s1-L1.txt")
    else:
        with (place.folder / "pipestat.yaml").open("a") as config:
            config.write("layout: records\n")
    before = place.records()
    printed = place.run("--logger-pipestat-project", code=1)
    (error,) = [line for line in printed.splitlines() if "pipestat: " in line]
    assert "'records' layout" in error
    assert "--logger-pipestat-project" in error
    assert not (place.folder / "s2-L1.txt").exists()
    assert place.records() == before
