"""What a store can promise: the closed list of spec/core.md."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Capability"]


class Capability(StrEnum):
    """One promise; a backend claims those that it keeps."""

    CONCURRENT_WRITERS = "concurrent-writers"
    DURABLE = "durable"
    HISTORY = "history"
    STATUS = "status"
    STATUS_TIMES = "status-times"
    TIMES = "times"
    SOURCE = "source"
    NATIVE_QUERY = "native-query"
    ATOMIC_BATCH = "atomic-batch"
    PROJECT_LEVEL = "project-level"
    MULTI_NAMESPACE = "multi-namespace"
    UNNAMED_NAMESPACE = "unnamed-namespace"
    EXACT_INTEGERS = "exact-integers"
