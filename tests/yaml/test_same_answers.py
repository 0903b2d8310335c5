"""Reading what is needed answers as reading all does, whatever the trailer says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_yaml.local.flags import flag_names, flag_stem
from pipestat_yaml.text.spliced_text import open_text
from pipestat_yaml.text.trailer import crc_of, read_trailer, trailer_line

from pipestat_spec.backend import Backend
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.query import (
    And,
    Comparison,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    Page,
    Query,
    TimeColumn,
)
from pipestat_spec.models.record import Level, RecordKey
from pipestat_spec.text.file_names import expand_record_path
from tests.yaml.stores import Stored, open_stored

NAMES = ["s1", "sample 2", "no", "E5", "a: b", "x" * 1100, "é", "B", "zz/9", "abcdefg", "meta"]
VALUES = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(
        [0.5, "text", "a: b", True, None, [], [1, [2, {"a": "b"}]], {"history": {"a": 1}}]
    ),
)
RESULTS = st.dictionaries(
    st.sampled_from(["n", "rate", "plot", "history", "1"]), VALUES, max_size=4
)
WRITES = st.lists(st.tuples(st.sampled_from(NAMES), RESULTS), max_size=12)
STATUSES = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(["running", "failed"]), max_size=3
)
NAME = ("record_identifier",)
OTHERS = [None, 1, "\ud800", ""]
NAMED: st.SearchStrategy[Filter] = st.one_of(
    st.sampled_from([Comparison(NAME, "eq", name) for name in (*NAMES, *OTHERS)]),
    st.lists(st.sampled_from([*NAMES, *OTHERS])).map(lambda names: In(NAME, tuple(names))),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    NAMED
    | st.sampled_from(
        [
            Comparison(("n",), "ge", 0),
            Comparison(("status",), "eq", "running"),
            IsNull(("rate",)),
            Comparison(NAME, "gt", "b"),
        ]
    ),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=4,
)
QUERIES = st.builds(
    Query,
    columns=st.sampled_from([None, (), ("n",), ("plot", "status")]),
    where=st.none() | FILTERS,
    limit=st.sampled_from([None, 1, 2, 50]),
    cursor=st.none() | st.sampled_from([*NAMES, ""]),
)
PATHS = ["results.yaml", "{record_identifier}.yaml", "{record_identifier}/r.yaml"]


def examples(number: int) -> settings:
    slow = [HealthCheck.too_slow]
    return settings(max_examples=number, deadline=None, suppress_health_check=slow)


@contextmanager
def filled(
    path: str, layout: str, writes: list[tuple[str, dict[str, Any]]], statuses: dict[str, str]
) -> Iterator[tuple[Stored, Path]]:
    """Give a store in which records were written and overwritten, and its folder."""
    with TemporaryDirectory() as folder:
        store = open_stored(Path(folder) / path, layout=layout)
        for name, results in writes:
            store.report(name, results)
        for name, status in statuses.items():
            store.set_status(name, status)
        yield store, Path(folder)


def answer(question: Callable[[], Any]) -> Any:
    # What another question found out about the text must not help.
    open_text(b"", "")
    try:
        return question()
    except PipestatError as error:
        return type(error)


def answers(backend: Backend, queries: list[Query]) -> list[list[Any]]:
    """Return what a store answers to all that it can be asked, the queries last."""
    levels: tuple[Level, ...] = ("sample", "project")
    keys = [RecordKey("sample", name) for name in ("s9", *NAMES[:3])]
    whole = [
        *(answer(lambda level=level: backend.count(level)) for level in levels),
        answer(lambda: list(backend.histories("sample"))),
        *(answer(lambda key=key: backend.read(key)) for key in keys),
        *(answer(lambda key=key: list(backend.history(key))) for key in keys),
    ]
    return [whole, *(asked(backend, query) for query in queries)]


def asked(backend: Backend, query: Query) -> list[Any]:
    """Return what a store answers to a query, and to others with its filter, page or limit."""
    where = query.where or And(())
    window = {"after": query.cursor, "limit": query.limit}
    times: list[TimeColumn] = ["modified", "created"]
    return [
        answer(lambda: backend.select(query)),
        answer(lambda: list(backend.scan("sample", after=query.cursor, limit=query.limit))),
        answer(lambda: list(backend.matching("sample", where, **window))),
        *(answer(lambda column=column: pages(backend, query.limit, column)) for column in times),
    ]


def pages(backend: Backend, limit: int | None, column: TimeColumn) -> list[Page]:
    """Return all pages of records by time."""
    found = [backend.recent("sample", limit=limit, time_column=column)]
    while cursor := found[-1].next_cursor:
        found.append(backend.recent("sample", limit=limit, time_column=column, cursor=cursor))
    return found


def without_trailer(path: Path) -> None:
    data = path.read_bytes()
    if trailer := read_trailer(data):
        path.write_bytes(data[: trailer.body_end])


@examples(40)
@given(
    path=st.sampled_from(PATHS),
    layout=st.sampled_from(["records", "levels"]),
    writes=WRITES,
    statuses=STATUSES,
    foreign=STATUSES,
    queries=st.lists(QUERIES, min_size=1, max_size=4),
)
def test_as_when_all_is_read(
    path: str,
    layout: str,
    writes: list[tuple[str, dict[str, Any]]],
    statuses: dict[str, str],
    foreign: dict[str, str],
    queries: list[Query],
) -> None:
    with filled(path, layout, writes, statuses) as (store, folder):
        for name, status in foreign.items():
            place = folder / Path(expand_record_path(path, name)).parent
            flag = place / flag_names(flag_stem("demo", name), [status])[status]
            if place.is_dir() and not os.path.lexists(flag):
                flag.write_text(status)
        backend = store.backend
        assert isinstance(backend, Backend)
        whole, *found = answers(backend, queries)
        assert whole[0] == Backend.count(backend, "sample")
        assert whole[2] == list(Backend.histories(backend, "sample"))
        for query, answered in zip(queries, found, strict=True):
            assert answered[0] == Backend.select(backend, query)
            where = query.where or And(())
            window = {"after": query.cursor, "limit": query.limit}
            assert answered[2] == list(Backend.matching(backend, "sample", where, **window))
            assert answered[3][0] == Backend.recent(backend, "sample", limit=query.limit)
        for file in folder.rglob("*.yaml"):
            without_trailer(file)
        assert answers(backend, queries) == [whole, *found]


# Lines that we would not write: at any place, or at the end.
ANYWHERE = {
    "a comment": "  # a comment",
    "an empty line": "",
    "a record in one line": "  s9: {n: 1}",
    "a result of another form": "    other: 0o7",
}
AT_THE_END = {
    "a name in other quotes": "  's9':\n    n: 1\n    meta: {}",
    "a record of one line": "  s9: {n: 1}",
    "a record without lines": "  s9:",
    "a record again": "  s0:\n    n: 2\n    meta: {}",
    "a result after meta": "  s9:\n    meta:\n      status: running\n    n: 1",
    "meta twice": "  s9:\n    meta:\n      status: running\n    meta:\n      status: failed",
    "a number of another form": "  s9:\n    n: 0o7\n    meta:\n      status: running",
    "another namespace": "other:\n  s9:\n    n: 1\n    meta: {}",
    "times beside the results": (
        '  s9:\n    pipestat_created_time: "2024-01-01 00:00:00"\n    meta:\n      status: running'
    ),
    "a history of another form": (
        "  s9:\n    meta:\n      status: running\n      history:\n"
        "        n:\n          '2024-01-01 00:00:00': 1"
    ),
    "a history of two forms": (
        "  s9:\n    meta:\n      history: {}\n      status: running\n      history:\n"
        '        n:\n          "2024-01-01 00:00:00": 1'
    ),
    "a history before the status": (
        "  s9:\n    meta:\n      history:\n        n:\n"
        '          "2024-01-01 00:00:00": 1\n      status: running'
    ),
    "an empty line in a history": (
        "  s9:\n    meta:\n      status: running\n      history:\n        n:\n"
        '          "2024-01-01 00:00:00": 1\n\n          "2024-01-01 00:00:01": 2'
    ),
    "a comment in a history": (
        "  s9:\n    meta:\n      status: running\n      history:\n        n:\n"
        '          "2024-01-01 00:00:00": 1\n# why\n          "2024-01-01 00:00:01": 2'
    ),
    "a history that stands too deep": (
        "  s9:\n    meta:\n      status: running\n      history:\n          n:\n"
        '            "2024-01-01 00:00:00": 1'
    ),
    "a history of other quotes": (
        "  s9:\n    meta:\n      status: running\n      history:\n        'n':\n"
        '          "2024-01-01 00:00:00": 1'
    ),
}


LIES = {**ANYWHERE, **AT_THE_END}


@pytest.mark.parametrize("lie", LIES)
@examples(6)
@given(
    path=st.sampled_from(PATHS),
    layout=st.sampled_from(["records", "levels"]),
    writes=WRITES,
    place=st.integers(0, 100),
    queries=st.lists(QUERIES, min_size=1, max_size=2),
    wrong=st.sampled_from([0, 0, 1, -1]),
)
def test_a_trailer_that_lies_changes_no_answer(
    lie: str,
    path: str,
    layout: str,
    writes: list[tuple[str, dict[str, Any]]],
    place: int,
    queries: list[Query],
    wrong: int,
) -> None:
    """The trailer counts the records of the lie as whoever believes it would, or wrongly."""
    with filled(path, layout, [("s0", {"n": 1}), *writes], {}) as (store, folder):
        file = folder / expand_record_path(path, "s0")
        data = file.read_bytes()
        trailer = read_trailer(data)
        assert trailer is not None
        *others, section = trailer.sections
        before = data[: section.start].count(b"\n")
        lines = data[: trailer.body_end].splitlines(keepends=True)
        at = before + 1 + place % (len(lines) - before - 1) if lie in ANYWHERE else len(lines)
        lines.insert(at, lines_of(lie, layout))
        body = b"".join(lines)
        records = section.records + bool(re.match(" +[s']", LIES[lie])) + wrong
        section = section._replace(end=len(body), records=records)
        file.write_bytes(body)
        # The record of the lie, the first one, and all of them without their results.
        queries += [*(Query(where=In(NAME, (f"s{n}",))) for n in (0, 9)), Query(columns=())]
        backend = store.backend
        assert isinstance(backend, Backend)
        expected = answers(backend, queries)
        file.write_bytes(body + trailer_line([*others, section], crc_of([body])))
        for told, wanted in zip(answers(backend, queries), expected, strict=True):
            for one, other in zip(told, wanted, strict=True):
                # What is not read is not checked.
                assert one == other or isinstance(other, type)


def lines_of(lie: str, layout: str) -> bytes:
    """Return the lines, deeper where levels stand between namespace and records."""
    lines = f"{LIES[lie]}\n".splitlines(keepends=True)
    deeper = layout == "levels"
    return "".join("  " * (deeper and line[0] == " ") + line for line in lines).encode()
