"""The pipelines of examples/looper said with pipestat: its import, and its command."""

from __future__ import annotations

from pathlib import Path

COUNT_READS = """\
#!/usr/bin/env bash
set -euo pipefail
fastq=$1 sample=$2 config=$3
trap 'pipestat status set failed -r "$sample" -c "$config"' ERR
pipestat status set running -r "$sample" -c "$config"
lines=$(gzip -dc "$fastq" | wc -l)
pipestat report -r "$sample" -c "$config" -i reads -v $((lines / 4))
pipestat status set completed -r "$sample" -c "$config"
"""

READ_QUALITY = """\
import gzip
import sys

from pipestat import PipestatManager

fastq, sample, config = sys.argv[1:]
psm = PipestatManager.from_config(config, multi_pipelines=True)
psm.set_status("running", sample)
try:
    lines = gzip.open(fastq, "rt").read().splitlines()
except EOFError:
    psm.set_status("failed", sample)
    sys.exit("damaged")
bases, qualities = lines[1::4], "".join(lines[3::4]).encode()
values = {"mean_quality": round(sum(qualities) / len(qualities) - 33, 2)}
psm.report(values=values, record_identifier=sample)
lengths = {"shortest": min(map(len, bases)), "longest": max(map(len, bases))}
psm.report(values={"read_length": lengths}, record_identifier=sample)
psm.set_status("completed", sample)
"""

PANEL = """\
import sys

from pipestat import PipestatManager

results, config = sys.argv[1:]
psm = PipestatManager.from_config(config, pipeline_type="project")
psm.set_status(record_identifier=psm.record_identifier, status_identifier="running")
samples = PipestatManager.from_config(results + "/pipestat_config_read_quality.yaml")
found = samples.select_records()["records"]
values = {
    "samples": len(found),
    "mean_quality": round(sum(record["mean_quality"] for record in found) / len(found), 2),
    "overview": {"path": "overview.png", "title": "Reads and quality"},
}
psm.report(values=values)
psm.set_status(record_identifier=psm.record_identifier, status_identifier="completed")
"""


def translate(folder: Path) -> None:
    """Put them into a copy of the example."""
    (folder / "count_reads" / "count_reads.sh").write_text(COUNT_READS)
    (folder / "read_quality" / "read_quality.py").write_text(READ_QUALITY)
    (folder / "panel" / "panel.py").write_text(PANEL)
