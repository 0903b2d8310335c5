"""The plugin's registration; imports its libraries when a store is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["PephubFactory", "register_backends"]

_SCHEME = "pephub:"


class PephubFactory(BackendFactory):
    """Opens projects on a PEPhub server."""

    name = "pephub"
    implied_by = ("pephub_path",)

    def options_model(self) -> type[BaseModel]:
        from pipestat_pephub.options import PephubOptions

        return PephubOptions

    def address(self, text: str, folder: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Take `pephub:namespace/project:tag`."""
        if not text.startswith(_SCHEME):
            return None
        return {"pephub_path": text.removeprefix(_SCHEME)}

    def open(self, settings: StoreSettings) -> Backend:
        """Open the project that `pephub_path` names; the server is not asked before it is used."""
        from importlib.util import find_spec

        if find_spec("requests") is None:
            from pipestat_spec.errors import PipestatDependencyError
            from pipestat_spec.installing import install_hint

            raise PipestatDependencyError(
                "PEPhub needs the package requests",
                hint=install_hint("pipestat-spec[pephub]"),
                package="requests",
            )
        from pipestat_pephub.backend import PephubBackend

        return PephubBackend(settings)


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(PephubFactory())
