"""How an exporter refuses an option: every exporter in the same words."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["refuse_unknown", "wrong_option"]


def refuse_unknown(options: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise PipestatSummarizeError for the first option that `what`, say "a table", has not."""
    for name in options:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else "known are " + ", ".join(known)
            raise PipestatSummarizeError(f"{what} has no option {name!r}", hint=hint)


def wrong_option(name: str, value: object, hint: str) -> PipestatSummarizeError:
    """Return the error of an option whose value is refused."""
    return PipestatSummarizeError(f"{name}: {shorten(value, 40)} is not possible", hint=hint)
