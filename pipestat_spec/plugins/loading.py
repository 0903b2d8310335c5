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

from pipestat_spec.errors import PluginError
from pipestat_spec.plugins.entry_points import EntryPoint, find_entry_points
from pipestat_spec.plugins.hookspecs import HOOKS, MARK, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipestat_spec.backend import BackendFactory
    from pipestat_spec.plugins.hook_manager import HookManager
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


class LoadedPlugin(NamedTuple):
    """One entry point and what came of it: `error` is None when it loaded."""

    entry_point: EntryPoint
    error: str | None = None

    @property
    def name(self) -> str:
        return self.entry_point.name


class Plugins:
    """The plugins of one process: what was found, what each offers, what failed."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        self._manager: HookManager | None = None
        self.loaded: list[LoadedPlugin] = []
        self.backends: dict[str, BackendFactory] = {}
        self.exporters: dict[str, Exporter] = {}
        self.providers: dict[str, str] = {}

    @property
    def manager(self) -> HookManager:
        """What calls the hooks of all plugins, made when it is first asked for."""
        if self._manager is None:
            from pipestat_spec.plugins.hook_manager import HookManager

            self._manager = HookManager()
            for name, module in self.modules.items():
                self._manager.register(module, name=name)
        return self._manager

    def add(self, name: str, module: ModuleType) -> None:
        """Add a plugin; raises what pluggy raises for hooks that it refuses."""
        manager = self._manager if _is_plain(module) else self.manager
        self.modules[name] = module
        if manager is not None:
            manager.register(module, name=name)

    def drop(self, name: str) -> None:
        """Take a plugin out again, if it was added."""
        if self.modules.pop(name, None) is not None and self._manager is not None:
            self._manager.unregister(name=name)

    def call(self, module: ModuleType, hook: str, **arguments: object) -> None:
        """Call one hook of one plugin."""
        if self._manager is None:
            function = vars(module).get(hook)
            if function is not None and hasattr(function, MARK):
                function(**arguments)
            return
        others = [other for other in self._manager.get_plugins() if other is not module]
        self._manager.subset_hook_caller(hook, others)(**arguments)

    def may_have(self, *hooks: str) -> bool:
        """Tell whether a plugin may implement any of the hooks; only the manager is sure."""
        return self._manager is not None or any(
            hook in vars(module) for module in self.modules.values() for hook in hooks
        )

    def failures(self) -> list[LoadedPlugin]:
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
    return load_plugins(find_entry_points(PROJECT))


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
    result = Plugins()
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
    try:
        module = entry_point.load()
        _refuse_misspelt_hooks(module)
        plugins.add(entry_point.name, module)
        _collect(plugins, entry_point.name, module)
    # Third-party code may raise anything, SystemExit included; it must not take others down.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        plugins.drop(entry_point.name)
        return _one_line(error)
    return None


def _refuse_misspelt_hooks(module: ModuleType) -> None:
    for name, value in vars(module).items():
        if name not in HOOKS and (hasattr(value, MARK) or hasattr(value, _PLUGGYS_MARK)):
            from difflib import get_close_matches

            near = get_close_matches(name, HOOKS, 1)
            raise PluginError(
                f"{name!r} is not a hook",
                hint=f"did you mean {near[0]!r}?" if near else "hooks: " + ", ".join(sorted(HOOKS)),
            )


_PLUGGYS_MARK = PROJECT + "_impl"


def _is_plain(module: ModuleType) -> bool:
    """Tell whether a plugin's hooks are functions as the hooks describe them, without options.

    They can be called without pluggy.
    """
    for name, value in vars(module).items():
        if hasattr(value, _PLUGGYS_MARK):
            return False
        if hasattr(value, MARK) and (
            getattr(value, MARK) or _parameters(value) != _parameters(HOOKS[name])
        ):
            return False
    return True


def _parameters(function: Callable[..., object]) -> tuple[str, ...] | None:
    code = getattr(function, "__code__", None)
    return code and code.co_varnames[: code.co_argcount]


def _collect(plugins: Plugins, plugin: str, module: ModuleType) -> None:
    backends: dict[str, BackendFactory] = {}
    exporters: dict[str, Exporter] = {}
    plugins.call(module, "register_backends", register=lambda b: _add(backends, b.name, b))
    plugins.call(module, "register_exporters", register=lambda e: _add(exporters, e.name, e))
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
