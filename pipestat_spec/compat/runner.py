"""`python -m pipestat_spec.compat`: a program, and the Python processes that it starts."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from pipestat_spec.cli.messages import error
from pipestat_spec.compat.importing import install_as_pipestat
from pipestat_spec.errors import PipestatError

__all__ = ["main"]

FAILED, USAGE = 1, 2
_SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim")
_HOW = """\
usage: python -m pipestat_spec.compat [--debug] COMMAND [ARGUMENT ...]
       python -m pipestat_spec.compat [--debug] SCRIPT.py [ARGUMENT ...]
       python -m pipestat_spec.compat [--debug] -m MODULE [ARGUMENT ...]
"""
_HELP = f"""\
{_HOW}
Run an installed command (looper, say), a script or a module in which 'import pipestat' gives
pipestat_spec, and so it does in the Python processes that it starts.

  COMMAND     a console command of a package that is installed for this Python;
              'pipestat' is the command line of pipestat_spec
  SCRIPT.py   a file, run as 'python SCRIPT.py' runs it
  -m MODULE   a module, run as 'python -m MODULE' runs it
  --debug     show where an error comes from, where a command would say it in one line
  -h, --help  show this and exit

Exit codes are those of the program; 1 where it cannot be started, 2 for wrong usage.
"""


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return its exit code, or leave by SystemExit as it does."""
    rest = list(arguments)
    debug = rest[:1] == ["--debug"]
    if debug:
        rest.pop(0)
    if rest[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_HELP)
        return 0
    if not rest or (rest[0].startswith("-") and (rest[0] != "-m" or len(rest) < 2)):
        sys.stderr.write(_HOW)
        return USAGE
    try:
        install_as_pipestat()
    except PipestatError as failure:
        error(failure)
        return FAILED
    hand_down(os.environ)
    if rest[0] == "-m":
        return _run_module(rest[1], rest[2:])
    name = _command_name(rest[0])
    if _is_script(name):
        return _run_script(name, rest[1:])
    return _run_command(name, rest[1:], debug)


def hand_down(environment: MutableMapping[str, str]) -> None:
    """Let Python processes with this environment find the drop-in before pipestat."""
    before = environment.get("PYTHONPATH", "")
    if before.split(os.pathsep)[0] != _SHIM:
        environment["PYTHONPATH"] = f"{_SHIM}{os.pathsep}{before}" if before else _SHIM


def _set_path(first: str | None) -> None:
    """Make `sys.path` what it is in a process that is started with the program itself."""
    if not sys.flags.safe_path:
        # `python -m` puts the working folder there.
        sys.path[:1] = [first] if first is not None else []
    # Processes that multiprocessing spawns get this list.
    sys.path.insert(0 if first is None or sys.flags.safe_path else 1, _SHIM)


def _command_name(given: str) -> str:
    """Return the name of a command whose path in this environment is given, as `which` tells it."""
    folder, name = os.path.split(given)
    here = os.path.dirname(sys.executable)
    is_ours = bool(folder) and os.path.realpath(folder) == os.path.realpath(here)
    return name if is_ours and _entry_point(name) is not None else given


def _is_script(name: str) -> bool:
    if name.endswith(".py") or os.sep in name:
        return True
    return os.path.isfile(name) and _entry_point(name) is None


def _run_script(path: str, arguments: Sequence[str]) -> int:
    if not os.path.exists(path):
        error(f"there is no script {path!r}")
        return FAILED
    sys.argv[:] = [path, *arguments]
    _set_path(os.path.dirname(os.path.realpath(path)))
    runpy.run_path(path, run_name="__main__")
    return 0


def _run_module(name: str, arguments: Sequence[str]) -> int:
    sys.argv[:] = [name, *arguments]
    _set_path(os.getcwd())
    if name.partition(".")[0] == "looper":
        _prepare_looper()
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _run_command(name: str, arguments: Sequence[str], debug: bool) -> int:
    found = _entry_point(name)
    if found is None:
        error(f"no package that is installed for {sys.executable} has a command {name!r}")
        return FAILED
    import shutil

    sys.argv[:] = [shutil.which(name) or name, *arguments]
    _set_path(None)
    try:
        function = found()
        if name == "looper":
            _prepare_looper()
        sys.exit(function())
    except Exception as failure:
        ours = _our_error(failure)
        if ours is None or debug:
            raise
        error(ours)
        return FAILED


def _entry_point(name: str) -> Callable[[], Callable[[], Any]] | None:
    """Return what loads the function of a console command, None when there is no such command."""
    if name == "pipestat":

        def load() -> Callable[[], Any]:
            from pipestat_spec.compat.command import main

            return main

        return load
    from importlib.metadata import entry_points

    for point in entry_points(group="console_scripts", name=name):
        return point.load
    return None


def _prepare_looper() -> None:
    from pipestat_spec.compat.looper import take_over_configs

    take_over_configs()


def _our_error(failure: Exception) -> PipestatError | None:
    """Return the error of this package that left a program, also where looper wrapped it."""
    if isinstance(failure, PipestatError):
        return failure
    wrapped = failure.__cause__ or failure.__context__
    of_looper = type(failure).__module__.partition(".")[0] == "looper"
    return wrapped if of_looper and isinstance(wrapped, PipestatError) else None
