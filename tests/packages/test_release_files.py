"""Files for others that repeat what pyproject.toml says: recipes, the citation, the image."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import pipestat_spec
from pipestat_spec.installing import FOLDERS
from tests import patience
from tests.environments import MissingPart, clean_environment, packages_environment
from tests.legs import leave_out
from tests.repository import REPOSITORY

# Names that conda-forge gives to what has another name on the Python index.
ON_CONDA = {"prometheus-client": "prometheus_client"}


def pyproject(name: str) -> dict[str, Any]:
    file = REPOSITORY / FOLDERS[name].lstrip("/") / "pyproject.toml"
    return tomllib.loads(file.read_text("utf-8"))


def recipe(name: str) -> dict[str, Any]:
    """Return a recipe as conda-build would read it."""
    text = (REPOSITORY / "conda" / name / "meta.yaml").read_text("utf-8")
    known = {"PYTHON": "python", "pin_subpackage": lambda name, max_pin: f"{name} {max_pin}"}
    content: dict[str, Any] = yaml.safe_load(Environment().from_string(text).render(known))
    return content


def compared(lines: list[str]) -> dict[str, SpecifierSet]:
    """Return what is asked for of each package, by its name on conda-forge."""
    found = {}
    for line in lines:
        requirement = Requirement(line)
        found[ON_CONDA.get(requirement.name, requirement.name)] = requirement.specifier
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_a_recipe_asks_for_what_the_package_asks_for(name: str) -> None:
    project, asked = pyproject(name), recipe(name)["requirements"]
    python = f"python {project['project']['requires-python']}"
    assert compared(asked["run"]) == compared([python, *project["project"]["dependencies"]])
    build = project["build-system"]["requires"]
    assert compared(asked["host"]) == compared([python, "pip", *build])
    extras = project["project"].get("optional-dependencies", {}).values()
    optional = compared([line for lines in extras for line in lines])
    assert compared(asked.get("run_constrained", [])) == {
        package: wanted for package, wanted in optional.items() if package not in FOLDERS
    }


@pytest.mark.parametrize("name", FOLDERS)
def test_a_recipe_is_of_this_version(name: str) -> None:
    found = recipe(name)
    assert found["package"] == {"name": name, "version": pipestat_spec.__version__}
    project = pyproject(name)["project"]
    assert found["about"]["license"] == project["license"]
    scripts = [f"{command} = {target}" for command, target in project.get("scripts", {}).items()]
    assert found["build"].get("entry_points", []) == scripts
    assert found["build"]["noarch"] == "python"


@pytest.mark.parametrize("name", FOLDERS)
def test_the_checks_of_a_recipe_pass(name: str, tmp_path: Path) -> None:
    check = recipe(name)["test"]
    modules = [module for module in check["imports"] if not module.startswith("snakemake")]
    lines = [f"{sys.executable} -c 'import {module}'" for module in modules]
    folder = Path(sys.executable).parent
    done = subprocess.run(
        ["sh", "-ec", "\n".join([*lines, *check.get("commands", [])])],
        cwd=tmp_path,
        env=clean_environment(PATH=f"{folder}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stderr


def test_the_citation_is_valid_and_of_this_version() -> None:
    path = REPOSITORY / "CITATION.cff"
    content = yaml.safe_load(path.read_text("utf-8"))
    assert content["version"] == pipestat_spec.__version__
    assert content["license"] == pyproject("pipestat-spec")["project"]["license"]
    try:
        environment = packages_environment()
    except MissingPart as missing:
        leave_out("packages", str(missing), "connect to a package index for 'pip install'")
    environment.run("cffconvert", "--validate", "--infile", path, cwd=REPOSITORY)


def test_the_image_is_what_can_be_installed() -> None:
    text = (REPOSITORY / "Containerfile").read_text("utf-8")
    project = pyproject("pipestat-spec")["project"]
    bases = re.findall(r"^FROM python:([\d.]+)-slim", text, re.MULTILINE)
    assert len(set(bases)) == 1
    assert f"Programming Language :: Python :: {bases[0]}" in project["classifiers"]
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)", text, re.MULTILINE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    # The last stage is not root's.
    last = text.rpartition("\nFROM ")[2]
    assert last.index("\nUSER 1000\n") < last.index("\nENTRYPOINT [")
    # What is sent to the build is there, and all that the wheel is made of is among it.
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    assert all((REPOSITORY / name).exists() for name in sent)
    sources = pyproject("pipestat-spec")["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert {name.partition("/")[0] for name in sources["only-include"]} <= sent
    assert {"pyproject.toml", "LICENSE", "locks/development.txt"} <= sent
