"""Many new records on PostgreSQL, which are copied into the table: the rows of single reports."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from tests.sql.databases import Database
from tests.sql.test_update import DECLARED, VALUES, same

MANY = 25
# What the text of a COPY has signs for, and a name that a statement would have doubled.
TEXTS = ["", "\\N", "\\.", "a\tb", "a\nb", "a\\b", "\\x41", "é\U0001f600", "'\"", "%s%%"]
NAMED = {**DECLARED, "100 %": {"type": "string"}, 'a%%b"': {"type": "string"}}


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_copied_values(postgres_database: Database, layout: str) -> None:
    opened = postgres_database.open(NAMED, "with %", layout=layout)
    wanted: dict[str, dict[str, Any]] = {
        f"s{number}": {
            "i": number - 2**63, "n": [-0.0, 5e-324, 1e22][number % 3], "b": number % 2 == 0,
            "s": TEXTS[number % len(TEXTS)], "100 %": "x", "a%%b\"": TEXTS[-1 - number % 10],
            "j": list(VALUES.values())[number % len(VALUES)] if number % 2 else [None, 1.0],
        }
        for number in range(MANY)
    }  # fmt: skip
    wanted = {
        name: {**results, "j": results["j"] if not isinstance(results["j"], dict | bool) else None}
        for name, results in wanted.items()
    }
    opened.report_many({**wanted, "extended": VALUES})
    assert all(same(opened.results(name), results) for name, results in wanted.items())
    assert same(opened.results("extended"), VALUES)


def test_a_name_that_comes_from_elsewhere_meanwhile(postgres_database: Database) -> None:
    opened = postgres_database.open({"n": {"type": "integer"}})
    opened.report("s", {"n": 0})
    done: list[Any] = []
    records = {f"s{number}": {"n": number} for number in range(MANY)}
    with postgres_database.connection() as connection:
        connection.execute("begin")
        connection.execute("insert into demo (record_identifier, n) values ('s7', 70)")
        thread = Thread(target=lambda: done.append(opened.report_many(records)))
        thread.start()
        # It waits for the row of the same name.
        thread.join(0.5)
        assert not done
        connection.execute("commit")
        thread.join()
    assert len(done[0]) == MANY
    assert len(opened.names()) == MANY + 1
    assert opened.results("s7") == {"n": 7}
    assert [entry.value for entry in opened.history("s7")] == [70]


def test_rows_with_policies_are_inserted(postgres_database: Database) -> None:
    """PostgreSQL refuses to copy into such a table."""
    database = postgres_database
    place = database.options["schema"]
    database.execute("drop role if exists plain")
    database.execute("create role plain login")
    database.execute(f'grant all on schema "{place}" to plain')
    url = database.options["url"].replace("postgres@", "plain@")
    opened = database.open({"n": {"type": "integer"}}, options={"url": url})
    opened.report("s", {"n": 0})
    database.execute("alter table demo enable row level security")
    database.execute("alter table demo force row level security")
    database.execute("create policy everything on demo using (true)")
    opened.report_many({f"s{number}": {"n": number} for number in range(MANY)})
    assert opened.results("s7") == {"n": 7}
    opened.backend.close()
    database.execute("drop owned by plain cascade")
    database.execute("drop role plain")
