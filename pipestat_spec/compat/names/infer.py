"""`pipestat.infer` of the drop-in."""

from pipestat_spec.infer import infer_schema

__all__ = ["infer_schema"]
