"""Filters and pages, answered by the database (spec/queries.md)."""

from pipestat_sql.queries.distinct import distinct_values
from pipestat_sql.queries.pages import few_matches, more_matches, recent_page, select_page
from pipestat_sql.queries.table_reader import TableReader

__all__ = [
    "TableReader",
    "distinct_values",
    "few_matches",
    "more_matches",
    "recent_page",
    "select_page",
]
