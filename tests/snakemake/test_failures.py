"""Why a job failed, as Snakemake prints it, stands in the status message of its record."""

from __future__ import annotations

from tests.snakemake.places import Place

# One sample for each place in which Snakemake finds out that a job has failed. Of the jobs with
# a shell command and of those with a `run` block, one runs a second time and one does not.
SNAKEFILE = """
rule all:
    input:
        "empty.ensured", "wrong.checksum", "raised.run",
        "sunk.sink", "gone.missing", "late.shape"
rule ensured:
    retries: 1
    output: ensure("{sample}.ensured", non_empty=True)
    shell: "touch {output}"
rule checksum:
    output: ensure("{sample}.checksum", sha256="00")
    shell: "echo 1 >{output}"
rule run_block:
    retries: 1
    output: "{sample}.run"
    run:
        raise ValueError("nothing to see, " + wildcards.sample)
rule source:
    output: pipe("{sample}.pipe")
    shell: "echo 1 >{output}"
rule sink:
    input: "{sample}.pipe"
    output: "{sample}.sink"
    shell: "cat {input} >/dev/null; exit 7"
rule missing:
    output: "{sample}.missing"
    shell: "true"
rule run_without_output:
    output: "{sample}.shape"
    run:
        pass
"""
# The rule, the attempt, and what is said, by sample.
CAUSES = {
    "empty": ("ensured", 2, "empty.ensured"),
    "wrong": ("checksum", 1, "wrong.checksum"),
    "raised": ("run_block", 2, "nothing to see, raised"),
    "gone": ("missing", 1, "gone.missing"),
    "late": ("run_without_output", 1, "late.shape"),
}


def test_the_cause_of_a_failure_is_kept(place: Place) -> None:
    place.write(Snakefile=SNAKEFILE)
    printed = place.run("--keep-going", code=1)
    assert "pipestat:" not in printed
    records = place.records()
    assert {record.status for record in records.values()} == {"failed"}
    assert set(records) == {*CAUSES, "sunk"}
    for name, (rule, attempt, cause) in CAUSES.items():
        record = records[name]
        assert record.job == (rule, attempt)
        which = " in attempt 2" if attempt == 2 else ""
        assert (record.message or "").startswith(f"rule {rule} failed{which}: ")
        assert cause in (record.message or "")
    # All of a group have failed, and each tells why.
    assert "exit status 7" in (records["sunk"].message or "")
    assert "with its group" in (records["sunk"].message or "")
    assert list((place.folder / ".snakemake" / "pipestat").iterdir()) == []
