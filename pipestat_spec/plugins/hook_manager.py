"""The plugin manager of pluggy, which also knows the marks of `hookspecs`."""

from __future__ import annotations

from typing import Any

import pluggy

from pipestat_spec.plugins.hookspecs import HOOKS, MARK, PROJECT

__all__ = ["HookManager"]


class HookManager(pluggy.PluginManager):
    """Calls the hooks of all plugins that are registered."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        mark = pluggy.HookspecMarker(PROJECT)
        for function in HOOKS.values():
            mark(function)
        from pipestat_spec.plugins import hookspecs

        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """Give a function that bears our mark the one of pluggy."""
        function = getattr(plugin, name, None)
        function = getattr(function, "__func__", function)
        options = getattr(function, MARK, None)
        if isinstance(options, dict):
            pluggy.HookimplMarker(PROJECT)(**options)(function)
        return super().parse_hookimpl_opts(plugin, name)
