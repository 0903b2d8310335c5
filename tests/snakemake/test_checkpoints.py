"""While checkpoints may still add jobs to a record, it is not completed."""

from __future__ import annotations

import pytest

from tests.snakemake.places import Place

# Which parts there are, and of which samples, is known only when all have been scattered. `probe`
# looks at s1 when all of its jobs so far have finished.
SNAKEFILE = """
import os
wildcard_constraints: sample="s[12]"
def parts(wildcards):
    found = []
    for sample in ["s1", "s2"]:
        folder = checkpoints.scatter.get(sample=sample).output[0]
        found += [f"made/{sample}/{name}" for name in os.listdir(folder) if name == "1"]
    return found
rule all:
    input: "probe.txt", parts
checkpoint scatter:
    input: lambda wildcards: "probe.txt" if wildcards.sample == "s2" else "begin/s1"
    output: directory("parts/{sample}")
    shell:
        '''
        [ {wildcards.sample} = s1 ] || [ ! -e broken ]
        mkdir -p {output}; touch {output}/1
        '''
rule begin:
    output: "begin/{sample}"
    shell: "mkdir -p begin; touch {output}"
rule probe:
    input: "parts/s1"
    output: "probe.txt"
    shell: "pipestat-spec status get -c pipestat.yaml -r s1 >{output}"
rule part:
    input: "parts/{sample}/{number}"
    output: "made/{sample}/{number}"
    shell: "touch {output}"
"""


@pytest.mark.parametrize("broken", [False, True])
def test_no_record_is_completed_while_a_checkpoint_is_open(place: Place, broken: bool) -> None:
    place.write(Snakefile=SNAKEFILE)
    if broken:
        (place.folder / "broken").touch()
    printed = place.run("--keep-going", code=int(broken))
    assert "pipestat:" not in printed
    assert (place.folder / "probe.txt").read_text().split()[-1] in ("running", "waiting")
    # What a part of s1 would have been, was never reached.
    expected = {"s1": "waiting", "s2": "failed"} if broken else {"s1": "completed"}
    assert place.statuses() == {"s2": "completed", **expected}


def test_what_is_up_to_date_waits_for_an_open_checkpoint(place: Place) -> None:
    """After the store was lost; and it is completed as soon as nothing can be added."""
    place.write(Snakefile=SNAKEFILE)
    place.run("parts/s1", "probe.txt")
    assert place.statuses() == {"s1": "completed"}
    place.clear()
    (place.folder / "broken").touch()
    place.run("--keep-going", code=1)
    assert place.statuses() == {"s1": "waiting", "s2": "failed"}
    place.clear()
    (place.folder / "broken").unlink()
    snakefile = place.folder / "Snakefile"
    snakefile.write_text(SNAKEFILE.replace('name == "1"', "False"))
    place.run("--rerun-triggers", "mtime")
    assert place.statuses() == {"s1": "completed", "s2": "completed"}
