"""What the entry point names. Every command imports it: what is heavy waits in functions."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pydantic import BaseModel


class LmdbFactory(BackendFactory):
    """Opens one project of one namespace in a folder."""

    name = "lmdb"

    def options_model(self) -> type[BaseModel]:
        from pydantic import Field

        from pipestat_spec.options import Options

        class LmdbOptions(Options):
            path: str = Field(min_length=1)
            map_size: int = Field(64 << 20, ge=1 << 16)

        return LmdbOptions

    def open(self, settings: StoreSettings) -> Backend:
        from pipestat_lmdb.backend import LmdbBackend
        from pipestat_lmdb.environment import check_mount, open_environment

        folder = os.path.join(settings.base_folder, settings.options.path)
        if not settings.unsafe_writes:
            check_mount(folder)
        environment = open_environment(folder, settings.options.map_size)
        return LmdbBackend(environment, settings.namespace, settings.project_name)


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(LmdbFactory())
