"""A page of a large table takes the memory of the page, not of the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_RECORDS = 200_000 if os.environ.get("PIPESTAT_TRIALS") == "full" else 20_000
_REPOSITORY = Path(__file__).parents[2]
_SCHEMA = {"n": {"type": "integer"}, "s": {"type": "string"}, "doc": {"type": "object"}}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_pages_of_a_large_table(make_database, dialect):
    database = make_database(dialect)
    store = database.open({name: {**part, "description": name} for name, part in _SCHEMA.items()})
    for start in range(0, _RECORDS, 10_000):
        store.report_many(
            {
                f"r{number:06}": {
                    "n": number,
                    "s": f"text-{number}x{number % 7}",
                    "doc": {"k": "v" * 200},
                }
                for number in range(start, start + 10_000)
            }
        )
    done = subprocess.run(
        [sys.executable, "-m", "tests.sql.walk_large", json.dumps(database.options)],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["total"] == found["seen"] == _RECORDS - 10
    assert found["grown"] < 50_000_000, found
    print(found)
