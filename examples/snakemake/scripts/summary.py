"""Add up the samples; run by the rule `summary`, which belongs to no sample."""

from pathlib import Path

from pipestat_spec import PipestatManager

tables = [Path(path) for path in snakemake.input]  # noqa: F821 - Snakemake gives scripts this
totals = [
    sum(int(line.split("\t")[1]) for line in table.read_text().splitlines()) for table in tables
]
Path(snakemake.output[0]).write_text(f"samples\t{len(totals)}\nbases\t{sum(totals)}\n")  # noqa: F821
with PipestatManager.from_snakemake(snakemake, pipeline_type="project") as psm:  # noqa: F821
    psm.report({"samples": len(totals), "total_bases": sum(totals)})
