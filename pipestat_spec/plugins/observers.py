"""Telling observer plugins what a write changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pipestat_spec.json_values import same_value
from pipestat_spec.logs import logger
from pipestat_spec.models.record import Record
from pipestat_spec.plugins.hookspecs import RecordEvent
from pipestat_spec.plugins.loading import plugins

__all__ = ["notify"]


def notify(event: RecordEvent) -> None:
    """Tell observers of a change; without observers, nothing is compared."""
    hook = plugins().manager.hook
    for call, concerns in (
        (hook.record_removed, _is_removed),
        (hook.result_reported, _results_differ),
        (hook.status_changed, _status_differs),
    ):
        if call.get_hookimpls() and concerns(event):
            _tell(call, event)


def _is_removed(event: RecordEvent) -> bool:
    return event.before is not None and event.after is None


def _results_differ(event: RecordEvent) -> bool:
    if event.after is None:
        return False
    before = event.before.results if event.before else {}
    return event.after.results is not before and not same_value(event.after.results, before)


def _status_differs(event: RecordEvent) -> bool:
    return _status_of(event.before) != _status_of(event.after)


def _status_of(record: Record | None) -> str | None:
    return record.status if record else None


def _tell(call: Callable[..., object], event: RecordEvent) -> None:
    # The write is done: an observer's failure must not look like a failure of the write.
    try:
        call(event=event)
    except Exception:  # noqa: BLE001
        with suppress(Exception):
            logger().exception("an observer plugin failed")
