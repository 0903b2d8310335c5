"""The distributions, as `make packages` builds them: what is in them, and that they work alone."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import tomllib
import venv
from email import message_from_string
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from pipestat_spec.installing import FOLDERS, install_hint
from tests import patience
from tests.environments import (
    MissingPart,
    PythonEnvironment,
    built_distributions,
    install_command,
    snakemake_environment,
)
from tests.legs import leave_out
from tests.report.test_build import document
from tests.repository import REPOSITORY

# Most bytes of the sdist and of the wheel: about twice of what they are.
LARGEST = {
    "pipestat-spec": 1_500_000,
    "pipestat-conformance": 800_000,
    "snakemake-logger-plugin-pipestat": 60_000,
}
# What sdists hold beside the modules and their data.
HEAD = {"LICENSE", "README.md", "PKG-INFO", "pyproject.toml"}


@pytest.fixture(scope="module")
def built() -> Path:
    try:
        return built_distributions()
    except MissingPart as missing:
        leave_out("packages", str(missing), "connect to a package index for 'pip install'")


def wheel(built: Path, name: str) -> Path:
    (path,) = built.glob(f"{name.replace('-', '_')}-*.whl")
    return path


def sdist_files(built: Path, name: str) -> set[str]:
    (path,) = built.glob(f"{name.replace('-', '_')}-*.tar.gz")
    with tarfile.open(path) as opened:
        return {member.name.partition("/")[2] for member in opened if member.isfile()}


def metadata(built: Path, name: str) -> Message:
    with ZipFile(wheel(built, name)) as opened:
        (path,) = [file for file in opened.namelist() if file.endswith(".dist-info/METADATA")]
        return message_from_string(opened.read(path).decode("utf-8"))


def project(name: str) -> dict[str, object]:
    file = REPOSITORY / FOLDERS[name].lstrip("/") / "pyproject.toml"
    content: dict[str, object] = tomllib.loads(file.read_text("utf-8"))["project"]
    return content


@pytest.mark.parametrize("name", FOLDERS)
def test_a_distribution_holds_what_it_needs_and_nothing_else(built: Path, name: str) -> None:
    with ZipFile(wheel(built, name)) as opened:
        inside = {file for file in opened.namelist() if ".dist-info/" not in file}
    source = sdist_files(built, name)
    for files in (inside, source):
        assert not [
            file
            for file in files
            if re.search(
                r"(^|/)(tests?|web|node_modules|__pycache__|\.[a-z_]+|targets/.*\.md)/", file
            )
            or file.endswith((".pyc", ".map", ".ts", ".so"))
        ]
    # All modules that git knows are in both.
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*/py.typed"],
        cwd=REPOSITORY / FOLDERS[name].lstrip("/"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    packages = {file.partition("/")[0] for file in inside}
    modules = {file.removeprefix("plugins/") for file in listed}
    wanted = {
        file for file in modules if file.partition("/")[0] in packages and "/web/" not in file
    }
    assert wanted <= inside
    assert len(wanted) > 5
    assert wanted <= {file.removeprefix("plugins/") for file in source}
    assert source >= HEAD
    for path in built.glob(f"{name.replace('-', '_')}-*"):
        assert path.stat().st_size < LARGEST[name]


@pytest.mark.parametrize("name", FOLDERS)
def test_an_index_is_told_all_that_it_shows(built: Path, name: str) -> None:
    told = metadata(built, name)
    assert told["Name"] == name
    assert told["License-Expression"] == "BSD-2-Clause"
    assert told["License-File"] == "LICENSE"
    assert told["Requires-Python"] == ">=3.11"
    assert told["Author"]
    assert told["Keywords"]
    assert len(told["Summary"]) < 150
    assert {"Operating System :: MacOS", "Operating System :: POSIX :: Linux"} <= set(
        told.get_all("Classifier")
    )
    # There is none yet that exists.
    assert "Project-URL" not in told
    assert "Home-page" not in told
    assert told["Description-Content-Type"] == "text/markdown"
    text = str(told.get_payload())
    assert len(text) > 1000
    # No file of the repository is beside the text on an index.
    assert not re.findall(r"\]\((?!https://)", text)
    if name == "pipestat-spec":
        assert "for any language" in text


def test_the_three_of_one_release_go_together(built: Path) -> None:
    version = metadata(built, "pipestat-spec")["Version"]
    major, minor = map(int, version.split(".")[:2])
    for name in ("pipestat-conformance", "snakemake-logger-plugin-pipestat"):
        told = metadata(built, name)
        assert told["Version"] == version
        needed = [
            line for line in told.get_all("Requires-Dist") if line.startswith("pipestat-spec")
        ]
        assert needed == [f"pipestat-spec<{major}.{minor + 1},>={major}.{minor}"]


def install(environment: PythonEnvironment, lock: str, *what: str) -> None:
    command = install_command(environment.python, lock, *what)
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 0, done.stderr


def test_the_wheel_works_with_what_it_asks_for(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    environment = PythonEnvironment(tmp_path / "venv")
    own = wheel(built, "pipestat-spec")
    install(environment, "development", str(own))
    cwd = tmp_path / "work"
    cwd.mkdir()

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return environment.run("pipestat-spec", *arguments, cwd=cwd, check=check)

    where = environment.run("python", "-c", "import pipestat_spec as p; print(p.__file__)", cwd=cwd)
    assert where.stdout.startswith(str(environment.folder))
    named = ("--pipeline-name", "demo")
    (cwd / "schema.yaml").write_text("pipeline_name: demo\nsamples: {reads: {type: integer}}\n")
    run("report", "-f", "results.yaml", "-s", "schema.yaml", "-r", "s1", "reads=7")
    assert (
        '"reads": 7'
        in run("retrieve", "-f", "results.yaml", *named, "-r", "s1", "--format", "json").stdout
    )
    page = run("summarize", "-f", "results.yaml", "-s", "schema.yaml").stdout.strip()
    assert "s1" in json.dumps(document(cwd / page))
    # What an extra is for says so, in one line.
    for arguments, extra in (
        (["report", "-f", "results.db", *named, "-r", "s1", "reads:=7"], "sql"),
        (["serve", "results.yaml"], "serve"),
    ):
        refused = run(*arguments, check=False)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert install_hint(f"pipestat-spec[{extra}]") in refused.stderr
    assert not (cwd / "results.db").exists()
    missing = run("conformance", "run", check=False)
    assert install_hint("pipestat-conformance") in missing.stderr
    assert install_hint("pipestat-conformance") in run("doctor").stdout

    install(environment, "development", f"{own}[sql]")
    run("report", "-f", "results.db", *named, "-r", "s1", "reads:=7")
    found = run("select", "-f", "results.db", *named, "--where", "reads = 7", "--format", "csv")
    assert found.stdout.splitlines()[1].startswith("s1,")


def test_snakemake_finds_the_plugin_of_the_wheel(built: Path, tmp_path: Path) -> None:
    try:
        engine = snakemake_environment()
    except MissingPart as missing:
        leave_out("snakemake", str(missing), "connect to a package index for 'pip install'")
    venv.create(tmp_path / "venv", symlinks=True)
    environment = PythonEnvironment(tmp_path / "venv")
    names = ["pipestat-spec", "snakemake-logger-plugin-pipestat"]
    install(environment, "snakemake", "--no-deps", *(str(wheel(built, name)) for name in names))
    # Snakemake is large: it and all dependencies are those of the other environment, but not the
    # files of the repository, which only the .pth files there lead to.
    (libraries,) = (engine.folder / "lib").glob("python*/site-packages")
    (own,) = (environment.folder / "lib").glob("python*/site-packages")
    (own / "engine.pth").write_text(f"{libraries}\n")
    where = "import snakemake_logger_plugin_pipestat as p; print(p.__file__)"
    found = environment.run("python", "-c", where, cwd=tmp_path)
    assert found.stdout.startswith(str(environment.folder))
    work = tmp_path / "work"
    work.mkdir()
    (work / "Snakefile").write_text(
        'rule count:\n    output: "{sample}.txt"\n    shell: "touch {output}"\n'
    )
    (work / "pipestat.yaml").write_text("results_file_path: results.yaml\npipeline_name: demo\n")
    options = ["--logger", "pipestat", "--logger-pipestat-config", "pipestat.yaml"]
    record = ["--logger-pipestat-record", "{sample}", "s1.txt"]
    environment.run("python", "-m", "snakemake", "--cores", "1", *options, *record, cwd=work)
    status = environment.run(
        "pipestat-spec", "status", "get", "-c", "pipestat.yaml", "-r", "s1", cwd=work
    )
    assert status.stdout.startswith("completed")


def test_the_build_is_the_one_of_these_versions(built: Path) -> None:
    # The wheel names what made it.
    with ZipFile(wheel(built, "pipestat-spec")) as opened:
        (path,) = [name for name in opened.namelist() if name.endswith(".dist-info/WHEEL")]
        generator = opened.read(path).decode("utf-8")
    locked = (REPOSITORY / "locks" / "packages.txt").read_text()
    (version,) = re.findall(r"^hatchling==(\S+)", locked, re.MULTILINE)
    assert f"Generator: hatchling {version}\n" in generator
