"""The tutorials do what they say, when their blocks are pasted one by one into one terminal.

The `sh` blocks of docs/tutorials/*.md run in order in one bash that begins in an empty folder. A
`text` block right after one is what it prints, with `...` as in tests/docs/test_code_blocks.py. A
block fails exactly when it is shown to print an error. `bash` blocks install programs;
here the environments of the tests stand for them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests import patience
from tests.docs.test_code_blocks import ROOT, Block, blocks_of, matches
from tests.environments import (
    MissingPart,
    clean_environment,
    looper_environment,
    nextflow_command,
    snakemake_environment,
)
from tests.legs import leave_out

TUTORIALS = ("python", "shell", "snakemake", "nextflow", "looper")
# A message of the command line, and the last line of a traceback.
_REFUSAL = re.compile(r"^(error|[\w.]+Error):(?= |$)", re.MULTILINE)
_NEEDED = {"nextflow": "apt-get install default-jre-headless maven"}


def programs_of(tutorial: str) -> list[Path]:
    """Return the folders of the commands that a tutorial installs; leave it out without them."""
    ours = Path(sys.executable).parent
    try:
        if tutorial == "snakemake":
            return [snakemake_environment().folder / "bin"]
        if tutorial == "looper":
            return [looper_environment().folder / "bin"]
        if tutorial == "nextflow":
            return [ours, nextflow_command().parent]
    except MissingPart as missing:
        index = "connect to a package index for 'pip install'"
        leave_out(tutorial, str(missing), _NEEDED.get(tutorial, index))
    return [ours]


@dataclass(frozen=True)
class Outcome:
    """What became of one block."""

    code: int
    printed: str


def run_in_one_shell(blocks: list[Block], folder: Path, programs: list[Path]) -> list[Outcome]:
    """Paste the blocks into one bash; return the exit code and the output of each."""
    told = folder / "told"
    work = folder / "empty"
    told.mkdir(parents=True)
    work.mkdir()
    lines = []
    for number, block in enumerate(blocks):
        # Braces, not a subshell: folders and variables last until the end.
        lines.append(f"{{\n{block.body}}} > {told}/{number}.out 2>&1\n")
        lines.append(f"echo $? > {told}/{number}.code\n")
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
    subprocess.run(
        ["bash", "--norc", "-c", "".join(lines)],
        cwd=work,
        env=clean_environment(
            PATH=path,
            HOME=str(folder),
            NXF_HOME=str(folder / ".nextflow"),
            LC_ALL="C.UTF-8",
            COLUMNS="80",
        ),
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=patience.SECONDS,
    )
    return [
        Outcome(int((told / f"{number}.code").read_text()), (told / f"{number}.out").read_text())
        for number in range(len(blocks))
    ]


def test_every_tutorial_is_tested() -> None:
    found = {path.stem for path in (ROOT / "docs" / "tutorials").glob("*.md")} - {"README"}
    assert found == set(TUTORIALS)


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_does_what_it_says(name: str, tmp_path: Path) -> None:
    tutorial = ROOT / "docs" / "tutorials" / f"{name}.md"
    blocks = [*blocks_of(tutorial), None]
    pasted = [(block, after) for block, after in pairwise(blocks) if block.language == "sh"]
    outcomes = run_in_one_shell([block for block, _ in pasted], tmp_path, programs_of(name))
    for (block, after), outcome in zip(pasted, outcomes, strict=True):
        told = (
            f"docs/tutorials/{name}.md:{block.line}: exit code {outcome.code}\n"
            f"{block.body}prints\n{outcome.printed}"
        )
        shown = after.body if after is not None and after.language == "text" else None
        refused = shown is not None and _REFUSAL.search(shown) is not None
        assert (outcome.code != 0) == refused, told
        assert shown is None or matches(shown, outcome.printed), f"{told}shown is\n{shown}"
    # What the reader has opened at the end knows all samples.
    (report,) = (tmp_path / "empty").rglob("*_report.html")
    text = report.read_text("utf-8")
    assert all(sample in text for sample in ("brain", "liver", "heart"))
