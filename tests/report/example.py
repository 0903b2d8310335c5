"""A project with every kind of result, for the report to show."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from pipestat_spec import PipestatManager
from pipestat_spec.models.record import RecordKey

SCHEMA = Path(__file__).with_name("schema.yaml")

TISSUES = ("brain", "heart", "kidney", "liver", "lung", "muscle", "spleen", "testis")
STATUSES = (*["completed"] * 17, "running", "failed", "waiting", "partial")
MESSAGES = {
    "failed": "align: out of memory (exit 137), attempt 3 of 3",
    "partial": "counts skipped: no annotation for this assembly",
}


def sample_values(chance: random.Random, name: str, images: bool) -> dict[str, Any]:
    rate = round(min(0.99, max(0.3, chance.gauss(0.92, 0.03))), 6)
    reads = max(0, round(chance.gauss(3.1e7, 6e6)))
    values: dict[str, Any] = {
        "reads": reads,
        "mapping_rate": rate,
        "duplication_rate": round(min(0.9, max(0.04, chance.gauss(0.2, 0.06))), 6),
        "gc_percent": round(chance.gauss(47.5, 1.7), 3),
        "genome": chance.choice(["hg38"] * 8 + ["hg19", "mm39"]),
        "paired": chance.random() < 0.8,
        "adapter": chance.choice(["AGATCGGAAGAGC", "CTGTCTCTTATA"]),
        "align": {"rate": rate, "unique": round(reads * rate), "strand": {"protocol": "reverse"}},
    }
    if images:
        values["coverage"] = {"path": f"plots/{name}/coverage.png", "title": "Gene body coverage"}
        values["insert_size"] = {"path": f"plots/{name}/insert.png", "title": "Insert size"}
        values["counts"] = {"path": f"results/{name} counts#1.tsv", "title": "Gene counts"}
    return values


def draw(path: Path, chance: random.Random, colour: str) -> None:
    """Draw a plot such as a pipeline makes."""
    from PIL import Image, ImageDraw

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (640, 440), "white")
    pen = ImageDraw.Draw(picture)
    pen.line([(70, 30), (70, 380), (610, 380)], fill="#444444", width=2)
    height = 200.0
    points = []
    for x in range(75, 600, 8):
        height = min(320, max(20, height + chance.gauss(0, 14)))
        points.append((x, 380 - height))
    pen.polygon([(75, 380), *points, (599, 380)], fill=colour)
    picture.save(path)


def make_project(folder: Path, count: int = 240, pictures: int = 40) -> PipestatManager:
    """Report `count` records, the first `pictures` with files that are there."""
    chance = random.Random(20261129)
    psm = PipestatManager(
        results_file_path=str(folder / "results.yaml"),
        schema_path=str(SCHEMA),
    )
    names = [f"{TISSUES[i % 8]}_R{i // 8 + 1:02}" for i in range(count)]
    documents: dict[str, tuple[dict[str, Any], str]] = {}
    earlier: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(names):
        status = chance.choice(STATUSES)
        values = sample_values(chance, name, images=i < pictures + 2)
        if status in ("failed", "waiting", "running"):
            values = dict(list(values.items())[: chance.choice((0, 2, 5))])
        if i < pictures and "coverage" in values:
            draw(folder / values["coverage"]["path"], chance, "#a9c1dc")
            draw(folder / values["insert_size"]["path"], chance, "#9cc7b1")
            counts = folder / values["counts"]["path"]
            counts.parent.mkdir(exist_ok=True)
            counts.write_text("gene\tn\n")
        documents[name] = values, status
        if values and chance.random() < 0.3:
            earlier[name] = {"reads": values["reads"] + 1000, "genome": "hg19"}
    psm.report_many(earlier)
    rules = psm.store.rules
    todo = []
    for name, (values, status) in documents.items():
        key, message = RecordKey("sample", name), MESSAGES.get(status)
        source = {"engine": "nextflow", "attempt": 1}
        change = rules.report(
            key, values, overwrite=True, status=status, status_message=message, source=source
        )
        todo.append((key, change))
    psm.store.apply(todo)
    draw(folder / "plots" / "pca.png", chance, "#c9b6dd")
    total = {"total_reads": 7_109_626_597, "annotation": "Ensembl 112, GRCh38.p14"}
    psm.report({**total, "total_reads": 6_000_000_000}, "rnaseq", level="project")
    psm.report(
        {
            **total,
            "matrix": {"path": "results/matrix.tsv.gz", "title": "Count matrix"},
            "pca": {"path": "plots/pca.png", "title": "Samples by expression"},
        },
        "rnaseq",
        level="project",
        force_overwrite=True,
    )
    return psm
