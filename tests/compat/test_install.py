"""`install_as_pipestat()`: what `import pipestat` gives from then on."""

from __future__ import annotations

from pathlib import Path

from tests.compat.programs import INSTALL, OURS, run
from tests.environments import PythonEnvironment

SAYS = "import json, sys\n"


def test_the_names_are_those_of_this_package(tmp_path: Path) -> None:
    text = f"""{SAYS}{INSTALL}
import pipestat, pipestat.helpers, pipestat.reports
from pipestat import PipestatError, PipestatManager
from pipestat.exceptions import RecordNotFoundError
from pipestat.pipestat import PipestatManager as Same
import pipestat_spec
from pipestat_spec import errors, formatters, infer
from pipestat.infer import infer_schema
print(json.dumps([
    issubclass(PipestatManager, pipestat_spec.PipestatManager), Same is PipestatManager,
    PipestatError is errors.PipestatError, RecordNotFoundError is errors.RecordNotFoundError,
    pipestat.helpers.markdown_formatter is formatters.markdown_formatter,
    infer_schema is infer.infer_schema,
    issubclass(pipestat.SamplePipestatManager, PipestatManager),
    issubclass(pipestat.ProjectPipestatManager, PipestatManager),
]))
"""
    assert OURS.script(text, cwd=tmp_path) == [True] * 8


def test_modules_are_attributes_of_the_package(tmp_path: Path) -> None:
    text = f"""{SAYS}{INSTALL}
import pipestat
print(json.dumps([pipestat.exceptions.SchemaError.__name__, pipestat.const.STATUS,
                  pipestat.helpers.mk_list_of_str("x"), hasattr(pipestat, "elsewhere")]))
"""
    assert OURS.script(text, cwd=tmp_path) == ["SchemaError", "status", ["x"], False]


def test_a_second_call_does_nothing(tmp_path: Path) -> None:
    text = f"""{SAYS}{INSTALL}
before = list(sys.meta_path)
install_as_pipestat()
import pipestat
install_as_pipestat()
print(json.dumps(sys.meta_path == before))
"""
    assert OURS.script(text, cwd=tmp_path) is True


def test_installing_imports_nothing_heavy(tmp_path: Path) -> None:
    text = f"""{SAYS}{INSTALL}
import pipestat
heavy = ("yaml", "pydantic", "importlib.metadata", "pipestat_spec.manager")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    assert OURS.script(text, cwd=tmp_path) == []


def test_it_comes_too_late_for_a_pipestat_that_is_imported(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    text = f"""{SAYS}
import pipestat
from pipestat_spec.compat import install_as_pipestat
from pipestat_spec.errors import PipestatError
try:
    install_as_pipestat()
except PipestatError as error:
    print(json.dumps(str(error)))
"""
    message = looper.script(text, cwd=tmp_path)
    (file,) = looper.folder.glob("lib/python3.*/site-packages/pipestat/__init__.py")
    assert message == (
        f"pipestat is imported already, from {file}; "
        "call install_as_pipestat() before anything imports it"
    )


def test_the_real_package_does_not_come_in_by_a_module(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    text = f"""{SAYS}{INSTALL}
said = []
for name in ("pipestat.backends", "pipestat.backends.file_backend", "pipestat.parsed_schema"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        said.append([error.name, str(error)])
import pipestat
pipestat.PipestatManager
real = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] == "pipestat"]
print(json.dumps([said, [file for file in real if "pipestat_spec" not in file]]))
"""
    said, real = looper.script(text, cwd=tmp_path)  # type: ignore[misc]
    assert [name for name, _ in said] == [
        "pipestat.backends",
        "pipestat.backends",
        "pipestat.parsed_schema",
    ]
    assert said[0][1] == (
        "No module named 'pipestat.backends': pipestat_spec stands in for pipestat here, "
        "and has no such module"
    )
    assert real == []


def test_a_name_without_counterpart_says_what_to_do(tmp_path: Path) -> None:
    text = f"""{SAYS}{INSTALL}
said = []
for statement in ("from pipestat.const import STATUS_SCHEMA",
                  "from pipestat.helpers import init_generic_config",
                  "from pipestat.reports import HTMLReportBuilder",
                  "from pipestat.const import nothing"):
    try:
        exec(statement)
    except ImportError as error:
        said.append(str(error))
print(json.dumps(said))
"""
    *known, unknown = OURS.script(text, cwd=tmp_path)  # type: ignore[misc]
    here = "pipestat_spec stands in for pipestat here, and has no "
    assert known == [
        f"{here}pipestat.const.STATUS_SCHEMA; read the statuses from a manager's status_schema",
        f"{here}pipestat.helpers.init_generic_config; run 'pipestat-spec init'",
        f"{here}pipestat.reports.HTMLReportBuilder; call a manager's summarize()",
    ]
    assert "nothing" in unknown
    assert here not in unknown


VERSION = """
from importlib.metadata import PackageNotFoundError, distributions, version
def told():
    try:
        return version("pipestat")
    except PackageNotFoundError:
        return None
"""


def test_a_version_is_told_where_pipestat_is_not_installed(tmp_path: Path) -> None:
    text = f"""{SAYS}{VERSION}
before = told()
{INSTALL}
names = [d.metadata["Name"] for d in distributions()]
from pipestat_spec import __version__
print(json.dumps([before, told() == "0.13.1+pipestat.spec." + __version__, "pipestat" in names]))
"""
    assert OURS.script(text, cwd=tmp_path) == [None, True, False]


def test_the_version_of_an_installed_pipestat_stays(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    text = f"{SAYS}{VERSION}{INSTALL}print(json.dumps(told()))"
    assert looper.script(text, cwd=tmp_path) == "0.13.1"


def test_python_m_pipestat_is_our_command_line(tmp_path: Path) -> None:
    text = f"""{INSTALL}
import runpy, sys
sys.argv[1:] = ["report", "-f", "r.yaml", "--pipeline-name", "p", "-r", "s1", "-i", "n", "-v", "2"]
runpy.run_module("pipestat", run_name="__main__")
"""
    done = run(OURS, "python", "-c", text, cwd=tmp_path)
    assert done.stderr == "s1: reported n\n"
    # As pipestat arranges it: a level before the record.
    assert (tmp_path / "r.yaml").read_text().startswith("p:\n  project: {}\n  sample:\n    s1:\n")
