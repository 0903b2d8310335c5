"""Any record name is stored, flagged and read back, and never leaves the folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from tests.commands import pipestat_spec

NAMES = {
    "../../evil": "%2E.%2F..%2Fevil",
    "a/b": "a%2Fb",
    "é ü": "é ü",
    "no": "no",
    "1e3": "1e3",
    "b": "b",
    "b_x": "b_x",
    "a" * 255: "a" * 183 + "~b0f3323e7a3cad8a",
    "C:\\x|y<z>": "C%3A%5Cx%7Cy%3Cz%3E",
    'say "hi"?*': "say %22hi%22%3F%2A",
    "50%": "50%25",
    ".hidden": "%2Ehidden",
    "..": "%2E.",
    "~": "~",
    " lead": " lead",
    "a: b": "a%3A b",
    "-f": "-f",
    "日本語": "日本語",
}


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_every_name_in_one_file(folder: Path, layout: str) -> None:
    def opened() -> PipestatManager:
        return PipestatManager(
            results_file_path=folder / "results.yaml", pipeline_name="p", layout=layout
        )

    with opened() as psm:
        for number, name in enumerate(NAMES):
            psm.report({"number": number}, name)
            psm.set_status("running", name)
            psm.set_status("completed" if number % 2 else "failed", name)
    with opened() as psm:
        for number, name in enumerate(NAMES):
            assert psm.retrieve_one(name) == {"number": number, "record_identifier": name}
            assert psm.get_status(name) == ("completed" if number % 2 else "failed")
        assert list(psm) == sorted(NAMES)
    flags = {
        f"p_{encoded}_{'completed' if number % 2 else 'failed'}.flag"
        for number, encoded in enumerate(NAMES.values())
    }
    inside = {path.name for path in folder.iterdir()}
    assert inside == {"results.yaml", ".results.yaml.lock", ".results.yaml.status", *flags}
    assert {path.name for path in folder.parent.iterdir()} == {"results"}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_on_the_command_line(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["-f", str(folder / "results.yaml"), f"--record-identifier={name}"]
    # What the shell gives is read in the same way by all commands: the others are called here.
    pipestat_spec("report", *common, "n:=1", cwd=folder)
    assert pipestat_spec("retrieve", *common, "-i", "n", cwd=folder).stdout == "1\n"
    for arguments, told in ((("set", *common, "running"), ""), (("get", *common), "running\n")):
        assert main(["status", *arguments]) == 0
        assert capsys.readouterr().out == told
    assert {path.name for path in folder.parent.iterdir()} == {"results"}
    # The results file, its lock, the folder of statuses and the flag that leads to it.
    assert len(list(folder.iterdir())) == 4


def test_a_flag_folder_of_its_own(folder: Path) -> None:
    flags = folder / "flags"
    with PipestatManager(
        results_file_path=folder / "r.yaml", pipeline_name="p", flag_file_dir=flags
    ) as psm:
        psm.set_status("running", "../../evil")
        assert psm.get_status("../../evil") == "running"
    assert [path.name for path in flags.iterdir()] == ["p_%2E.%2F..%2Fevil_running.flag"]
    assert {path.name for path in folder.iterdir()} == {
        "r.yaml", ".r.yaml.lock", ".r.yaml.status", "flags"
    }  # fmt: skip


@pytest.mark.parametrize("mode", [0o664, 0o640, 0o600, 0o666])
def test_mode_and_symbolic_link_stay(folder: Path, mode: int) -> None:
    real = folder / "real" / "data.yaml"
    real.parent.mkdir()
    real.write_text("p:\n  s0:\n    n: 1\n")
    real.chmod(mode)
    link = folder / "results.yaml"
    link.symlink_to(os.path.join("real", "data.yaml"))
    with PipestatManager(results_file_path=link) as psm:
        psm.report({"n": 2}, "s1")
        psm.report({"n": 3}, "s0")
    assert link.is_symlink()
    assert os.readlink(link) == os.path.join("real", "data.yaml")
    assert stat.S_IMODE(real.stat().st_mode) == mode
    assert {path.name for path in real.parent.iterdir()} == {"data.yaml", ".data.yaml.lock"}
    assert {path.name for path in folder.iterdir()} == {"results.yaml", "real"}


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_new_file_obeys_the_umask(folder: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with PipestatManager(results_file_path=folder / "results.yaml") as psm:
            psm.report({"n": 1}, "s1")
            psm.set_status("running", "s1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "results.yaml").stat().st_mode) == mode
