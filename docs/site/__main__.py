"""`python -m docs.site [FOLDER]`: docs/ as a site, build/site or FOLDER.

The gallery is made first, beside the site, from what the example in examples/quickstart stores.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from pipestat_spec import PipestatManager
from tests.environments import REPOSITORY, MissingPart, clean_environment, docs_environment

__all__ = ["build"]


def build(site: Path, example: Path | None = None) -> None:
    """Make the site anew; raises MissingPart, or CalledProcessError where a page is wrong.

    `example` is a copy of examples/quickstart whose demo has run; without it one is made.
    """
    mkdocs = docs_environment().command("mkdocs")
    shutil.rmtree(site, ignore_errors=True)
    make_gallery(site.parent / "gallery", example)
    # Not --quiet, which keeps warnings from being counted.
    _run(REPOSITORY, mkdocs, "build", "--strict", "--site-dir", site)


def make_gallery(gallery: Path, ran: Path | None = None) -> None:
    """Write what the results of the example look like: report, comparison, tables."""
    shutil.rmtree(gallery, ignore_errors=True)
    gallery.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder) / "quickstart"
        if ran is not None:
            shutil.copytree(ran, example)
        else:
            original = REPOSITORY / "examples" / "quickstart"
            shutil.copytree(original, example, ignore=shutil.ignore_patterns("output"))
            _run(example, example / "demo.sh", sys.executable)
        with PipestatManager(config_file=example / "pipestat.yaml") as psm:
            replaced = psm.retrieve_history("liver_2", "reads_kept")["reads_kept"]
        first = min(map(datetime.fromisoformat, replaced)) - timedelta(milliseconds=1)
        command = (sys.executable, "-m", "pipestat_spec")
        before = ("results.yaml", "-s", example / "output_schema.yaml", "--at", first.isoformat())
        _run(example, *command, "summarize", "-q", "-o", gallery / "report.html")
        _run(example / "output", *command, "diff", *before, "-o", gallery / "diff.html")
        for name in ("table.csv", "table.xlsx"):
            _run(example, *command, "table", "-q", "-o", gallery / name)


def _run(folder: Path, *command: object) -> None:
    subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        # mkdocs-material tells of its end at each start (docs/adr/0030-site.md).
        env=clean_environment(NO_MKDOCS_2_WARNING="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )


if __name__ == "__main__":
    try:
        build(Path(*sys.argv[1:2] or [REPOSITORY / "build" / "site"]).absolute())
    except (MissingPart, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or ""
        sys.exit(f"{told}error: {error}")
