"""The status of every record is right at the end of a run, whatever became of its jobs."""

from __future__ import annotations

import json
import re

from tests.snakemake.places import Place

# One sample for each way in which jobs can end. `late` runs after all others have failed, so
# that what was left open by them would be seen.
SNAKEFILE = r"""
rule all:
    input:
        expand("{sample}.done", sample=["good", "bad", "again"]),
        "missing.gone", "ran.run", "raised.run", "scripted.script"

rule count:
    output: temp("{sample}.pipestat.json")
    shell:
        r'''
        sh emit.sh {wildcards.sample} '"results": {{"reads": 12, "note": "a \"q\""}}' >{output}
        '''

rule check:
    input: "{sample}.pipestat.json"
    output: "{sample}.done"
    log: "{sample}.log"
    shell:
        '''
        if [ {wildcards.sample} = bad ]; then echo no such index >{log}; exit 3; fi
        if [ {wildcards.sample} = again ] && [ ! -e tried ]; then touch tried; exit 4; fi
        touch {output}
        '''

rule forget:
    output: "{sample}.gone"
    shell: "if [ -e remember ]; then touch {output}; fi"

rule run_block:
    output: "{sample}.run"
    run:
        if wildcards.sample == "raised" and not os.path.exists("remember"):
            raise ValueError("nothing to see")
        open(output[0], "w")

rule in_script:
    output: "{sample}.script"
    params: pipestat="pipestat.yaml"
    resources: attempt=lambda wildcards, attempt: attempt
    script: "report.py"
"""

SCRIPT = """
from pipestat_spec import PipestatManager

with PipestatManager.from_snakemake(snakemake) as psm:
    psm.report({"letters": 26})
open(snakemake.output[0], "w")
"""


def test_every_way_in_which_a_job_can_end(any_place: Place) -> None:
    place = any_place
    place.write(Snakefile=SNAKEFILE, report__py=SCRIPT)

    place.run("--dry-run")
    assert place.is_empty()
    assert not (place.folder / ".snakemake" / "pipestat").exists()

    said = place.run("--keep-going", "--retries", "1", "--quiet", "all", code=1)
    assert "pipestat:" not in said
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "good": "completed",
        "bad": "failed",
        "again": "completed",
        "missing": "failed",
        "ran": "completed",
        "raised": "failed",
        "scripted": "completed",
    }
    reported = {"reads": 12, "note": 'a "q"'}
    for name in ("good", "bad", "again"):
        assert records[name].results == reported
    assert records["scripted"].results == {"letters": 26}

    assert {name: record.job for name, record in records.items()} == {
        "good": ("check", 1),
        "bad": ("check", 2),
        "again": ("check", 2),
        "missing": ("forget", 2),
        "ran": ("run_block", 1),
        "raised": ("run_block", 2),
        "scripted": ("in_script", 1),
    }
    assert {record.source["engine"] for record in records.values()} == {"snakemake"}
    (run,) = {record.source["run"] for record in records.values()}
    assert records["again"].source["attempts"] == {"check": 2}
    assert "attempts" not in records["good"].source

    message = records["bad"].message or ""
    assert message.startswith("rule check failed in attempt 2: ")
    assert re.search(r"\b3\b", message.partition("\n")[2])  # the exit status
    assert message.endswith("bad.log:\nno such index")
    assert "missing.gone" in (records["missing"].message or "")
    assert (records["raised"].message or "").startswith("rule run_block failed in attempt 2: ")
    assert records["good"].message is None
    assert records["again"].message is None
    assert list((place.folder / ".snakemake" / "pipestat").iterdir()) == []

    mended = {name: record for name, record in records.items() if record.status == "completed"}
    (place.folder / "remember").touch()
    snakefile = place.folder / "Snakefile"
    snakefile.write_text(SNAKEFILE.replace("= bad ]", "= never ]"))
    # Changed code would run every job again.
    place.run("--rerun-triggers", "mtime")
    after = place.records()
    assert set(place.statuses().values()) == {"completed"}
    assert {name: after[name] for name in mended} == mended
    assert after["bad"].message is None
    assert after["bad"].source["run"] != run


def test_what_is_not_reached_waits(place: Place) -> None:
    """Without --keep-going a failure stops the run: nothing claims what did not happen."""
    place.write(
        Snakefile="""
rule all:
    input: expand("{sample}.end", sample=["s1", "s2", "s3"])
rule begin:
    output: "{sample}.begun"
    shell: "touch {output}"
rule middle:
    input: expand("{sample}.begun", sample=["s1", "s2", "s3"])
    output: "gate"
    shell: "touch {output}"
rule broken:
    input: "{sample}.begun", "gate"
    output: "{sample}.end"
    wildcard_constraints: sample="s1"
    priority: 50
    shell: "exit 1"
rule end:
    input: "{sample}.begun", "gate"
    output: "{sample}.end"
    wildcard_constraints: sample="s[23]"
    shell: "sleep 2 && touch {output}"
"""
    )
    place.run("--cores", "2", code=1)
    statuses = place.statuses()
    # One of the two others ran beside s1 and was let finish; the last was never started.
    assert statuses.pop("s1") == "failed"
    assert sorted(map(str, statuses.values())) == ["completed", "waiting"]


GROUPED = """
rule all:
    input: expand("{sample}.two", sample=["s1", "s2"]), "alone.two"
rule one:
    output: "{sample}.one"
    group: lambda wildcards: "alone" if wildcards.sample == "alone" else "both"
    shell: "if [ {wildcards.sample} = s2 ]; then exit 3; fi; touch {output}"
rule two:
    input: "{sample}.one"
    output: "{sample}.two", "{sample}.pipestat.json"
    group: lambda wildcards: "alone" if wildcards.sample == "alone" else "both"
    shell:
        '''
        sh emit.sh {wildcards.sample} >{output[1]}
        touch {output[0]}
        '''
"""
SUBMIT = """#!/bin/bash
# Wait for nothing: the job runs on, and its number names it.
( bash "$1" >"$1.out" 2>&1 </dev/null & echo $! )
"""


def test_a_group_on_a_cluster_shares_its_fate(place: Place) -> None:
    place.write(Snakefile=GROUPED, submit__sh=SUBMIT)
    (place.folder / "submit.sh").chmod(0o755)
    cluster = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh"]
    quick = ["--seconds-between-status-checks", "1", "--jobs", "4"]
    place.run(*cluster, *quick, "--group-components", "both=2", "--keep-going", code=1)
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "alone": "completed",
        "s1": "failed",
        "s2": "failed",
    }
    assert records["alone"].results == {"n": 1}
    # Snakemake has removed what s1 had made: it has to run again, and says with whom it failed.
    assert not (place.folder / "s1.one").exists()
    assert "failed with its group both" in (records["s1"].message or "")


CACHED = """
rule all:
    input: "s1.txt", "s2.txt"
rule make:
    input: "{sample}.in"
    output: multiext("{sample}", ".txt", ".pipestat.json")
    cache: True
    shell:
        '''
        echo {wildcards.sample} >>executed
        sh emit.sh {wildcards.sample} >{output[1]} \
            '"results": {{"n": 1}}, "status": "partial", "source": {{"pipeline_version": "2.0"}}'
        touch {output[0]}
        '''
"""


def test_a_cached_rule_reports_through_its_document(place: Place) -> None:
    place.write(Snakefile=CACHED)
    (place.folder / "cache").mkdir()
    # What is cached is found by code and input: equal input would mean equal documents.
    for name in ("s1", "s2"):
        (place.folder / f"{name}.in").write_text(name)
    cache = str(place.folder / "cache")
    place.run("--cache", SNAKEMAKE_OUTPUT_CACHE=cache)
    first = place.records()
    for path in [*place.folder.glob("s*.txt"), *place.folder.glob("s*.json")]:
        path.unlink()
    place.clear()
    place.run("--cache", SNAKEMAKE_OUTPUT_CACHE=cache)
    second = place.records()
    assert len((place.folder / "executed").read_text().split()) == 2
    for records in (first, second):
        # What a document says of the status holds when all jobs are done.
        assert {n: r.status for n, r in records.items()} == {"s1": "partial", "s2": "partial"}
        assert records["s1"].results == {"n": 1}
        assert records["s1"].source["pipeline_version"] == "2.0"
        assert records["s1"].job == ("make", 1)


def test_eighty_jobs_at_once(place: Place) -> None:
    place.write(
        Snakefile=r"""
SAMPLES = [f"s{number:03}" for number in range(80)]
rule all:
    input: expand("{sample}.pipestat.json", sample=SAMPLES)
rule count:
    output: "{sample}.pipestat.json"
    shell:
        '''
        sh emit.sh {wildcards.sample} '"results": {{"name": "{wildcards.sample}"}}' >{output}
        '''
"""
    )
    for said in ("Finished jobid", "Nothing to be done"):
        assert said in place.run("--cores", "16", "--jobs", "16")
        records = place.records()
        assert list(records) == [f"s{number:03}" for number in range(80)]
        assert {record.status for record in records.values()} == {"completed"}
        assert all(record.results == {"name": name} for name, record in records.items())
        # A store that is lost is filled again from outputs that are up to date.
        place.clear()


def test_documents_that_are_wrong_are_told_and_harm_nobody(place: Place) -> None:
    good = {"pipestat_report": "1.0", "record_identifier": "good", "results": {"n": 1}}
    documents = {
        "good": json.dumps(good),
        "broken": "{",
        "foreign": json.dumps({**good, "record_identifier": "foreign", "namespace": "other"}),
    }
    place.write(
        Snakefile="""
rule all:
    input: expand("{sample}.pipestat.json", sample=["good", "broken", "foreign"])
rule copy:
    output: "{sample}.pipestat.json"
    shell: "cp {wildcards.sample}.in {output}"
"""
    )
    for name, text in documents.items():
        (place.folder / f"{name}.in").write_text(text)
    said = place.run()
    records = place.records()
    assert {record.status for record in records.values()} == {"completed"}
    assert records["good"].results == {"n": 1}
    assert records["good"].message is None
    assert records["broken"].results == {}
    assert (records["broken"].message or "").startswith("not ingested: ")
    assert "namespace 'other' is not that of the store" in (records["foreign"].message or "")
    assert said.count("pipestat: not ingested: ") == 2


PROJECT = """
rule all:
    input: "summary.txt"
rule count:
    output: "{patient}-{lane}.pipestat.json"
    shell: "sh emit.sh {wildcards.patient}/{wildcards.lane} >{output}"
rule summary:
    input: "p1-L1.pipestat.json", "p1-L2.pipestat.json"
    output: "summary.txt", "summary.pipestat.json"
    shell:
        '''
        sh emit.sh project '"level": "project", "results": {{"lanes": 2}}' >{output[1]}
        touch {output[0]}
        '''
"""


def test_a_record_may_be_made_of_several_wildcards_and_the_project_of_the_rest(
    place: Place,
) -> None:
    place.write(Snakefile=PROJECT)
    config = (place.folder / "pipestat.yaml").read_text()
    # A file of samples has no place for the project: it is told, and the samples are stored.
    (place.folder / "pipestat.yaml").write_text(config + "layout: records\n")
    record = ["--logger-pipestat-record", "{patient}/{lane}"]
    said = place.run(*record)
    assert "not ingested: " in said
    assert "summary.pipestat.json: " in said
    assert place.statuses() == {"p1/L1": "completed", "p1/L2": "completed"}

    place.clear()
    (place.folder / "pipestat.yaml").write_text(config)
    said = place.run(*record, "--logger-pipestat-project", "--forceall")
    assert "pipestat:" not in said
    assert place.statuses() == {"p1/L1": "completed", "p1/L2": "completed"}
    summary = place.records("project")["project"]
    assert (summary.status, summary.results) == ("completed", {"lanes": 2})


BREAKING = """
rule all:
    input: "s2.done"
rule first:
    output: "{sample}.pipestat.json"
    shell: "sh emit.sh {wildcards.sample} >{output}; sh break.sh"
rule second:
    input: "s1.pipestat.json"
    output: "{sample}.done"
    shell: "touch {output}"
"""


def test_a_store_that_breaks_in_the_middle_harms_no_job(place: Place) -> None:
    # After this flag nothing is written until the job ends.
    wait = "while [ ! -e store/demo_s1_running.flag ]; do sleep 0.1; done\n"
    place.write(Snakefile=BREAKING, break__sh=wait + "mv store gone; touch store\n")
    said = place.run()
    assert said.count("not all could be stored") == 1
    assert (place.folder / "s2.done").exists()

    (place.folder / "store").unlink()
    (place.folder / "gone").rename(place.folder / "store")
    assert place.statuses() == {"s1": "running", "s2": "waiting"}
    assert "Nothing to be done" in place.run()
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "completed",
    }
    assert records["s1"].results == {"n": 1}


CHECKPOINT = """
import os
rule all:
    input: "s1.done", "s2.done"
checkpoint scatter:
    output: directory("parts/{sample}")
    shell: "mkdir -p {output}; touch {output}/1 {output}/2"
rule part:
    input: "parts/{sample}/{number}"
    output: "made/{sample}/{number}"
    shell: "[ {wildcards.sample}{wildcards.number} != s22 ]; touch {output}"
def made(wildcards):
    folder = checkpoints.scatter.get(**wildcards).output[0]
    return [f"made/{wildcards.sample}/{name}" for name in os.listdir(folder)]
rule gather:
    input: made
    output: "{sample}.done"
    shell: "pipestat-spec status get -c pipestat.yaml -r {wildcards.sample} >{output}"
"""


def test_jobs_that_a_checkpoint_adds_count(place: Place) -> None:
    place.write(Snakefile=CHECKPOINT)
    said = place.run("--keep-going", code=1)
    assert "pipestat:" not in said
    records = place.records()
    assert {name: (record.status, record.job) for name, record in records.items()} == {
        "s1": ("completed", ("gather", 1)),
        "s2": ("failed", ("part", 1)),
    }
    assert (place.folder / "s1.done").read_text().split()[-1] in ("running", "waiting")


UNPLANNED = """
# As if Snakemake's plan could not be read any more.
import snakemake_logger_plugin_pipestat.plan
snakemake_logger_plugin_pipestat.plan.PlannedJob = None
rule all:
    input: "s1.two", "s2.two"
rule one:
    output: "{sample}.one", "{sample}.pipestat.json"
    shell: "sh emit.sh {wildcards.sample} >{output[1]}; touch {output[0]}"
rule two:
    input: "{sample}.one"
    output: "{sample}.two"
    shell: "pipestat-spec status get -c pipestat.yaml -r {wildcards.sample} >{output}"
"""


def test_without_a_plan_records_are_completed_with_the_whole_run(place: Place) -> None:
    place.write(Snakefile=UNPLANNED)
    said = place.run("--cores", "1")
    assert said.count("pipestat: Snakemake could not be looked at: TypeError") == 1
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "completed",
    }
    assert records["s2"].results == {"n": 1}
