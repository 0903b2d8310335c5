"""Quality control of short reads, one sample at a time.

    python pipeline.py sample data/brain_1.fastq.gz     run as many at once as you like
    python pipeline.py summary                          when the samples are done

A read is cut where the adapter or low quality begins and kept when enough is left. What is
worth knowing afterwards is reported with pipestat-spec, which stores it where pipestat.yaml
says.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import plots

from pipestat_spec import PipestatManager

HERE = Path(__file__).parent
VERSION = "1.0.0"
ADAPTER = "AGATCGGAAGAGC"
MIN_LENGTH = 40
MIN_MEAN_QUALITY = 28


@dataclass(frozen=True)
class Read:
    """One read: the text of its header, its bases, and a Phred quality for each of them."""

    header: str
    bases: str
    qualities: tuple[int, ...]

    def cut(self, length: int) -> Read:
        return Read(self.header, self.bases[:length], self.qualities[:length])

    def fastq(self) -> str:
        text = "".join(chr(quality + 33) for quality in self.qualities)
        return f"{self.header}\n{self.bases}\n+\n{text}\n"


def read_fastq(path: Path) -> Iterator[Read]:
    """Yield the reads of a compressed file; raises EOFError or ValueError when it is damaged."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for header in lines:
            bases, plus, text = (next(lines, "").rstrip() for _ in range(3))
            if header[0] != "@" or plus[:1] != "+" or not len(bases) == len(text) > 0:
                raise ValueError(f"{path.name}: {header.rstrip()!r} is not followed by a read")
            yield Read(header.rstrip(), bases, tuple(ord(letter) - 33 for letter in text))


def find_adapter(bases: str) -> int:
    """Return where the adapter begins, or the length of the bases when it is not there."""
    position = bases.find(ADAPTER)
    return len(bases) if position < 0 else position


def good_length(qualities: Sequence[int], min_quality: int) -> int:
    """Return how many bases to keep so that the most is lost of what is below `min_quality`."""
    best, best_sum, running = len(qualities), 0, 0
    for position in reversed(range(len(qualities))):
        running += min_quality - qualities[position]
        if running > best_sum:
            best, best_sum = position, running
    return best


def run_sample(psm: PipestatManager, fastq: Path, min_quality: int) -> None:
    """Trim one sample and report it; its status becomes completed, or failed with the reason."""
    sample = fastq.name.removesuffix(".fastq.gz")
    folder = Path(psm.output_dir)
    with psm.record(sample, source={"pipeline_version": VERSION}) as run:
        reads = list(read_fastq(fastq))
        run.report(reads=len(reads))

        inserts = [read.cut(find_adapter(read.bases)) for read in reads]
        trimmed = [read.cut(good_length(read.qualities, min_quality)) for read in inserts]
        kept = [read for read in trimmed if len(read.bases) >= MIN_LENGTH]
        cleaned = folder / "cleaned" / f"{sample}.fastq.gz"
        cleaned.parent.mkdir(parents=True, exist_ok=True)
        cleaned.write_bytes(gzip.compress("".join(r.fastq() for r in kept).encode(), mtime=0))

        mean_quality = fmean(quality for read in reads for quality in read.qualities)
        bases = "".join(read.bases for read in kept)
        qualities = [read.qualities for read in reads]
        run.report(
            reads_kept=len(kept),
            mean_quality=round(mean_quality, 2),
            gc_percent=round(100 * (bases.count("G") + bases.count("C")) / len(bases), 2),
            verdict="pass" if mean_quality >= MIN_MEAN_QUALITY else "review",
            trimming={
                "min_quality": min_quality,
                "adapters": sum(ADAPTER in read.bases for read in reads),
                "bases_removed": sum(len(read.bases) for read in reads) - len(bases),
            },
            # Relative to the output folder, so that the whole folder can be moved.
            cleaned={"path": cleaned.relative_to(folder), "title": "Trimmed reads"},
            quality_plot=plots.quality_along_reads(folder, sample, qualities, min_quality),
        )


def run_summary(psm: PipestatManager) -> None:
    """Add up the completed samples at project level."""
    samples = psm.select_records(where="status = 'completed'", limit=None)["records"]
    folder = Path(psm.output_dir)
    with psm.record(level="project", source={"pipeline_version": VERSION}) as run:
        total = sum(sample["reads"] for sample in samples)
        run.report(
            samples=len(samples),
            total_reads=total,
            total_reads_kept=sum(sample["reads_kept"] for sample in samples),
            mean_quality=round(sum(s["mean_quality"] * s["reads"] for s in samples) / total, 2),
            overview=plots.overview(folder, samples),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality control of short reads.")
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="trim one sample")
    sample.add_argument("fastq", type=Path)
    sample.add_argument("--min-quality", type=int, default=20)
    commands.add_parser("summary", help="add up the samples that are completed")
    arguments = parser.parse_args()
    psm = PipestatManager(config_file=HERE / "pipestat.yaml")
    if arguments.command == "summary":
        run_summary(psm)
        return
    try:
        run_sample(psm, arguments.fastq, arguments.min_quality)
    except (EOFError, OSError, ValueError) as error:
        sys.exit(f"{arguments.fastq}: {error}")


if __name__ == "__main__":
    main()
