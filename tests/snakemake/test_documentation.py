"""The workflow that docs/snakemake.md shows runs, with the plugin."""

from __future__ import annotations

from tests.docs.test_code_blocks import ROOT, Reader
from tests.snakemake.places import Place


def test_the_rules_of_the_document_run(place: Place) -> None:
    place.write()
    (place.folder / "data").mkdir()
    (place.folder / "data" / "s1.fastq").write_text("@r\nAC\n+\nII\n" * 3)
    (place.folder / "data" / "s2.fastq").write_text("")
    Reader(ROOT / "docs" / "snakemake.md", place.folder).follow()
    with (place.folder / "reads.smk").open("a") as workflow:
        workflow.write('include: "checksum.smk"\n')
        workflow.write('rule script:\n    input: "data/{sample}.fastq"\n')
        workflow.write('    output: touch("{sample}.counted")\n')
        workflow.write('    params: pipestat="pipestat.yaml"\n    script: "scripts/count.py"\n')
    place.run("--snakefile", "reads.smk", "all", "s1.md5", "s2.counted")
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "completed",
    }
    assert records["s1"].results == {"reads": 3, "md5": "19b4936c5e7e6f034c1fcc612df485db"}
    assert records["s2"].results == {"reads": 0}
