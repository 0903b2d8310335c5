"""`pipestat-spec shim install`: the emitter comes with the package and goes into a pipeline."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipestat_spec.cli import main
from pipestat_spec.engines.emitter import EMITTER, install_emitter
from pipestat_spec.errors import PipestatStartupError
from tests.commands import pipestat_spec


def test_it_is_installed_and_runs(tmp_path: Path) -> None:
    done = pipestat_spec("shim", "install", "deep/bin", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("", "wrote deep/bin/pipestat-emit\n")
    target = tmp_path / "deep" / "bin" / "pipestat-emit"
    assert target.read_bytes() == EMITTER.read_bytes()
    printed = subprocess.run([target, "s1", "n:=1"], capture_output=True, check=True).stdout
    assert b'"results": {"n": 1}' in printed
    assert os.listdir(target.parent) == ["pipestat-emit"]
    again = pipestat_spec("shim", "install", "deep/bin", cwd=tmp_path)
    assert again.stderr == "pipestat-emit is there already\n"
    assert pipestat_spec("shim", "install", "-q", "other", cwd=tmp_path).stderr == ""


def test_everybody_may_run_it_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        target = install_emitter(tmp_path)
    finally:
        os.umask(before)
    assert target is not None
    assert target.stat().st_mode & 0o777 == 0o755


def test_another_version_is_replaced_and_another_file_is_not(tmp_path: Path) -> None:
    target = tmp_path / "pipestat-emit"
    target.write_text("#!/bin/bash\n# pipestat-emit: an older one\n")
    assert install_emitter(tmp_path) == target
    target.chmod(0o644)
    assert install_emitter(tmp_path) == target
    assert os.access(target, os.X_OK)
    target.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(PipestatStartupError, match="is no pipestat-emit; give -o to replace it"):
        install_emitter(tmp_path)
    assert target.read_text() == "#!/bin/sh\necho mine\n"
    assert install_emitter(tmp_path, overwrite=True) == target
    assert target.read_bytes() == EMITTER.read_bytes()


def test_where_it_cannot_be_put(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pipestat-emit").mkdir()
    assert main(["shim", "install", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["shim", "install", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert main(["shim"]) == 2
    assert capsys.readouterr().err.startswith("error: 'shim' needs one of: install; ")
