"""The quickstart runs, and stores what can be found out about its input without it."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.quickstart import quickstart_that_ran
from tests.repository import REPOSITORY

SAMPLES = ["brain_1", "brain_2", "liver_1", "liver_2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The copy in which the demo ran, and what it printed."""
    return quickstart_that_ran(tmp_path_factory)


@pytest.fixture
def output(run: tuple[Path, str]) -> Path:
    return run[0] / "output"


@pytest.fixture
def stored(output: Path) -> dict[str, Any]:
    """The results file as another parser reads it."""
    document = yaml.safe_load((output / "results.yaml").read_text("utf-8"))
    assert list(document) == ["readqc"]
    return document["readqc"]


def shell(command: str, folder: Path) -> str:
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def fastq(path: Path) -> list[tuple[str, str]]:
    """Return (bases, quality text) of each read."""
    lines = gzip.decompress(path.read_bytes()).decode("ascii").split("\n")
    return list(zip(lines[1::4], lines[3::4], strict=True))


@pytest.mark.parametrize("sample", SAMPLES)
def test_numbers_of_a_sample_are_those_of_its_files(
    run: tuple[Path, str], stored: dict[str, Any], sample: str
) -> None:
    results = stored["sample"][sample]
    lines = int(shell(f"gzip -dc data/{sample}.fastq.gz | wc -l", run[0]))
    assert results["reads"] == lines // 4
    assert type(results["reads"]) is int
    kept = int(shell(f"gzip -dc output/{results['cleaned']['path']} | wc -l", run[0]))
    assert results["reads_kept"] == kept // 4
    assert 0 < results["reads_kept"] < results["reads"]

    raw = fastq(run[0] / "data" / f"{sample}.fastq.gz")
    qualities = b"".join(text.encode() for _, text in raw)
    assert results["mean_quality"] == round(sum(qualities) / len(qualities) - 33, 2)
    clean = fastq(run[0] / "output" / results["cleaned"]["path"])
    bases = "".join(read for read, _ in clean)
    assert results["gc_percent"] == round(100 * len(re.findall("[GC]", bases)) / len(bases), 2)
    assert results["trimming"]["bases_removed"] == len(qualities) - len(bases)
    assert results["trimming"]["adapters"] == sum("AGATCGGAAGAGC" in read for read, _ in raw)
    assert results["verdict"] == ("review" if sample == "liver_2" else "pass")


@pytest.mark.parametrize("sample", SAMPLES)
def test_cleaned_reads_are_shortened_reads(run: tuple[Path, str], sample: str) -> None:
    raw = iter(fastq(run[0] / "data" / f"{sample}.fastq.gz"))
    for bases, quality in fastq(run[0] / "output" / "cleaned" / f"{sample}.fastq.gz"):
        assert len(bases) == len(quality) >= 40
        assert "AGATCGGAAGAGC" not in bases
        assert any(b.startswith(bases) and q.startswith(quality) for b, q in raw)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_checksum_from_the_shell_is_that_of_the_file(
    output: Path, stored: dict[str, Any], sample: str
) -> None:
    results = stored["sample"][sample]
    cleaned = (output / results["cleaned"]["path"]).read_bytes()
    assert results["cleaned_md5"] == hashlib.md5(cleaned).hexdigest()


def test_plots_are_drawn(output: Path, stored: dict[str, Any]) -> None:
    images = [stored["sample"][sample]["quality_plot"] for sample in SAMPLES]
    images.append(stored["project"]["tissue-panel"]["overview"])
    for image in images:
        assert image["title"]
        wide, high = png_size(output / image["path"])
        small_wide, small_high = png_size(output / image["thumbnail_path"])
        assert wide >= 600
        assert high >= 400
        assert small_wide < wide / 2
        assert small_high < high / 2


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_the_damaged_sample_failed_with_the_reason(
    run: tuple[Path, str], output: Path, stored: dict[str, Any]
) -> None:
    record = stored["sample"]["heart_1"]
    assert list(record) == ["meta"]
    with pytest.raises(EOFError) as caught:
        gzip.decompress((run[0] / "data" / "heart_1.fastq.gz").read_bytes())
    assert record["meta"]["status_message"] == f"EOFError: {caught.value}"
    assert not (output / "cleaned" / "heart_1.fastq.gz").exists()
    assert f"data/heart_1.fastq.gz: {caught.value}" in run[1]


def test_statuses_are_flags(output: Path) -> None:
    expected = {f"readqc_{sample}_completed.flag": "completed" for sample in SAMPLES}
    expected |= {
        "readqc_heart_1_failed.flag": "failed",
        "readqc_tissue-panel_completed.flag": "completed",
    }
    flags = {path.name: path.read_text() for path in (output / "status").iterdir()}
    assert flags == expected
    assert sorted(os.listdir(output)) == [
        ".results.yaml.lock",
        ".results.yaml.status",
        "cleaned",
        "plots",
        "results.yaml",
        "status",
    ]


def test_the_summary_adds_up_the_completed_samples(stored: dict[str, Any]) -> None:
    summary = stored["project"]["tissue-panel"]
    samples = [stored["sample"][sample] for sample in SAMPLES]
    assert summary["samples"] == 4
    assert summary["total_reads"] == sum(sample["reads"] for sample in samples)
    assert summary["total_reads_kept"] == sum(sample["reads_kept"] for sample in samples)
    qualities = [sample["mean_quality"] for sample in samples]
    assert min(qualities) < summary["mean_quality"] < max(qualities)


def test_the_second_run_left_history_where_values_changed(stored: dict[str, Any]) -> None:
    history = stored["sample"]["liver_2"]["meta"]["history"]
    assert set(history) == {"reads_kept", "gc_percent", "trimming", "cleaned_md5"}
    assert [old["min_quality"] for old in history["trimming"].values()] == [20]
    assert stored["sample"]["liver_2"]["trimming"]["min_quality"] == 25
    (before,) = history["reads_kept"].values()
    assert before > stored["sample"]["liver_2"]["reads_kept"]
    for sample in ("brain_1", "brain_2", "liver_1"):
        assert "history" not in stored["sample"][sample]["meta"]


def test_readme_shows_what_the_demo_prints(run: tuple[Path, str]) -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```\n\$ make demo\n(.*?)^\$ make test\n```$", readme, re.M | re.S)
    printed = run[1]
    for line in block.splitlines():
        shown = [part for part in line.split("...") if part.strip()]
        assert all(part in printed for part in shown), line
    assert "heart_1" in block
    assert "failed" in block
