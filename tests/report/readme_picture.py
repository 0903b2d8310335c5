"""The report's picture in the README, made anew: `python -m tests.report.readme_picture`.

It shows what `make demo` has made, `pipestat-spec summarize` wrote and Chromium draws.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.environments import REPOSITORY, clean_environment
from tests.report.browsers import ChromiumWindow, open_chromium

PICTURE = REPOSITORY / "docs" / "images" / "report.png"
# The height ends below a row of the open record.
SIZE = (1440, 712)
# What the picture is of: all records, and one of them open. There is no room for more columns.
HIDDEN = (
    *("reads_kept", "gc_percent", "trimming", "cleaned", "cleaned_md5", "quality_plot"),
    *("meta", "pipestat_modified_time", "pipestat_created_time"),
)
FRAGMENT = f"#records?facets=0&rec=liver_2&hide={','.join(HIDDEN)}"


def make(picture: Path) -> None:
    """Run the quickstart in a folder that is thrown away, and draw its report."""
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder) / "quickstart"
        shutil.copytree(REPOSITORY / "examples" / "quickstart", example)
        python = sys.executable
        for command in (["./demo.sh", python], [python, "-m", "pipestat_spec", "summarize"]):
            subprocess.run(
                command, cwd=example, env=clean_environment(), check=True, capture_output=True
            )
        browser = open_chromium()
        try:
            assert isinstance(browser.window, ChromiumWindow)
            # Two pixels for one, as on the screens of today.
            browser.window.emulate(SIZE, scale=2)
            # A scroll bar would hide a part of the picture, and differs from system to system.
            browser.window.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            browser.open(example / "output" / "readqc_report.html", FRAGMENT)
            browser.until("return [...document.images].every(image => image.complete)")
            assert browser.run(
                "const table = document.querySelector('.grid');"
                "return table.scrollWidth === table.clientWidth"
            ), "the table is wider than its place: name more columns in HIDDEN"
            content = browser.window.picture()
        finally:
            browser.close()
    with Image.open(BytesIO(content)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    make(PICTURE)
