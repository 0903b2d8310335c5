"""What the builder writes: document, links, thumbnails, page, zip."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pipestat_report.colours import status_rules
from pipestat_report.links import locate, relative_link, safe_address
from pipestat_report.options import Options, read_options
from pipestat_report.report import build_report

from pipestat_spec import PipestatManager
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.models.record import RecordKey
from pipestat_spec.plugins.loading import plugins

SCHEMA = """
title: From the schema
properties:
  pipeline_name: p
  samples:
    properties:
      n: {type: integer, description: A number.}
      plot: {type: image, highlight: true}
      doc: {type: file}
  project:
    properties:
      total: {type: integer}
"""


def manager(folder: Path) -> PipestatManager:
    (folder / "schema.yaml").write_text(SCHEMA)
    return PipestatManager(
        results_file_path=str(folder / "r.yaml"), schema_path=str(folder / "schema.yaml")
    )


def block(page: Path, name: str) -> str:
    found = re.search(
        rf'<script type="[^"]*" id="{name}">([^<]*)</script>', page.read_text("utf-8")
    )
    assert found is not None
    return found[1]


def document(page: Path) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(block(page, "data"))))


def picture(path: Path, size: tuple[int, int] = (640, 440)) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 80).save(path)


def test_the_document_has_verdicts_and_reasons(tmp_path: Path) -> None:
    plain = build_report(manager(tmp_path).store, tmp_path)[0]
    assert document(plain)["samples"]["verdicts"] is None
    (tmp_path / "qc.yaml").write_text(
        "pipeline_name: p\nsamples:\n  verdict: {type: string}\n"
        '  n: {type: integer, qc: {fail: "value < 5", warn: "value < 9", reason: too few}}\n'
        'project: {n: {type: integer, qc: {warn: "value < 5"}}}\n'
    )
    psm = PipestatManager(
        results_file_path=str(tmp_path / "r.yaml"), schema_path=str(tmp_path / "qc.yaml")
    )
    psm.report_many({"s1": {"n": 9}, "s2": {"n": 4}, "s3": {"n": 8}, "s4": {"verdict": "mine"}})
    psm.report({"n": 1}, "project", level="project")
    page = build_report(psm.store, tmp_path)[0]
    found = document(page)
    assert found["schema"] == "qc.yaml"
    assert found["samples"]["verdicts"] == {
        "field": "pipestat_verdict",
        "values": ["pass", "fail", "warn", "not judged"],
        "reasons": {"1": [["fail", "too few (n = 4)"]], "2": [["warn", "too few (n = 8)"]]},
    }
    assert found["project"]["verdicts"]["reasons"] == {"0": [["warn", "value < 5 (n = 1)"]]}
    text = page.read_text("utf-8")
    assert '<th scope="row">s2</th><td></td><td>fail</td>' in text


def test_the_document_has_every_value_apart(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"n": 2**53 + 1, "extra": {"$a": [1.5, None, True]}, "none": None}, "s1")
    psm.report({"n": 2}, "s2")
    psm.report({"n": 3}, "s2", force_overwrite=True)
    psm.set_status("failed", "s3", message="no reads")
    psm.report({"total": 7}, "project", level="project")
    found = document(build_report(psm.store, tmp_path)[0])
    samples = found["samples"]
    assert found["title"] == "From the schema"
    assert found["place"] == "r.yaml"
    assert samples["ids"] == ["s1", "s2", "s3"]
    assert samples["status"] == [None, None, "failed"]
    assert samples["messages"] == {"2": "no reads"}
    names = [field["name"] for field in samples["fields"]]
    assert names == ["plot", "n", "doc", "extra", "none"]
    columns = dict(zip(names, samples["columns"], strict=True))
    assert columns["n"] == {"values": [{"$int": "9007199254740993"}, 3, None]}
    assert columns["extra"] == {"rows": [0], "values": [{"$$a": [1.5, None, True]}]}
    assert columns["none"] == {"rows": [0], "values": [None]}
    assert columns["plot"] == {"rows": [], "values": []}
    [(time, value)] = samples["history"]["1"]["n"]
    assert value == 2
    assert time.endswith("Z")
    assert samples["fields"][1]["description"] == "A number."
    assert found["project"]["columns"] == [{"values": [7]}]


def test_since_when_a_record_has_its_status(tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    psm.report({"x": 1}, "a")
    psm.set_status("running", "b")
    [(_, since)] = document(build_report(psm.store, tmp_path)[0])["samples"]["since"].items()
    record = psm.store.backend.read(RecordKey("sample", "b"))
    assert record is not None
    assert record.status_time is not None
    assert since == format_utc(record.status_time)


def test_reported_nulls_are_told_apart(tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    for name, values in {"a": {"x": None}, "b": {"x": 1}, "c": {"y": 1}}.items():
        psm.report(values, name)
    columns = document(build_report(psm.store, tmp_path)[0])["samples"]["columns"]
    assert columns[0] == {"values": [None, 1, None], "nulls": [0]}


def test_records_that_reported_nothing(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"n": 1}, "s1")
    page = build_report(psm.store, tmp_path, Options(not_reported=("z", "s1", "a")))[0]
    assert document(page)["notReported"] == ["a", "z"]


def test_files_are_linked_from_where_the_report_is(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    odd = tmp_path / "out" / "a #1?é 100%.txt"
    odd.parent.mkdir()
    odd.write_text("x")
    psm.report({"doc": {"path": "out/a #1?é 100%.txt", "title": "t"}}, "s1")
    psm.report({"doc": {"path": "gone.txt", "title": "t"}}, "s2")
    psm.report({"doc": {"path": "https://example.org/x.txt", "title": "t"}}, "s3")
    psm.report({"doc": {"path": "s3://bucket/x.txt", "title": "t"}}, "s4")
    psm.report({"doc": {"path": "javascript:alert(1)", "title": "t"}}, "s5")
    page = build_report(psm.store, tmp_path / "reports" / "r.html")[0]
    media = document(page)["samples"]["media"]["doc"]
    assert media == {
        "0": [{"kind": "file", "href": "../out/a%20%231%3F%C3%A9%20100%25.txt"}],
        "1": [{"kind": "file", "missing": True}],
        "2": [{"kind": "file", "href": "https://example.org/x.txt"}],
        "3": [{"kind": "file", "address": "s3://bucket/x.txt"}],
        "4": [{"kind": "file", "missing": True}],
    }


@pytest.mark.parametrize(
    ("path", "folder", "file", "address"),
    [
        ("a/../b.png", "/data", "/data/b.png", None),
        ("/x/b.png", "s3://bucket/run", "/x/b.png", None),
        ("b c.png", "https://host/run", None, "https://host/run/b%20c.png"),
        ("b.png", "s3://bucket/run/", None, "s3://bucket/run/b.png"),
        ("file:///x/b%20c.png", "/data", "/x/b c.png", None),
    ],
)
def test_where_a_path_leads(path: str, folder: str, file: str | None, address: str | None) -> None:
    assert locate(path, folder) == (file, address)


def test_only_some_addresses_are_followed() -> None:
    assert safe_address("HTTPS://host/x") == "HTTPS://host/x"
    assert safe_address("s3://bucket/x") is None
    assert relative_link("/data/javascript:x", "/data") == "javascript%3Ax"


def test_thumbnails_stay_within_the_budget(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    for number in range(6):
        picture(tmp_path / f"{number}.png")
        psm.report({"plot": {"path": f"{number}.png", "title": "t"}}, f"s{number}")
    (tmp_path / "bad.png").write_text("no picture")
    psm.report({"plot": {"path": "bad.png", "title": "t"}}, "s6")
    whole = build_report(psm.store, tmp_path / "whole.html")[0]
    found = document(whole)
    assert found["thumbnails"]["embedded"] == 6
    assert found["thumbnails"]["unreadable"] == 1
    start, length = found["samples"]["media"]["plot"]["0"][0]["thumbnail"]
    one = base64.b64decode(block(whole, "thumbnails")[start : start + length])
    assert one[8:12] == b"WEBP"
    budget = 2 * len(one) + len(one) // 2
    small = build_report(psm.store, tmp_path / "small.html", Options(thumbnails_budget=budget))[0]
    said = document(small)["thumbnails"]
    assert said["embedded"] < 6
    assert said["embedded"] + said["leftOut"] == 7
    assert len(block(small, "thumbnails")) * 3 / 4 <= budget + 3 * said["embedded"]


def test_thumbnails_of_large_plots_are_small(tmp_path: Path) -> None:
    """Two hundred images of 180 kB are to make a file of 5 MB at most: 25 kB each."""
    from PIL import Image, ImageDraw

    chance = random.Random(3)
    psm = manager(tmp_path)
    sizes = []
    for number in range(4):
        plot = Image.new("RGB", (1000, 700), "white")
        pen = ImageDraw.Draw(plot)
        for _ in range(8000):
            x, y = chance.gauss(500, 160), chance.gauss(350, 110)
            shade = tuple(chance.randrange(40, 220) for _ in range(3))
            pen.ellipse([x - 2, y - 2, x + 2, y + 2], fill=shade)
        plot.save(tmp_path / f"{number}.png")
        sizes.append((tmp_path / f"{number}.png").stat().st_size)
        psm.report({"plot": {"path": f"{number}.png", "title": "t"}}, f"s{number}")
    assert sum(sizes) > 4 * 150_000
    page = build_report(psm.store, tmp_path)[0]
    assert document(page)["thumbnails"]["embedded"] == 4
    assert len(block(page, "thumbnails")) < 4 * 25_000


def test_a_pdf_gets_a_picture_of_its_first_page(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (300, 200), "red").save(tmp_path / "plot.pdf")
    psm = manager(tmp_path)
    psm.report({"plot": {"path": "plot.pdf", "title": "t"}}, "s1")
    [media] = document(build_report(psm.store, tmp_path)[0])["samples"]["media"]["plot"]["0"]
    assert media["href"] == "plot.pdf"
    assert "thumbnail" in media
    assert "shown" not in media


def test_a_portable_report_holds_what_it_links_to(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    for name in ("a", "b"):
        picture(tmp_path / name / "plot 1.png")
        psm.report({"plot": {"path": f"{name}/plot 1.png", "title": "t"}}, name)
    [path] = build_report(psm.store, tmp_path / "out", Options(portable=True))
    assert path.name == "p_report.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "there")
    [page] = (tmp_path / "there").glob("*.html")
    media = document(page)["samples"]["media"]["plot"]
    for row, name in (("0", "a"), ("1", "b")):
        linked = tmp_path / "there" / media[row][0]["href"].replace("%20", " ")
        assert linked.read_bytes() == (tmp_path / name / "plot 1.png").read_bytes()


def test_the_policy_names_the_scripts_hash(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"n": 1}, "</script><script>alert(1)</script>")
    text = build_report(psm.store, tmp_path)[0].read_text("utf-8")
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for kind, content in (("script", script), ("style", style)):
        digest = base64.b64encode(sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    assert "alert(1)</script>" not in text


def test_the_names_of_what_is_written(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=str(tmp_path / "r.yaml"), pipeline_name="a pipeline")
    psm.report({"n": 1}, "s1")
    exporter = plugins().exporters["html"]
    assert exporter.export(psm.store, tmp_path, {}) == [tmp_path / "a_pipeline_report.html"]
    assert exporter.export(psm.store, tmp_path / "x.html", {}) == [tmp_path / "x.html"]
    portable = exporter.export(psm.store, tmp_path / "x.html", {"portable": True})
    assert portable == [tmp_path / "x.zip"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"titel": "x"}, "title"),
        ({"mode": "list"}, "gallery"),
        ({"not_reported": "s1"}, "not_reported"),
        ({"thumbnails_budget": -1}, "thumbnails_budget"),
        ({"thumbnail_width": True}, "thumbnail_width"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PipestatSummarizeError, match=named):
        read_options(options)


def test_an_output_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    psm = manager(tmp_path)
    psm.report({"n": 1}, "s1")
    (tmp_path / "file").write_text("")
    with pytest.raises(PipestatSummarizeError, match="cannot be written"):
        build_report(psm.store, tmp_path / "file" / "r.html")
    assert list(tmp_path.glob("**/*.tmp")) == []


def test_an_empty_store_has_a_report(tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    assert document(build_report(psm.store, tmp_path)[0])["samples"]["ids"] == []


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "colour", [(0, 0, 0), (255, 255, 255), (240, 230, 140), (255, 255, 0), (30, 144, 255)]
)
def test_a_status_can_be_read_in_any_colour(colour: tuple[int, int, int]) -> None:
    pairs = re.findall(r"--t:(#\w+);--i:(#\w+)", status_rules([colour]))
    assert len(pairs) == 3
    for tint, text in pairs:
        low, high = sorted((luminance(tint), luminance(text)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
