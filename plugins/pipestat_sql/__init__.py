"""Results in SQL databases, by SQLAlchemy (spec/sql.md)."""
