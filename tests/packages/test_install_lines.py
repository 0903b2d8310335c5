"""Install lines work where the packages are: today in a clone, and in no index."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipestat_spec import installing
from pipestat_spec.installing import FOLDERS, documents, install_hint, with_install_lines
from tests import patience
from tests.environments import clean_environment, install_command
from tests.repository import REPOSITORY

_NAMES = "|".join(FOLDERS)
_FROM_AN_INDEX = re.compile(
    rf"\b(?:install|add|pull)\b[^\n`#]*?(?<![\w./-])(?:{_NAMES})(?![\w./:-])"
    rf"|(?:project|bioconda|conda-forge)/(?:{_NAMES})\b"
)
# An install line as a reader finds it; `.` and `..` lead to a clone.
_LINE = re.compile(r"^ *(?:\$ )?(?:\S*python -m |\S*/)?pip install ([^#\n]*)", re.MULTILINE)


def words(text: str) -> list[str]:
    """Return what the install lines of a text install."""
    return [word.strip('"') for line in _LINE.findall(text) for word in line.split()]


def test_the_install_lines_of_the_documents_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert installing.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.skipif(installing.FROM_INDEX, reason="the packages are on an index")
def test_nothing_is_installed_from_an_index_that_does_not_have_it() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    wrong = []
    for name in listed.stdout.rstrip("\0").split("\0"):
        path = REPOSITORY / name
        if path == Path(__file__) or not path.is_file():
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{name}: {found[0]}" for found in _FROM_AN_INDEX.finditer(text)]
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        "pip install pipestat-spec\n",
        "hint=\"pip install 'pipestat-spec[sql]'\"",
        "uv add pipestat-conformance",
        "conda install -c bioconda snakemake-logger-plugin-pipestat",
        "https://pypi.org/project/pipestat-spec/",
        "pip install 'numpy>=2' pipestat-spec, and more",
    ],
)
def test_a_line_from_an_index_is_found(text: str) -> None:
    assert _FROM_AN_INDEX.search(text)
    assert not _FROM_AN_INDEX.search(with_install_lines("pip install . # pipestat-spec\n"))


IN_A_CLONE = """\
    pip install ".[sql,s3]"    # in a clone of pipestat-spec
pip install . ./conformance_tests    # in a clone of pipestat-spec
$ .venv/bin/python -m pip install --quiet . ./plugins/snakemake-logger-plugin-pipestat numpy
pip install numpy    # a remark
"""
FROM_AN_INDEX = """\
    pip install "pipestat-spec[sql,s3]"
pip install pipestat-spec pipestat-conformance
$ .venv/bin/python -m pip install --quiet pipestat-spec snakemake-logger-plugin-pipestat numpy
pip install numpy    # a remark
"""


def test_one_switch_writes_all_lines() -> None:
    assert with_install_lines(IN_A_CLONE, from_index=True) == FROM_AN_INDEX
    assert with_install_lines(FROM_AN_INDEX, from_index=False) == IN_A_CLONE.replace(
        "pipestat numpy\n", "pipestat numpy    # in a clone of pipestat-spec\n"
    )
    # In an example the way to the clone is another, and `.` is the example.
    example = '$ pip install "../..[sql]" ../../conformance_tests .\n'
    on_index = '$ pip install "pipestat-spec[sql]" pipestat-conformance .\n'
    assert with_install_lines(example, root="../..", from_index=True) == on_index
    assert with_install_lines(on_index, root="../..", from_index=False) == example
    for path, root in documents(REPOSITORY):
        text = path.read_text("utf-8")
        switched = with_install_lines(text, root=root, from_index=not installing.FROM_INDEX)
        assert with_install_lines(switched, root=root) == text, path


def test_messages_follow_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "FROM_INDEX", False)
    assert install_hint("pipestat-spec[sql]") == (
        'in a clone of pipestat-spec: pip install ".[sql]"'
    )
    assert install_hint("pipestat-conformance") == (
        "in a clone of pipestat-spec: pip install ./conformance_tests"
    )
    monkeypatch.setattr(installing, "FROM_INDEX", True)
    assert install_hint("pipestat-spec[sql]") == 'pip install "pipestat-spec[sql]"'
    assert install_hint("pipestat-conformance") == "pip install pipestat-conformance"


def test_extras_of_messages_and_documents_exist() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    used = set()
    for package in (REPOSITORY / "pipestat_spec", REPOSITORY / "plugins"):
        for path in package.rglob("*.py"):
            used |= set(re.findall(r'install_hint\("pipestat-spec\[(\w+)\]"\)', path.read_text()))
    assert len(used) > 4
    for path, _ in documents(REPOSITORY):
        for word in words(path.read_text("utf-8")):
            _, _, extras = word.partition("[")
            used |= set(filter(None, extras.rstrip("]").split(",")))
    assert used <= set(project["optional-dependencies"])


def test_every_extra_can_be_installed_from_a_clone() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [line for lines in project["optional-dependencies"].values() for line in lines]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needed}
    # Only its own: the others of this repository are folders, which no extra can name.
    assert names & FOLDERS.keys() == {"pipestat-spec"}


@pytest.mark.skipif(installing.FROM_INDEX, reason="the packages are on an index")
def test_the_folders_of_install_lines_can_be_installed(tmp_path: Path) -> None:
    # A copy, since a build leaves files behind.
    clone = tmp_path / "clone"
    ignored = shutil.ignore_patterns(".*", "node_modules", "tests", "work", "build", "dist")
    shutil.copytree(REPOSITORY, clone, ignore=ignored)
    folders: dict[Path, set[str]] = {}
    for path, root in documents(clone):
        place = clone if root == "." else path.parent
        found = {word for word in words(path.read_text("utf-8")) if word.startswith(root)}
        folders[place] = folders.get(place, set()) | found
    assert len(folders[clone]) > 4
    assert len(folders) > 1
    target = tmp_path / "installed"
    done = subprocess.run(
        install_command(
            *(Path(sys.executable), "development", "--no-deps", "--target", str(target)),
            *sorted(folders[clone]),
        ),
        cwd=clone,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name.partition("-")[0] for path in target.glob("*.dist-info")} == {
        name.replace("-", "_") for name in FOLDERS
    }
    # From an example the ways lead to the same folders.
    for place, found in folders.items():
        ways = {(place / word.partition("[")[0]).resolve() for word in found}
        assert ways <= {clone / way.lstrip("/") for way in FOLDERS.values()}, place
