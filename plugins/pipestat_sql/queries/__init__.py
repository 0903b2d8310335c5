"""Filters and pages, answered by the database (SPEC.md section 12)."""

from pipestat_sql.queries.conditions import condition
from pipestat_sql.queries.distinct import distinct_values
from pipestat_sql.queries.pages import count_matches, select_page
from pipestat_sql.queries.recent import recent_page

__all__ = ["condition", "count_matches", "distinct_values", "recent_page", "select_page"]
