"""A run that stops, on a real engine, and ends well when it is resumed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import patience
from tests.commands import pipestat_spec
from tests.environments import clean_environment

# COUNT begins when all are aligned, which never happens while `bad` stops the run.
PIPELINE = """
process GENOME {
    tag "genome.fa"
    output:
    val "genome"
    script:
    "true"
}
process ALIGN {
    tag "$sample"
    errorStrategy { task.attempt < 2 ? 'retry' : 'terminate' }
    input:
    val sample
    output:
    val sample
    script:
    \"\"\"
    # a	tab, and several lines
    case $sample in
        bad) sleep 2; exit ${params.code} ;;
        flaky) [ $task.attempt = 2 ] || exit 4 ;;
    esac
    pipestat-emit $sample -o ${sample}.pipestat.json reads=5 \\
        --status ${sample == 'partly' ? 'partial' : 'completed'}
    \"\"\"
}
process COUNT {
    tag "$sample"
    input:
    val sample
    script:
    "true"
}
workflow {
    GENOME()
    ALIGN(Channel.of("good", "flaky", "partly", "bad"))
    COUNT(ALIGN.out.collect().flatten())
}
"""
SCHEMA = "pipeline_name: demo\nsamples: {reads: {type: integer, description: a count}}\n"
SHEET = "sample,fastq\ngood,g.fq\nflaky,f.fq\npartly,p.fq\nbad,b.fq\n"
# As nf-core pipelines have it: with the fields that Nextflow chooses.
TRACE = "trace { enabled = true; overwrite = true; file = 'trace.txt' }\nparams.code = 3\n"
WITH_SCRIPT = "trace.fields = 'hash,name,status,script,exit,duration'\n"


def test_what_was_never_begun_is_not_completed(engine: Path, tmp_path: Path) -> None:
    """The trace of the run that stops has scripts of several lines as well."""
    (tmp_path / "main.nf").write_text(PIPELINE)
    (tmp_path / "nextflow.config").write_text(TRACE + WITH_SCRIPT)
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "samples.csv").write_text(SHEET)
    pipestat_spec("shim", "install", "bin", cwd=tmp_path)

    def run(*options: str) -> int:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return subprocess.run(
            [engine, "run", "main.nf", *options],
            cwd=tmp_path,
            env=clean_environment(PATH=path, NXF_HOME=str(tmp_path / ".home")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience.SECONDS,
            check=False,
        ).returncode

    def ingest(store: str, *options: str) -> tuple[dict[str, str], str]:
        where = ("-f", store, "-s", "schema.yaml")
        trace = ("--nextflow-trace", "trace.txt", "--record", "{tag}")
        said = pipestat_spec("ingest", *where, "work", *trace, *options, cwd=tmp_path).stderr
        listed = pipestat_spec("status", "list", *where, "--format", "tsv", cwd=tmp_path).stdout
        lines = [line.split("\t") for line in listed.splitlines()[1:]]
        return {line[0]: line[1] for line in lines if len(line) > 1}, said

    sheet = ("--records", "samples.csv")
    waiting = {"good": "waiting", "flaky": "waiting", "partly": "waiting", "bad": "failed"}
    assert run() == 1
    found, said = ingest("unsaid.yaml", *sheet)
    assert found == waiting
    assert "warning: " in said
    assert "3 records" in said
    for options in (("--run-exit", "1"), ("--complete-when", "COUNT")):
        found, said = ingest(f"{options[0]}.yaml", *sheet, *options)
        assert found == waiting
        assert "warning: " not in said
    found, _ = ingest("aligned.yaml", *sheet, "--complete-when", "ALIGN")
    # The pipeline's own word is not overruled.
    done = {"good": "completed", "flaky": "completed", "partly": "partial"}
    assert found == {**done, "bad": "failed"}
    # A pattern of the shell chooses as well; documents in the folder are ingested all the same.
    found, _ = ingest("pattern.yaml", "--records", "[b]*d")
    assert found == {**done, "bad": "failed"}

    (tmp_path / "nextflow.config").write_text(TRACE)
    assert run("--code", "0", "-resume") == 0
    for options in ((), ("--run-exit", "0"), ("--complete-when", "COUNT")):
        found, said = ingest(f"done{len(options)}{options[:1]}.yaml", *sheet, *options)
        assert found == {**done, "bad": "completed"}
        assert "warning: " not in said
    # A document that was stored before counts as well.
    pipestat_spec("ingest", "-f", "two.yaml", "-s", "schema.yaml", "work", cwd=tmp_path)
    pipestat_spec(
        *("ingest", "-f", "two.yaml", "-s", "schema.yaml", "--nextflow-trace", "trace.txt"),
        *("--record", "{tag}", *sheet),
        cwd=tmp_path,
    )
    listed = pipestat_spec("status", "list", "-f", "two.yaml", "-s", "schema.yaml", cwd=tmp_path)
    assert listed.stdout.count("partial") == 1
