"""The two figures of the pipeline: a PNG with a thumbnail, returned as an image result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

BLUE, PALE, GREY, RED = "#1f6fb4", "#bcd6ec", "#c9ced6", "#c0392b"


def quality_along_reads(
    folder: Path, sample: str, reads: Sequence[Sequence[int]], min_quality: int
) -> dict[str, str]:
    """Draw the mean quality at each position, with the range of the middle 80 % of the reads."""
    columns = list(zip(*reads, strict=True))
    positions = range(1, len(columns) + 1)
    deciles = [quantiles(column, n=10) for column in columns]
    title = f"Quality along the reads of {sample}"
    figure, axes = _figure(title)
    low, high = [d[0] for d in deciles], [d[-1] for d in deciles]
    axes.fill_between(
        positions, low, high, color=PALE, linewidth=0, label="middle 80 % of the reads"
    )
    axes.plot(positions, [fmean(c) for c in columns], color=BLUE, linewidth=2, label="mean")
    axes.axhline(min_quality, color=RED, linewidth=1, linestyle=(0, (4, 3)), label="limit")
    axes.set(
        xlabel="position in the read", ylabel="Phred quality", xlim=(1, len(columns)), ylim=(0, 42)
    )
    axes.legend(loc="lower left", frameon=False)
    return _save(figure, folder, sample, title)


def overview(folder: Path, samples: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Draw a bar for each sample: reads kept and reads removed."""
    names = [sample["record_identifier"] for sample in samples]
    kept = [sample["reads_kept"] for sample in samples]
    removed = [sample["reads"] - sample["reads_kept"] for sample in samples]
    title = "Reads kept and removed"
    figure, axes = _figure(title)
    axes.barh(names, kept, color=BLUE, height=0.6, label="kept")
    axes.barh(names, removed, left=kept, color=GREY, height=0.6, label="removed")
    for row, sample in enumerate(samples):
        text = f"mean quality {sample['mean_quality']:.1f}, {sample['verdict']}"
        axes.text(6, row, text, va="center", color="white", fontsize=9)
    axes.invert_yaxis()
    axes.set(xlabel="reads")
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    return _save(figure, folder, "overview", title)


def _figure(title: str) -> tuple[Figure, Any]:
    figure, axes = pyplot.subplots(figsize=(6.4, 3.8), layout="constrained")
    axes.set_title(title, loc="left", fontsize=12)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, folder: Path, name: str, title: str) -> dict[str, str]:
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    image = {"path": f"plots/{name}.png", "thumbnail_path": f"plots/{name}_small.png"}
    figure.savefig(folder / image["path"], dpi=130)
    figure.savefig(folder / image["thumbnail_path"], dpi=40)
    pyplot.close(figure)
    return {**image, "title": title}
