"""The workflow that docs/snakemake.md shows runs, with the plugin, as it says it is installed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.docs.test_code_blocks import ROOT, Reader
from tests.snakemake.places import Place


def test_the_rules_of_the_document_run(place: Place) -> None:
    place.write()
    text = (ROOT / "docs" / "snakemake.md").read_text()
    # The command of the document, which Place calls too.
    assert "snakemake --cores 8 --logger pipestat --logger-pipestat-config pipestat.yaml" in text
    (place.folder / "data").mkdir()
    (place.folder / "data" / "s1.fastq").write_text("@r\nAC\n+\nII\n" * 3)
    (place.folder / "data" / "s2.fastq").write_text("")
    Reader(ROOT / "docs" / "snakemake.md", place.folder).follow()
    with (place.folder / "reads.smk").open("a") as workflow:
        workflow.write('include: "checksum.smk"\n')
        workflow.write('rule script:\n    input: "data/{sample}.fastq"\n')
        workflow.write('    output: touch("{sample}.counted")\n')
        workflow.write('    script: "scripts/count.py"\n')
    place.run("--snakefile", "reads.smk", "all", "s1.md5", "s2.counted")
    records = place.records()
    assert {name: record.status for name, record in records.items()} == {
        "s1": "completed",
        "s2": "completed",
    }
    assert records["s1"].results == {"reads": 3, "md5": "19b4936c5e7e6f034c1fcc612df485db"}
    assert records["s2"].results == {"reads": 0}


def test_the_installation_works_from_a_clone(place: Place, tmp_path: Path) -> None:
    projects = (".", "./plugins/snakemake-logger-plugin-pipestat")
    # Both documents say the same command.
    for document in ("docs/snakemake.md", "plugins/snakemake-logger-plugin-pipestat/README.md"):
        found = re.search(r"^pip install ([^#\n]*)", (ROOT / document).read_text(), re.MULTILINE)
        assert found is not None, document
        assert tuple(found[1].split()) == projects, document
    # A copy, since a build leaves files behind; nothing is fetched.
    clone, target = tmp_path / "clone", tmp_path / "installed"
    ignored = shutil.ignore_patterns(".*", "node_modules", "tests", "work", "build", "dist")
    shutil.copytree(ROOT, clone, ignore=ignored)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    place.environment.run("python", "-m", "pip", "install", *options, *projects, cwd=clone)
    assert (target / "snakemake_logger_plugin_pipestat" / "session.py").is_file()
    assert (target / "pipestat_spec" / "store.py").is_file()


SCRIPTED = """
rule all:
    input: "p1-L1.txt"
rule count:
    output: "{patient}-{lane}.txt"
    script: "report.py"
"""
SCRIPT = """
from pipestat_spec import PipestatManager
with PipestatManager.from_snakemake(snakemake) as psm:
    psm.report({"reads": 7})
open(snakemake.output[0], "w")
"""


def test_a_script_finds_what_the_logger_was_given(place: Place, tmp_path: Path) -> None:
    """Configuration, record and namespace, though the jobs work in another folder."""
    place.write(Snakefile=SCRIPTED, report__py=SCRIPT)
    (place.folder / "pipestat.yaml").write_text("results_file_path: not-this/results.yaml\n")
    (place.folder / "conf").mkdir()
    (place.folder / "conf" / "store.yaml").write_text("results_file_path: ../store/results.yaml\n")
    given = ["--logger-pipestat-record", "{patient}/{lane}", "--logger-pipestat-pipeline-name"]
    place.run("--logger-pipestat-config", "conf/store.yaml", *given, "demo", "-d", "elsewhere")
    assert (place.folder / "elsewhere" / "p1-L1.txt").exists()
    record = place.records()["p1/L1"]
    assert (record.status, record.results) == ("completed", {"reads": 7})
    assert not (place.folder / "not-this").exists()
