"""Files that are replaced in one step, in folders that others may write to."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipestat_spec.whole_files import making_folder, replace_file, replace_link, replacing


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.html"
    replace_file(target, b"one")
    with replacing(target) as file:
        file.write(b"tw")
        assert target.read_bytes() == b"one"
        file.write(b"o")
    assert target.read_bytes() == b"two"
    assert hidden(target.parent) == []


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def fail() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert target.read_bytes() == b"old"
    assert hidden(tmp_path) == []


def test_a_prepared_link_leads_nowhere(tmp_path: Path) -> None:
    """Every name that could be guessed is a link to a file of somebody else."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / f".out.tsv.{os.getpid()}.tmp").symlink_to(victim)
    (folder / ".out.tsv.tmp").symlink_to(victim)
    (folder / "out.tsv").symlink_to(victim)
    replace_file(folder / "out.tsv", b"n\n")
    assert victim.read_text() == "mine"
    assert (folder / "out.tsv").read_text() == "n\n"


def test_two_programs_of_one_number_do_not_meet(tmp_path: Path) -> None:
    """Processes of two containers have the same number; each has its own temporary file."""
    target = tmp_path / "config.yaml"
    texts = [letter.encode() * 200_000 for letter in "abcdefgh"]

    def write(text: bytes) -> bool:
        for _ in range(10):
            replace_file(target, text)
            if target.read_bytes() not in texts:
                return False
        return True

    with ThreadPoolExecutor(len(texts)) as pool:
        assert all(pool.map(write, texts))
    assert target.read_bytes() in texts
    assert hidden(tmp_path) == []


def test_what_a_killed_program_left_goes(tmp_path: Path) -> None:
    old = tmp_path / ".pipestat-0123456789abcdef.tmp"
    young = tmp_path / ".pipestat-fedcba9876543210.tmp"
    foreign = tmp_path / ".pipestat-notes.tmp"
    for path in (old, young, foreign):
        path.write_bytes(b"half")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    os.utime(foreign, (yesterday, yesterday))
    replace_file(tmp_path / "table.tsv", b"")
    assert sorted(hidden(tmp_path)) == sorted([young.name, foreign.name])


def test_the_mode_is_kept_or_given(tmp_path: Path) -> None:
    target = tmp_path / "pipestat-emit"
    replace_file(target, b"1", 0o755)
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    replace_file(target, b"2")
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    mask = os.umask(0o027)
    try:
        replace_file(tmp_path / "private", b"3")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o640


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        replace_file(pipe, b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    replace_file("/dev/null", b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_link_takes_the_place_of_what_is_there(tmp_path: Path) -> None:
    place = tmp_path / "plot.png"
    place.write_bytes(b"copy")
    replace_link(place, "../plot.png")
    assert place.readlink() == Path("../plot.png")
    assert hidden(tmp_path) == []


def test_a_folder_is_there_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "data"
    with making_folder(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    with pytest.raises(OSError, match="not empty"), making_folder(target) as folder:
        (folder / "b").write_text("2")
    assert [path.name for path in target.iterdir()] == ["a"]
    with making_folder(target, replace=True) as folder:
        (folder / "b").write_text("2")
        assert [path.name for path in target.iterdir()] == ["a"]
    assert [path.name for path in target.iterdir()] == ["b"]
    with pytest.raises(ValueError, match="stop"), making_folder(target, replace=True):
        raise ValueError("stop")
    assert [path.name for path in target.iterdir()] == ["b"]
    assert hidden(target.parent) == []


def test_folders_of_killed_writers_are_removed_and_those_in_use_stay(tmp_path: Path) -> None:
    dead, slow = (tmp_path / f".pipestat-{digit * 16}.tmp" for digit in "ab")
    old = time.time() - 7200
    for folder in (dead, slow):
        folder.mkdir()
        (folder / "part").write_text("x")
        os.utime(folder, (old, old))
    os.utime(dead / "part", (old, old))
    replace_file(tmp_path / "other", b"")
    assert hidden(tmp_path) == [slow.name]
