"""What the pipelines of examples/looper have to find, computed in other ways than theirs.

And readers of looper's tables and pages.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.looper.example_runs import EXAMPLES, Facts

DATA = EXAMPLES / "quickstart" / "data"
SAMPLES = ["brain_1", "liver_1", "liver_2"]


def shell(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], cwd=DATA, capture_output=True, check=True)
    return done.stdout.decode().strip()


def expected_count(sample: str) -> dict[str, Any]:
    lines = int(shell(f"gzip -dc {sample}.fastq.gz | wc -l"))
    md5 = hashlib.md5((DATA / f"{sample}.fastq.gz").read_bytes()).hexdigest()
    return {"reads": lines // 4, "md5": md5}


def expected_quality(sample: str) -> dict[str, Any]:
    lines = gzip.decompress((DATA / f"{sample}.fastq.gz").read_bytes()).decode().split("\n")
    bases, qualities = lines[1::4], "".join(lines[3::4]).encode()
    letters = "".join(bases)
    gc = 100 * len(re.findall("[GC]", letters)) / len(letters)
    return {
        "mean_quality": round(sum(qualities) / len(qualities) - 33, 2),
        "gc_percent": round(gc, 2),
        "read_length": {"shortest": min(map(len, bases)), "longest": max(map(len, bases))},
        "profile": {"path": f"profiles/{sample}.tsv", "title": "Quality along the reads"},
    }


def expected_records(samples: list[str]) -> dict[tuple[str, ...], Any]:
    return {
        **{("record", "count_reads", "sample", s): expected_count(s) for s in samples},
        **{("record", "read_quality", "sample", s): expected_quality(s) for s in samples},
    }


def expected_statuses(kind: str, **changes: str) -> dict[tuple[str, ...], str]:
    """Return the facts of looper's check or of the flag files: completed, or as `changes` say."""
    found: dict[tuple[str, ...], str] = {}
    for pipeline in ("count_reads", "read_quality"):
        for sample in SAMPLES:
            status = changes.get(sample, "completed")
            flag = (f"{pipeline}_{sample}_{status}.flag",)
            found[kind, *(flag if kind == "flag" else (pipeline, sample))] = status
    return found


def of_kind(facts: Facts, *kinds: str) -> Facts:
    return {name: value for name, value in facts.items() if name[0] in kinds}


def expected_config(pipeline: str, folder: str) -> dict[str, Any]:
    return {
        "project_name": "tissue-panel",
        "multi_pipelines": True,
        "output_dir": "FOLDER/output/results",
        "flag_file_dir": "FOLDER/output/flags",
        "pipeline_name": pipeline,
        "schema_path": f"FOLDER/{pipeline}/output_schema.yaml",
        "results_file_path": f"FOLDER/output/results/{folder}/results.yaml",
    }


def table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by record."""
    head, *rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    found = [dict(zip(head, row, strict=True)) for row in rows]
    for row in found:
        del row["Sample Index"], row["Pipeline Type"]
    return {row.pop("Record Identifier"): row for row in found}


def cells(page: str) -> set[str]:
    return {text.strip() for text in re.findall(r"<td[^>]*>([^<]*)</td>", page)}


def links(page: str, suffix: str) -> set[str]:
    return {
        link
        for link in re.findall(r"""(?:href|src)=['"](.+?)['"]""", page)
        if link.endswith(suffix)
    }
