"""What `psm["s1"]` gives: a record's results, and no way to change the store by mistake."""

from __future__ import annotations

from typing import Any, NoReturn

from pipestat_spec.errors import UnsupportedOperation

__all__ = ["RecordCopy"]


class RecordCopy(dict[str, Any]):
    """A dict that refuses to be changed: what changes here would never reach the store."""

    def _refuse(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        raise UnsupportedOperation(
            "what psm[record] gives is a copy, and a change of it is not stored",
            hint="write psm[record] = {name: value}, psm.report(...) or psm.remove(...); "
            "a dict of your own is dict(psm[record])",
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        # Copies and pickles are plain: they are meant to be one's own.
        return dict, (dict(self),)
