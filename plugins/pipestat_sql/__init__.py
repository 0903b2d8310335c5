"""Results in SQL databases, by SQLAlchemy (SPEC.md section 9)."""
