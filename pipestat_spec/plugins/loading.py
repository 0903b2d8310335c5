"""Finding and loading plugins, one by one (docs/adr/0004).

A plugin that fails to load is kept by name with its error; the others work on.
The environment variable PIPESTAT_PLUGINS, a comma-separated list of entry-point names,
restricts what is loaded (empty: nothing).
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pluggy

from pipestat_spec.errors import PluginError
from pipestat_spec.plugins import hookspecs
from pipestat_spec.plugins.entry_points import EntryPoint, find_entry_points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipestat_spec.backend import BackendFactory
    from pipestat_spec.plugins.hookspecs import Exporter

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "LoadedPlugin",
    "Plugins",
    "load_plugins",
    "only_built_in",
    "plugins",
    "shipped",
]

ENVIRONMENT_VARIABLE = "PIPESTAT_PLUGINS"
_OWN_DISTRIBUTION = "pipestat_spec"
_T = TypeVar("_T")
_SPEC_MARK = hookspecs.PROJECT + "_spec"
_IMPL_MARK = hookspecs.PROJECT + "_impl"
_HOOKS = frozenset(name for name, value in vars(hookspecs).items() if hasattr(value, _SPEC_MARK))


class _Manager(pluggy.PluginManager):
    """Looks only at what is called as a hook is; pluggy would inspect every name of a module."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if name in _HOOKS else None


class LoadedPlugin(NamedTuple):
    """One entry point and what came of it: `error` is None when it loaded."""

    entry_point: EntryPoint
    error: str | None = None

    @property
    def name(self) -> str:
        """The name of the entry point."""
        return self.entry_point.name


class Plugins:
    """The plugins of one process: what was found, what each offers, what failed.

    `loaded` has every entry point, `backends` and `exporters` what they registered, by name,
    `providers` the plugin of each, and `manager` is pluggy's.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.manager = manager
        self.loaded: list[LoadedPlugin] = []
        self.backends: dict[str, BackendFactory] = {}
        self.exporters: dict[str, Exporter] = {}
        self.providers: dict[str, str] = {}

    def failures(self) -> list[LoadedPlugin]:
        """Return the entry points that did not load."""
        return [plugin for plugin in self.loaded if plugin.error is not None]

    def backend(self, name: str) -> BackendFactory:
        """Return the factory called `name`; raises PluginError naming what there is."""
        if name in self.backends:
            return self.backends[name]
        broken = [f"{p.name} ({p.error})" for p in self.failures()]
        hint = "backends are " + ", ".join(sorted(self.backends))
        if broken:
            hint += "; failed to load: " + ", ".join(broken)
        raise PluginError(f"there is no backend {name!r}", hint=hint, name=name)

    def exporter(self, name: str) -> Exporter:
        """Return the exporter called `name`; raises PluginError naming what there is."""
        if name in self.exporters:
            return self.exporters[name]
        hint = "exporters are " + (", ".join(sorted(self.exporters)) or "none")
        raise PluginError(f"there is no exporter {name!r}", hint=hint, name=name)

    def exporter_of(self, file: str) -> Exporter:
        """Return the exporter for a file of this name; raises PluginError naming the endings."""
        endings: dict[str, Exporter] = {}
        for exporter in self.exporters.values():
            for suffix in exporter.suffixes:
                endings.setdefault(suffix, exporter)
        for suffix in sorted(endings, key=len, reverse=True):
            if file.lower().endswith(suffix):
                return endings[suffix]
        hint = "endings are " + (", ".join(endings) or "none")
        raise PluginError(f"no exporter writes {file!r}", hint=hint)


@cache
def plugins() -> Plugins:
    """Return the plugins of this process, loaded at the first call."""
    return load_plugins(find_entry_points(hookspecs.PROJECT))


def only_built_in() -> bool:
    """Tell whether no plugin of another distribution than this one was loaded."""
    if not plugins.cache_info().currsize:
        return True
    return all(map(shipped, plugins().loaded))


def shipped(plugin: LoadedPlugin) -> bool:
    """Tell whether a plugin comes with this distribution."""
    return plugin.entry_point.distribution == _OWN_DISTRIBUTION


def load_plugins(entry_points: Iterable[EntryPoint]) -> Plugins:
    """Load each entry point on its own and collect what it registers."""
    manager = _Manager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    result = Plugins(manager)
    allowed = _allowed()
    for entry_point in entry_points:
        if allowed is None or entry_point.name in allowed:
            result.loaded.append(LoadedPlugin(entry_point, _load(result, entry_point)))
    return result


def _allowed() -> set[str] | None:
    text = os.environ.get(ENVIRONMENT_VARIABLE)
    return None if text is None else {name.strip() for name in text.split(",") if name.strip()}


def _load(plugins: Plugins, entry_point: EntryPoint) -> str | None:
    """Load one plugin; return what went wrong, in one line."""
    if any(p.name == entry_point.name and p.error is None for p in plugins.loaded):
        return f"another plugin is called {entry_point.name!r} too"
    module: ModuleType | None = None
    try:
        module = entry_point.load()
        plugins.manager.register(module, name=entry_point.name)
        _refuse_misspelt_hooks(module)
        _collect(plugins, entry_point.name, module)
    # Third-party code may raise anything, SystemExit included; it must not take others down.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        if module is not None and plugins.manager.is_registered(module):
            plugins.manager.unregister(module)
        return _one_line(error)
    return None


def _refuse_misspelt_hooks(module: ModuleType) -> None:
    for name, value in vars(module).items():
        if name not in _HOOKS and hasattr(value, _IMPL_MARK):
            from difflib import get_close_matches

            near = get_close_matches(name, _HOOKS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "hooks: " + ", ".join(sorted(_HOOKS))
            raise PluginError(f"{name!r} is not a hook", hint=hint)


def _collect(plugins: Plugins, plugin: str, module: ModuleType) -> None:
    backends: dict[str, BackendFactory] = {}
    exporters: dict[str, Exporter] = {}
    caller = plugins.manager.subset_hook_caller
    others = [p for p in plugins.manager.get_plugins() if p is not module]
    caller("register_backends", others)(register=lambda b: _add(backends, b.name, b))
    caller("register_exporters", others)(register=lambda e: _add(exporters, e.name, e))
    for kind, new, known in (
        ("backend", backends, plugins.backends),
        ("exporter", exporters, plugins.exporters),
    ):
        for name in new:
            if name in known:
                owner = plugins.providers[f"{kind}:{name}"]
                raise PluginError(f"{kind} {name!r} is already registered by plugin {owner!r}")
    plugins.backends.update(backends)
    plugins.exporters.update(exporters)
    plugins.providers.update({f"backend:{name}": plugin for name in backends})
    plugins.providers.update({f"exporter:{name}": plugin for name in exporters})


def _add(registry: dict[str, _T], name: str, value: _T) -> None:
    if name in registry:
        raise PluginError(f"{name!r} is registered twice")
    registry[name] = value


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
