"""The report of a store on S3: its images are fetched on request, else they are named."""

from __future__ import annotations

import base64
import gzip
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pipestat_report.options import Options
from pipestat_report.report import build_report

from pipestat_spec import PipestatManager
from tests.remote.raw import RawBucket

pytest.importorskip("PIL")


def png(colour: str) -> bytes:
    from PIL import Image

    output = BytesIO()
    Image.new("RGB", (600, 400), colour).save(output, "PNG")
    return output.getvalue()


def document(page: Path) -> Any:
    found = re.search(r'id="data">([^<]*)<', page.read_text("utf-8"))
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


@pytest.fixture
def psm(bucket: RawBucket, monkeypatch: pytest.MonkeyPatch) -> PipestatManager:
    """A store beside three images, one with a small one of its own, and one that is gone."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    psm = PipestatManager(
        config_dict={
            "results_file_path": f"s3://{bucket.name}/run/results.yaml",
            "pipeline_name": "p",
            # The images are found through the same server only with the same options.
            "storage_options": {"endpoint_url": bucket.server, "retry_seconds": 5},
        }
    )
    bucket.put("run/plots/a.png", png("red"))
    bucket.put("run/plots/b.png", b"no picture")
    bucket.put("run/plots/b_small.png", png("blue"))
    bucket.put("other/c.png", png("green"))
    psm.report_many(
        {
            "a": {"plot": {"path": "plots/a.png", "title": "t"}},
            "b": {
                "plot": {
                    "path": "plots/b.png",
                    "title": "t",
                    "thumbnail_path": "plots/b_small.png",
                }
            },
            "c": {"plot": {"path": f"s3://{bucket.name}/other/c.png", "title": "t"}},
            "d": {"plot": {"path": "plots/gone.png", "title": "t"}},
            "e": {"plot": {"path": "ftp://127.0.0.1/never/asked.png", "title": "t"}},
        }
    )
    return psm


def test_images_are_fetched_on_request(
    psm: PipestatManager, bucket: RawBucket, tmp_path: Path
) -> None:
    page = build_report(psm.store, tmp_path, Options(fetch_images=True))[0]
    found = document(page)
    media = found["samples"]["media"]["plot"]
    assert ["thumbnail" in media[row][0] for row in "01234"] == [True, True, True, False, False]
    assert media["0"][0]["address"] == f"s3://{bucket.name}/run/plots/a.png"
    said = found["thumbnails"]
    assert said["embedded"] == 3
    assert said["notFetched"] == 2
    assert said["asked"] is True


def test_without_it_they_are_named(psm: PipestatManager, bucket: RawBucket, tmp_path: Path) -> None:
    found = document(build_report(psm.store, tmp_path)[0])
    media = found["samples"]["media"]["plot"]["2"]
    assert media == [{"kind": "image", "address": f"s3://{bucket.name}/other/c.png"}]
    said = found["thumbnails"]
    assert (said["embedded"], said["notFetched"], said["asked"]) == (0, 5, False)


def test_fetching_stops_at_the_budget(psm: PipestatManager, tmp_path: Path) -> None:
    options = Options(fetch_images=True, thumbnails_budget=1)
    said = document(build_report(psm.store, tmp_path, options)[0])["thumbnails"]
    assert said["embedded"] == 0
    assert said["leftOut"] == 5


def test_a_server_that_does_not_answer_is_no_failure(
    psm: PipestatManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psm.report({"plot": {"path": "http://127.0.0.1:9/x.png", "title": "t"}}, "f")
    said = document(build_report(psm.store, tmp_path, Options(fetch_images=True))[0])["thumbnails"]
    assert (said["embedded"], said["notFetched"]) == (3, 3)
