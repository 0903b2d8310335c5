"""How the cost of an operation grows with the store: CPU and peak memory by number of records.

`STORES` and `OPERATIONS` are the table. Each operation is measured on each store at each size in a
process of its own, `python -m benchmarks.growth STORES OPERATION COUNT`. It does the
same on a store of a few records before, so that imports and first uses do not count. The CPU is
that of the process, and of the server that it asks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import Figure, cpu_clock, milliseconds
from benchmarks.warm import SCHEMA
from pipestat_spec import PipestatManager
from pipestat_spec.convert import convert
from pipestat_spec.plugins.loading import plugins
from tests.environments import clean_environment
from tests.repository import REPOSITORY

PAGE = 50
# Of one result: so many, and where only small stores are measured.
OVERWRITES, _FEWER = 5_000, 1_000
# So many records go into a store in one call.
_AT_ONCE = 100_000
_FEW = 100
# With this in the environment databases of a million records are measured too.
_MILLION = "PIPESTAT_BENCH_MILLION"
# The size of the largest store that is measured, where this is in the environment.
_MOST = "PIPESTAT_BENCH_MOST"
# What a cost may be above what it should be, since figures vary: so many times it, and so much.
_SLACK = 1.3
_NOISE = {"ms": 1.0, "MB": 2.0}
# A read that costs too much is measured so many times: other programs make it longer, none shorter.
_TRIES = 4


@dataclass(frozen=True)
class Store:
    """A kind of store: its sizes, and how one is opened in an empty folder.

    `floor` is the least that a read has to do. In a store that is `indexed` the cost of a page does
    not grow.
    """

    sizes: tuple[int, ...]
    open: Callable[[Path], AbstractContextManager[Opened]]
    floor: Callable[[Path], object] | None = None
    indexed: bool = False


class Opened(NamedTuple):
    """The arguments of a PipestatManager, and the process of a server that does its work."""

    config: dict[str, Any]
    server: int | None = None


@dataclass(frozen=True)
class Operation:
    """A call, given the store, its size and the number of the call.

    `grows` says that the answer, or what has to be looked at for it, grows with the store; all that
    is counted has to be. `most` is the size of the largest store that it is measured on.
    """

    call: Callable[[PipestatManager, int, int], object]
    repeats: int = 5
    grows: bool = False
    most: int | None = None


# Stores


@contextmanager
def _one_file(folder: Path) -> Iterator[Opened]:
    yield Opened({"results_file_path": str(folder / "results.yaml")})


@contextmanager
def _record_files(folder: Path) -> Iterator[Opened]:
    yield Opened({"results_file_path": str(folder / "{record_identifier}.yaml")})


def _read_and_check(folder: Path) -> int:
    return zlib.crc32((folder / "results.yaml").read_bytes())


@contextmanager
def _sqlite(folder: Path) -> Iterator[Opened]:
    yield Opened(_database(f"sqlite:///{folder / 'results.db'}"))


@contextmanager
def _postgresql(_: Path) -> Iterator[Opened]:
    from tests.sql.servers import PostgresServer, wheel_programs

    server = PostgresServer(wheel_programs())
    try:
        yield Opened(_database(server.url()), server.pid)
    finally:
        server.stop()


def _database(url: str) -> dict[str, Any]:
    return {"config_dict": {"backend": "sql", "sql": {"url": url}}}


_TABLES = (1_000, 10_000, 100_000, *([1_000_000] if _MILLION in os.environ else []))
STORES: Mapping[str, Store] = {
    "YAML": Store((1_000, 10_000, 100_000), _one_file, _read_and_check),
    "record files": Store((1_000, 10_000), _record_files),
    "SQLite": Store(_TABLES, _sqlite, indexed=True),
    "PostgreSQL": Store(_TABLES, _postgresql, indexed=True),
}

# Operations


def name_of(number: int) -> str:
    return f"s{number:07}"


def values_of(number: int, count: int) -> dict[str, Any]:
    return {
        # What a filter finds is all over the store.
        "reads": number * 7919 % count,
        "rate": number / 7,
        "name": f"sample number {number}",
        "passed": number % 2 == 0,
        "tags": [number, number + 1, number + 2],
    }


def _five(psm: PipestatManager, count: int, turn: int) -> object:
    return psm.retrieve_many([name_of((number * count // 5 + turn) % count) for number in range(5)])


def _bulk(psm: PipestatManager, count: int, _: int) -> None:
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        psm.report_many((name_of(number), values_of(number, count)) for number in numbers)


def _csv(psm: PipestatManager, _: int, __: int) -> object:
    with tempfile.TemporaryDirectory() as folder:
        return plugins().exporter("csv").export(psm.store, Path(folder, "table.csv"), {})


def _convert(psm: PipestatManager, _: int, __: int) -> None:
    """Copy a store of files into a database, and any other one into a file."""
    name = "copy.db" if psm.store.backend.file else "copy.yaml"
    with (
        tempfile.TemporaryDirectory() as folder,
        PipestatManager(
            results_file_path=Path(folder, name),
            schema_path=psm.schema_path,
            pipeline_name=psm.pipeline_name,
        ) as target,
    ):
        convert(psm.store, target.store)


OPERATIONS: Mapping[str, Operation] = {
    # Into an empty store.
    "bulk": Operation(_bulk, 0, grows=True),
    "report": Operation(lambda psm, _, turn: psm.report({"reads": turn}, f"new{turn}")),
    "status": Operation(lambda psm, _, turn: psm.set_status("failed", name_of(turn * 17))),
    "page of a status": Operation(
        lambda psm, _, __: psm.select_records(where="status = 'failed'", limit=PAGE)
    ),
    # A page tells how many there are.
    "page at the start": Operation(lambda psm, _, __: psm.select_records(limit=PAGE), grows=True),
    "page at the end": Operation(
        lambda psm, count, _: psm.select_records(limit=PAGE, cursor=name_of(count - PAGE - 1)),
        grows=True,
    ),
    "first records": Operation(lambda psm, _, __: list(psm.iter_records(limit=PAGE))),
    "last records": Operation(
        lambda psm, count, _: list(psm.iter_records(limit=PAGE, cursor=name_of(count - PAGE - 1)))
    ),
    "five names": Operation(_five),
    "count": Operation(lambda psm, _, __: psm.count_records(), grows=True),
    "filter": Operation(
        lambda psm, _, __: psm.select_records(where=f"reads < {PAGE}"), 1, grows=True
    ),
    "filter of all": Operation(
        lambda psm, _, __: psm.select_records(where="rate >= 0", limit=PAGE), 1, grows=True
    ),
    "recent": Operation(lambda psm, _, __: psm.list_recent_results(limit=PAGE), 1, grows=True),
    "all records": Operation(lambda psm, _, __: deque(psm.iter_records(), maxlen=0), 1, grows=True),
    "CSV": Operation(_csv, 0, grows=True),
    "convert": Operation(_convert, 0, grows=True, most=100_000),
}
# What leaves the store another one.
_WRITES = ("bulk", "report", "status")
# Of one result of one record, again and again: its history grows.
_OVERWRITE = "overwrite"
_OVERWRITES = Operation(lambda psm, _, turn: psm.report({"rate": turn + 0.5}, name_of(0)), 0)

# Measuring


def figures(folder: Path) -> Iterator[Figure]:
    """Measure all; each figure says how many times that of the smaller store it is."""
    schema = folder / "schema.yaml"
    schema.write_text(SCHEMA)
    for name, store in STORES.items():
        sizes = [size for size in store.sizes if size <= _most()]
        with ExitStack() as stack:
            places = {size: folder / f"{name} {size}" for size in (_FEW, *sizes)}
            stores = {}
            for size, place in places.items():
                place.mkdir()
                config, server = stack.enter_context(store.open(place))
                stores[size] = Opened({**config, "schema_path": str(schema)}, server)
            few = stores[_FEW]
            _run([few], "bulk", _FEW)
            growth = _Growth(name, store)
            for size in sizes:
                for operation, what in OPERATIONS.items():
                    if what.most is not None and size > what.most:
                        continue
                    before = [] if operation == "bulk" else [few]
                    asked = [*before, stores[size]], operation, size
                    found = _run(*asked)
                    tries = 1 if operation in _WRITES else _TRIES
                    while tries > 1 and not growth.is_met(operation, size, found):
                        found, tries = _least(found, _run(*asked)), tries - 1
                    yield from growth.figures(operation, size, found, places[size])
            times = OVERWRITES if _MOST not in os.environ else _FEWER
            yield from _overwrites(name, _run([few], _OVERWRITE, times)["ours"])


def _most() -> float:
    """Return the size of the largest store to measure; raises ValueError for what is no number."""
    given = os.environ.get(_MOST)
    if given is not None and not given.isdecimal():
        raise ValueError(f"{_MOST}={given} is no number of records; give one such as 10000")
    return float("inf") if given is None else int(given)


def _run(stores: list[Opened], operation: str, count: int) -> dict[str, list[float]]:
    """Return the seconds of each call on the last of the stores, and the peak memory in MB."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(stores), operation, str(count)],
        cwd=REPOSITORY,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{operation} on {count:,} records failed:\n{done.stderr}")
    answer: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _least(one: dict[str, list[float]], other: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the shorter calls and the smaller memory of two runs."""
    return {what: min(one[what], other[what]) for what in one}


class _Growth:
    """Compares each figure of a store with that of the size before."""

    def __init__(self, name: str, store: Store) -> None:
        self._name = name
        self._store = store
        self._smaller: dict[str, tuple[int, float]] = {}

    def is_met(self, operation: str, size: int, found: dict[str, list[float]]) -> bool:
        """Tell whether what was found is no more than it should be."""
        name, flat = f"{self._name}, {operation}", self._is_flat(operation)
        cost, memory = found["ours"][0] * 1000, found["peak_mb"][0]
        known = self._most(name, size, "ms", flat), self._most(f"{name}, memory", size, "MB", flat)
        return all(
            most is None or value <= most for value, most in zip((cost, memory), known, strict=True)
        )

    def _is_flat(self, operation: str) -> bool:
        return self._store.indexed and not OPERATIONS[operation].grows

    def _most(self, name: str, size: int, unit: str, flat: bool) -> float | None:
        """Return what a figure may be; None where there is no smaller store."""
        if name not in self._smaller:
            return None
        count, before = self._smaller[name]
        return _SLACK * (1 if flat else size / count) * before + _NOISE[unit]

    def figures(
        self, operation: str, size: int, found: dict[str, list[float]], place: Path
    ) -> Iterator[Figure]:
        floor = None
        if self._store.floor is not None and operation not in ("bulk", "report"):
            floor = _seconds(self._store.floor, place) * 1000
        # No call before has prepared the first one, as in a shell.
        first, (peak,) = found["ours"][0] * 1000, found["peak_mb"]
        name = f"{self._name}, {operation}"
        flat = self._is_flat(operation)
        yield self._figure(name, size, first, "ms", floor, flat, found)
        yield self._figure(f"{name}, memory", size, peak, "MB", None, flat, {})

    def _figure(
        self,
        name: str,
        size: int,
        value: float,
        unit: str,
        floor: float | None,
        flat: bool,
        runs: dict[str, list[float]],
    ) -> Figure:
        text, met = "", None
        most = self._most(name, size, unit, flat)
        if most is not None:
            count, before = self._smaller[name]
            times = _SLACK * (1 if flat else size / count)
            text = f"{value / before:.1f} x that of {count:,}"
            text += f", at most {times:.1f} x and {_NOISE[unit]} {unit}"
            met = value <= most
        self._smaller[name] = size, value
        return Figure(f"{name}, {size:,} records", value, unit, floor, None, text, met, runs=runs)


def _overwrites(name: str, runs: list[float]) -> Iterator[Figure]:
    first, last = (milliseconds(some) for some in (runs[:20], runs[-20:]))
    yield Figure(f"{name}, overwrite number 1", first, "ms")
    text = f"{last / first:.1f} x the first, at most 2 x"
    yield Figure(
        f"{name}, overwrite number {len(runs):,}",
        last,
        "ms",
        None,
        None,
        text,
        last <= 2 * first,
        runs={"ours": runs},
    )


# In the process that is measured


def _seconds(
    call: Callable[..., object],
    *arguments: Any,
    clock: Callable[[], float] = time.process_time,
) -> float:
    begin = clock()
    call(*arguments)
    return clock() - begin


def _peak_megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main(stores: list[Opened], operation: str, count: int) -> None:
    """Print the seconds of each call as JSON."""
    what = _OVERWRITES if operation == _OVERWRITE else OPERATIONS[operation]
    runs: list[float] = []
    for number, (config, server) in enumerate(stores, start=1):
        is_last = number == len(stores)
        clock = cpu_clock(server)
        with PipestatManager(**config) as psm:
            size = count if is_last else _FEW
            repeats = count - 1 if operation == _OVERWRITE else what.repeats
            calls = range(1 + repeats if is_last else 1)
            runs = [_seconds(what.call, psm, size, turn, clock=clock) for turn in calls]
    print(json.dumps({"ours": runs, "peak_mb": [_peak_megabytes()]}))


if __name__ == "__main__":
    main([Opened(*each) for each in json.loads(sys.argv[1])], sys.argv[2], int(sys.argv[3]))
