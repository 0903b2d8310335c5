"""What only a process of its own shows: streams, signals, exit codes, the way out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import patience
from tests.cli.runs import SCHEMA
from tests.commands import PROGRAM, pipestat_spec
from tests.environments import clean_environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    return tmp_path


def test_python_m_is_the_same_command(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipestat_spec", "report", "-f", "r.yaml", "-r", "s1", "a=1"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "s1: reported a\n")
    assert "s1" in (folder / "r.yaml").read_text()


def test_exit_codes(folder: Path) -> None:
    common = ["report", "-f", "r.yaml", "-s", "schema.yaml", "-r", "s1"]
    assert pipestat_spec(*common, "reads=1", cwd=folder, code=0).stdout == ""
    assert pipestat_spec(*common, "reads=1", cwd=folder, code=0)
    assert pipestat_spec(*common, "reads=2", cwd=folder, code=1).stdout == ""
    assert pipestat_spec(*common, "reads", cwd=folder, code=2).stdout == ""


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX", "en_US.ISO-8859-1"])
def test_data_is_utf_8_in_every_locale(folder: Path, locale: str) -> None:
    variables = {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    (folder / "v.json").write_text('{"a": "é日😀"}', encoding="utf-8")
    common = {"cwd": folder, "env": clean_environment(**variables), "check": True}
    subprocess.run([PROGRAM, "report", "-f", "r.yaml", "-r", "s1", "--json", "@v.json"], **common)
    done = subprocess.run(
        [PROGRAM, "retrieve", "-f", "r.yaml", "-r", "s1", "-i", "a"], stdout=-1, **common
    )
    assert done.stdout.decode("utf-8") == "é日😀\n"


def test_a_reader_that_stops_early_is_no_noise(folder: Path) -> None:
    records = {f"s{i}": {"a": "x" * 1000} for i in range(500)}
    (folder / "r.yaml").write_text(yaml.safe_dump({"p": records}))
    command = f"'{PROGRAM}' select -f r.yaml --format json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_closed_streams(folder: Path) -> None:
    command = f"'{PROGRAM}' report -f r.yaml -r s1 readings=1 >&- 2>&-; echo $?"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=clean_environment(), capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert yaml.safe_load((folder / "r.yaml").read_text())
    command = f"'{PROGRAM}' report -f r.yaml -r s1 readings=2 2>&-; echo $?"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=clean_environment(), capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_full_disk_on_stdout_is_a_failure(folder: Path) -> None:
    pipestat_spec("report", "-f", "r.yaml", "-r", "s1", "a=1", cwd=folder)
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [PROGRAM, "select", "-f", "r.yaml"],
            cwd=folder,
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.count("error: ") == 1


def test_interruption_is_130_and_leaves_no_trace(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    process = subprocess.Popen(
        [PROGRAM, "report", "-f", "r.yaml", "-r", "s1", "--json", "@pipe"],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Opening for writing waits for the reader, which then waits for the end of the document.
    with (folder / "pipe").open("w"), process:
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=patience.SECONDS)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", "")
    assert not (folder / "r.yaml").exists()


def test_plugins_that_write_late_are_waited_for(folder: Path) -> None:
    """The fast way out is for processes in which no other code than ours ran."""
    site = folder / "site"
    info = site / "late-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pipestat_spec]\nlate = late\n")
    (site / "late.py").write_text(
        "from pipestat_spec import hookimpl\n"
        "LOG = open('log.txt', 'w')\n"
        "@hookimpl\n"
        "def result_reported(event):\n"
        "    LOG.write(event.key.identifier)\n"
    )
    environment = {**clean_environment(), "PYTHONPATH": str(site)}
    arguments = [PROGRAM, "report", "-q", "-f", "r.yaml", "-r", "s1", "a=1"]
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert (folder / "log.txt").read_text() == "s1"


def test_without_plugins_the_command_still_answers(folder: Path) -> None:
    done = pipestat_spec("plugins", "--format", "json", cwd=folder, PIPESTAT_PLUGINS="")
    assert json.loads(done.stdout) == {"total_size": 0, "records": []}
    done = pipestat_spec(
        "report", "-f", "r.yaml", "-r", "s1", "a=1", cwd=folder, code=1, PIPESTAT_PLUGINS=""
    )
    assert "no installed plugin handles 'results_file_path'" in done.stderr


def test_a_place_that_cannot_be_written(folder: Path) -> None:
    (folder / "file").touch()
    done = pipestat_spec("report", "-f", "file/r.yaml", "-r", "s1", "a=1", cwd=folder, code=1)
    assert len(done.stderr.splitlines()) == 1
    assert "file" in done.stderr
