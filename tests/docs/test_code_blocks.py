"""The code blocks of README.md and docs/ run, and print what they say they print.

Each document gets an empty folder and a Python namespace; its blocks run in order:

- a block whose first line is a comment that is only a file name (`# pipestat.yaml`) is
  written to that file;
- `python` runs; an expression that ends in a comment `# -> VALUE` must have this value, and
  a `text` block right after it is what it printed;
- `console` runs every line that starts with `$ ` (`> ` continues it) and compares stdout and
  stderr with the lines that follow; without such a line the output may be anything. A
  command fails exactly when its output shows an `error:` line. A line `$ export NAME=VALUE`
  lasts to the end of the document.

`...` in an expected output stands for any text, on a line of its own for any lines; blanks
between columns may be more or fewer, two at least.
Other blocks are for reading.
"""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import patience
from tests.environments import clean_environment
from tests.pephub.contract_server import ContractServer
from tests.remote.servers import KEYS, running_moto

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"#(?:!.*\n#)? (?P<name>[\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int


def blocks_of(document: Path) -> list[Block]:
    text = document.read_text("utf-8")
    return [
        Block(match["language"], match["body"], text.count("\n", 0, match.start()) + 2)
        for match in _FENCE.finditer(text)
    ]


def matches(shown: str, printed: str) -> bool:
    """Tell whether `printed` is what `shown` says, `...` standing for any text."""
    pattern = ""
    for line in shown.strip("\n").split("\n"):
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*"
        else:
            text = ".*".join(map(re.escape, line.rstrip().split("...")))
            # The width of a column depends on what else is in the table.
            pattern += re.sub(r"(?<=\S)(?:\\ ){2,}", "  +", text) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


class Reader:
    """Does what a reader of a document would do, in a folder of its own."""

    def __init__(
        self, document: Path, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.document, self.folder = document, folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.environment = clean_environment(
            PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            PYTHONPATH=str(folder),
            COLUMNS="100",
            LC_ALL="C.UTF-8",
            **(environment or {}),
        )

    def follow(self) -> None:
        for block, after in pairwise([*blocks_of(self.document), None]):
            assert block is not None
            named = _FILE_NAME.match(block.body)
            if named and block.language not in ("", "text", "console"):
                path = self.folder / named["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, "utf-8")
                if path.name == "pyproject.toml":
                    self.install(path)
            elif block.language == "python":
                printed = self.run_python(block)
                if after is not None and after.language == "text":
                    self.compare(block, after.body, printed)
            elif block.language == "console":
                self.run_console(block)

    def install(self, pyproject: Path) -> None:
        """Do what `pip install` does for plugins: record the entry points, on the path."""
        project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
        name = project["name"].replace("-", "_")
        metadata = self.folder / f"{name}-{project['version']}.dist-info"
        metadata.mkdir()
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")

    def where(self, block: Block) -> str:
        return f"{self.document.relative_to(ROOT)}:{block.line}"

    def compare(self, block: Block, shown: str, printed: str) -> None:
        assert matches(shown, printed), f"{self.where(block)} shows\n{shown}\nand prints\n{printed}"

    def run_python(self, block: Block) -> str:
        lines = block.body.splitlines()
        name = f"<{self.where(block)}>"
        linecache.cache[name] = (len(block.body), None, block.body.splitlines(True), name)
        output = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(output):
            for statement in ast.parse(block.body, name).body:
                last = lines[(statement.end_lineno or 0) - 1]
                _, arrow, value = last.partition("# -> ")
                if arrow and isinstance(statement, ast.Expr):
                    code = compile(ast.Expression(statement.value), name, "eval")
                    result = eval(code, self.names)
                    self.check_value(block, last, value, result)
                else:
                    code = compile(ast.Module([statement], []), name, "exec")
                    exec(code, self.names)
        return output.getvalue()

    def check_value(self, block: Block, line: str, shown: str, value: Any) -> None:
        try:
            equal = ast.literal_eval(shown) == value
        except (ValueError, SyntaxError):
            equal = False
        equal = equal or ("..." in shown and matches(shown, repr(value)))
        assert equal, f"{self.where(block)}: {line.strip()}\nis {value!r}"

    def run_console(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
            command, _, rest = part.partition("\n")
            while rest.startswith("> "):
                more, _, rest = rest[2:].partition("\n")
                command += "\n" + more
            if command.startswith("export ") and "\n" not in command:
                self.environment |= dict(word.split("=", 1) for word in shlex.split(command)[1:])
                continue
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=patience.SECONDS,
            )
            told = f"{self.where(block)}: $ {command}\nexit code {done.returncode}\n{done.stdout}"
            assert (done.returncode != 0) == ("error:" in rest), told
            if rest.strip():
                assert matches(rest, done.stdout), f"{told}\nshown is\n{rest}"


@contextlib.contextmanager
def served(document: Path) -> Iterator[dict[str, str]]:
    """Start the server that a document is about; give the variables that lead to it."""
    if document.stem == "exports":
        with running_moto() as url:
            yield {**KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"}
        return
    if document.stem != "pephub":
        yield {}
        return
    with ContractServer(tokens={"a.token": {"mylab"}}) as server:
        server.add_project("mylab/rnaseq")
        yield {"PEPHUB_BASE_URL": server.url, "PEPHUB_TOKEN": "a.token"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_the_blocks_of_a_document_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(document) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        Reader(document, tmp_path, environment).follow()


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a ... c\n", "a b c\n", True),
        ("a\nb\n", "a\n", False),
        ("a\n...\nd\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
        ("a  b\n", "a    b\n", True),
        ("a  b\n", "a b\n", False),
        ("  a\n", "    a\n", False),
    ],
)
def test_dots_stand_for_any_text(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same


def test_a_wrong_value_is_found(tmp_path: Path) -> None:
    reader = Reader(ROOT / "README.md", tmp_path)
    reader.run_python(Block("python", "1 + 1  # -> 2\n", 1))
    with pytest.raises(AssertionError, match="is 2"):
        reader.run_python(Block("python", "1 + 1  # -> 3\n", 1))
    with pytest.raises(AssertionError, match="exit code 3"):
        reader.run_console(Block("console", "$ exit 3\n", 1))
    with pytest.raises(AssertionError, match="shown is"):
        reader.run_console(Block("console", "$ echo a\nb\n", 1))
