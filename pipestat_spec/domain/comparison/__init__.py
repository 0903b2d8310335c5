"""What differs between two stores: values, records, schemas (docs/diff.md)."""
