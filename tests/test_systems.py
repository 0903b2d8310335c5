"""Where the project does not run it says so: on an import and on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import patience
from tests.environments import clean_environment
from tests.repository import REPOSITORY

# As on Windows: another name, and none of the modules that only POSIX has.
ELSEWHERE = """
import sys
sys.platform = {platform!r}
for name in ("fcntl", "grp", "pwd", "resource", "termios", "posix"):
    sys.modules[name] = None
"""
SCRIPT = Path(sys.executable).parent / "pipestat-spec"
STARTS = {
    "import": "import pipestat_spec",
    "name": "from pipestat_spec import PipestatManager",
    "backend": "import pipestat_yaml.plugin",
    "drop-in": "from pipestat_spec.compat import install_as_pipestat",
    "plugin": "import snakemake_logger_plugin_pipestat.session",
    "suite": "import pipestat_conformance.command",
    "python -m": "import runpy; runpy.run_module('pipestat_spec', run_name='__main__')",
    "command": f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')",
}


def start(text: str, platform: str) -> subprocess.CompletedProcess[str]:
    plugin = REPOSITORY / "plugins" / "snakemake-logger-plugin-pipestat"
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE.format(platform=platform) + text],
        env=clean_environment(PYTHONPATH=str(plugin)),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )


@pytest.mark.parametrize("text", STARTS.values(), ids=STARTS)
def test_another_system_is_refused_in_a_line(text: str) -> None:
    done = start(text, "win32")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: pipestat-spec ")
    assert done.stderr.endswith("runs on Linux and macOS, not on win32; on Windows use it in WSL\n")
    assert done.stderr.count("\n") == 1


def test_a_program_may_go_on_without() -> None:
    text = "try:\n    import pipestat_spec\nexcept Exception as error:\n    print(error)\n"
    done = start(text, "cygwin")
    assert (done.returncode, done.stderr) == (0, "")
    assert "not on cygwin" in done.stdout
