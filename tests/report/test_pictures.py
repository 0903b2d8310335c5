"""Pictures of the report, for people: PIPESTAT_PICTURES=FOLDER keeps them.

The picture in the README is another one, of the quickstart: tests/report/readme_picture.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tests.report.browsers import Browser

pytestmark = pytest.mark.browser

# Read here: tests themselves see no such variables.
KEPT = os.environ.get("PIPESTAT_PICTURES")

VIEWS = {
    "overview": "#overview",
    "records": "#records",
    "record": "#records?facets=0&sort=-reads&rec=kidney_R01",
    "gallery": "#gallery",
    "plots": "#plots",
    "compare": "#compare?sel=kidney_R01,liver_R02",
    "glossary": "#glossary",
}
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
# Where nobody looks at them, each size and each ground once.
SHOWN = [("desktop", False), ("phone", True)]
if KEPT:
    SHOWN += [("desktop", True), ("phone", False)]


@pytest.mark.parametrize(("size", "dark"), SHOWN)
def test_pictures_of_every_view(
    seen_as: Callable[..., Browser], page: Path, tmp_path: Path, size: str, dark: bool
) -> None:
    image = pytest.importorskip("PIL.Image")
    folder = Path(KEPT or tmp_path)
    browser = seen_as(size=SIZES[size], dark=dark)
    browser.open(page)
    for view, fragment in VIEWS.items():
        browser.turn_to(fragment)
        browser.until("return [...document.images].every(image => image.complete)")
        content = browser.window.picture()
        (folder / f"{size}-{'dark' if dark else 'light'}-{view}.png").write_bytes(content)
        with image.open(BytesIO(content)) as picture:
            assert picture.size == SIZES[size]
            grey = picture.convert("L")
            # The ground is dark or light, and something stands on it.
            assert (grey.getpixel((3, 200)) < 60) is dark
            assert sum(count > 0 for count in grey.histogram()) > 40
