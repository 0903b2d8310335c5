"""What `import pipestat` and `importlib.metadata.version("pipestat")` give."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import PipestatError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["install_as_pipestat"]

_PACKAGE = "pipestat"
_NAMES = os.path.join(os.path.dirname(__file__), "names")


def install_as_pipestat() -> None:
    """Let `import pipestat` give this package in the current process; a second call does nothing.

    Raises PipestatError when pipestat itself has been imported already.
    """
    if any(isinstance(finder, _Names) for finder in sys.meta_path):
        return
    present = sys.modules.get(_PACKAGE)
    if present is not None:
        raise PipestatError(
            f"pipestat is imported already, from {getattr(present, '__file__', None)}",
            hint="call install_as_pipestat() before anything imports it",
        )
    sys.meta_path.insert(0, _Names())
    # The last one: where pipestat is installed, its own metadata tell its version.
    sys.meta_path.append(_Metadata())


class _Names(MetaPathFinder):
    """Finds `pipestat` and its modules in the folder `names`, and lets nobody else find them."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        if package != _PACKAGE:
            return None
        if not module:
            return spec_from_file_location(
                fullname, os.path.join(_NAMES, "__init__.py"), submodule_search_locations=[_NAMES]
            )
        file = os.path.join(_NAMES, f"{module}.py")
        if "." in module or not os.path.isfile(file):
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: pipestat_spec stands in for pipestat here, "
                "and has no such module",
                name=fullname,
            )
        return spec_from_file_location(fullname, file)


class _Metadata(MetaPathFinder):
    """Tells the version where no distribution called pipestat is installed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> None:
        return None

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:
        name = getattr(context, "name", None)
        if name is None or name.lower() != _PACKAGE:
            return ()
        # Imports much; most processes never ask.
        from pipestat_spec.compat.distribution import StandIn

        return (StandIn(),)
