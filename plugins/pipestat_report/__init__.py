"""An HTML report of a store's records: one file that needs nothing else (docs/report.md)."""
