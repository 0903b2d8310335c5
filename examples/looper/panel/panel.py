"""Compares the samples of the project: reads the results of the sample pipelines, draws them.

python panel.py RESULTS CONFIG     RESULTS is looper's output folder, CONFIG the file that looper
                                   wrote there for this pipeline
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from pipestat_spec import PipestatManager


def completed(results: Path, pipeline: str) -> dict[str, dict[str, Any]]:
    """Return the completed records of a sample pipeline, where looper's configuration says."""
    psm = PipestatManager(config_file=results / f"pipestat_config_{pipeline}.yaml")
    found = psm.select_records(where="status = 'completed'", limit=None)["records"]
    return {record["record_identifier"]: record for record in found}


def draw(folder: Path, samples: list[dict[str, Any]]) -> dict[str, str]:
    """Draw a bar for each sample into `folder`; return the image result."""
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(6.4, 3.0), layout="constrained")
    axes.barh([s["name"] for s in samples], [s["reads"] for s in samples], color="#1f6fb4")
    for row, sample in enumerate(samples):
        text = f"  mean quality {sample['mean_quality']:.1f}"
        axes.text(0, row, text, va="center", color="white", fontsize=9)
    axes.invert_yaxis()
    axes.set(xlabel="reads")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "overview.png", dpi=130)
    figure.savefig(folder / "overview_small.png", dpi=40)
    pyplot.close(figure)
    return {
        "path": "overview.png",
        "thumbnail_path": "overview_small.png",
        "title": "Reads and quality",
    }


def main(results: Path, config: str) -> None:
    psm = PipestatManager(config_file=config, pipeline_type="project")
    with psm.record() as run:
        counts, qualities = completed(results, "count_reads"), completed(results, "read_quality")
        samples = [
            {"name": name, "reads": counts[name]["reads"], **qualities[name]}
            for name in sorted(counts.keys() & qualities.keys())
        ]
        total = sum(sample["reads"] for sample in samples)
        weighted = sum(sample["reads"] * sample["mean_quality"] for sample in samples)
        run.report(
            samples=len(samples),
            total_reads=total,
            mean_quality=round(weighted / total, 2),
            overview=draw(Path(run.folder), samples),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
