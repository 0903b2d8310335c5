"""The names and signatures of the drop-in begin with those of pipestat 0.13.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compat.programs import INSTALL, OURS
from tests.environments import PythonEnvironment

# Prints what a program can see of the package `pipestat`.
DESCRIBE = """
import importlib, inspect, json, warnings
import pipestat

def parameters(function):
    return [p.name for p in inspect.signature(function).parameters.values()]

def functions(holder, names):
    return {n: parameters(getattr(holder, n)) for n in names if callable(getattr(holder, n))}

manager = pipestat.PipestatManager(results_file_path="names.yaml", pipeline_name="names")
kind = type(manager)
public = [n for n in dir(manager) if n[0] != "_"]
properties = [n for n in public if isinstance(inspect.getattr_static(kind, n, None), property)]
told = {
    "all": sorted(pipestat.__all__),
    "constructor": parameters(kind),
    "methods": functions(manager, [n for n in public if n not in properties]),
    "properties": properties,
    "attributes": public,
    "cfg": sorted(manager.cfg),
    "exceptions": {
        name: issubclass(getattr(pipestat.exceptions, name), pipestat.PipestatError)
        for name in dir(pipestat.exceptions)
        if inspect.isclass(getattr(pipestat.exceptions, name))
        and issubclass(getattr(pipestat.exceptions, name), Exception)
    },
    "constants": {},
    "functions": {},
}
for name in pipestat.const.__all__:
    value = getattr(pipestat.const, name)
    told["constants"][name] = json.loads(json.dumps(value, default=repr))
for module, names in json.loads(sys.argv[1]).items():
    module = importlib.import_module("pipestat." + module)
    told["functions"][module.__name__] = functions(module, names)
print(json.dumps(told))
"""
# What programs import from the modules.
FUNCTIONS = {
    "helpers": [
        "default_formatter",
        "make_subdirectories",
        "markdown_formatter",
        "mk_list_of_str",
        "validate_type",
    ],
    "infer": ["infer_schema"],
    "reports": ["fetch_pipeline_results", "get_file_for_table"],
    "cli": ["main"],
    "__main__": ["main"],
    "pipestat": ["PipestatManager"],
}
# Steps of pipestat's constructor, which nobody else calls.
STEPS = {
    "check_multi_results",
    "initialize_dbbackend",
    "initialize_filebackend",
    "initialize_pephubbackend",
    "process_schema",
    "resolve_results_file_path",
}
# Constants of what pipestat has inside, and of its reports.
ABSENT_CONSTANTS = {
    "APPEARANCE_BY_FLAG",
    "BUTTON_APPEARANCE_BY_FLAG",
    "DATA_KEY",
    "DB_COLUMN_KEY",
    "DB_ENGINE_KEY",
    "DB_ORMS_KEY",
    "LOCK_PREFIX",
    "NO_DATA_PLACEHOLDER",
    "PIPESTAT_GENERIC_CONFIG",
    "PROFILE_COLNAMES",
    "STATUS_SCHEMA",
    "TEMPLATES_DIRNAME",
}


def described(environment: PythonEnvironment, folder: Path, before: str = "") -> Any:
    text = "import sys\n" + before + DESCRIBE
    return environment.script(text, json.dumps(FUNCTIONS), cwd=folder)


@pytest.fixture(scope="module")
def theirs(reference: PythonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return described(reference, tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return described(OURS, tmp_path_factory.mktemp("ours"), INSTALL)


def begins(longer: list[str], shorter: list[str]) -> bool:
    return longer[: len(shorter)] == shorter


def test_the_package_has_the_same_names(theirs: Any, ours: Any) -> None:
    assert ours["all"] == theirs["all"]


def test_the_constructor_takes_the_same_arguments(theirs: Any, ours: Any) -> None:
    assert len(theirs["constructor"]) == 12
    assert begins(ours["constructor"], theirs["constructor"])


def test_methods_take_the_same_arguments_in_the_same_order(theirs: Any, ours: Any) -> None:
    methods = {n: p for n, p in theirs["methods"].items() if n not in STEPS and n != "backend"}
    assert {"from_config", "from_db_backend", "report", "summarize", "link"} <= methods.keys()
    differing = {
        name: (parameters, ours["methods"].get(name))
        for name, parameters in methods.items()
        if not begins(ours["methods"].get(name, ["missing"]), parameters)
    }
    assert not differing


def test_a_manager_has_the_same_attributes(theirs: Any, ours: Any) -> None:
    assert {"status_schema_source", "record_identifier", "file"} <= set(theirs["properties"])
    assert set(theirs["attributes"]) - STEPS <= set(ours["attributes"])


def test_cfg_has_the_same_keys(theirs: Any, ours: Any) -> None:
    assert {"_schema_path", "pephub_path", "_config", "config_path"} <= set(theirs["cfg"])
    assert set(theirs["cfg"]) <= set(ours["cfg"])


def test_exceptions_have_the_same_names(theirs: Any, ours: Any) -> None:
    assert len(theirs["exceptions"]) == 19
    assert theirs["exceptions"].keys() <= ours["exceptions"].keys()
    derived = {name for name, is_one in theirs["exceptions"].items() if is_one}
    assert all(ours["exceptions"][name] for name in derived)


def test_functions_of_modules_take_the_same_arguments(theirs: Any, ours: Any) -> None:
    assert theirs["functions"].keys() == ours["functions"].keys()
    for module, functions in theirs["functions"].items():
        for name, parameters in functions.items():
            assert begins(ours["functions"][module][name], parameters), (module, name)


def test_constants_have_the_same_values(theirs: Any, ours: Any) -> None:
    shared = theirs["constants"].keys() & ours["constants"].keys()
    assert theirs["constants"].keys() - shared == ABSENT_CONSTANTS
    differing = {name for name in shared if theirs["constants"][name] != ours["constants"][name]}
    # A file of each package; a variable that pipestat names and does not read.
    assert differing == {"CFG_SCHEMA", "ENV_VARS"}
    variables = ours["constants"]["ENV_VARS"]
    assert variables == {
        **theirs["constants"]["ENV_VARS"],
        "pipeline_type": "PIPESTAT_PIPELINE_TYPE",
    }
