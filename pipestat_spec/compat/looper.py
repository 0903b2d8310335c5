"""looper's configurations of pipestat, made by this package when it runs looper."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from pipestat_spec.engines.looper import LooperConfig

__all__ = ["take_over_configs"]

# Where looper looks for the configuration that it made for a pipeline.
_METHOD = "_check_for_existing_pipestat_config"


def take_over_configs() -> None:
    """Let looper open configurations that are brought up to date with its own.

    looper uses one that exists as it is, and one pipeline's settings end up in the next one's.
    A looper that works otherwise is left alone, with a warning.
    """
    from pipestat_spec.cli.messages import warning

    try:
        module: Any = import_module("looper.project")
        getattr(module.Project, _METHOD)
        keys = (module.EXTRA_KEY, module.PIPESTAT_KEY)
    except (ImportError, AttributeError) as error:
        warning(f"this looper makes its pipestat configurations itself: {error}")
        return

    # A project has no hash, and the next one may get its id.
    checked: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def current_config(project: Any, interface: Any) -> str:
        section = project[keys[0]][keys[1]]
        if checked.get(id(project)) is not project:
            checked[id(project)] = project
            _check_shared(section, project)
        return _written(_merged(section, project, interface))

    setattr(module.Project, _METHOD, current_config)
    _link_once()


def _link_once() -> None:
    """Let `looper link` make the links of a pipeline once: it asks for them for each sample."""
    from pipestat_spec.compat.manager import LINKED

    try:
        linker: Any = import_module("looper.looper").Linker
    except (ImportError, AttributeError):
        return
    call = linker.__call__

    def call_once(self: Any, args: Any) -> Any:
        token = LINKED.set({})
        try:
            return call(self, args)
        finally:
            LINKED.reset(token)

    linker.__call__ = call_once


def _merged(section: Any, project: Any, interface: Any) -> LooperConfig:
    from pipestat_spec.engines.looper import merge_section

    return merge_section(section, project.output_dir, interface.pipe_iface_file, interface.data)


def _check_shared(section: Any, project: Any) -> None:
    """Raise MissingConfigDataError for two pipelines of one name with different schemas.

    They share a file, and the one that is started later would change it under the other's jobs.
    """
    from pipestat_spec.engines.looper import joined

    both = (*project.pipeline_interfaces, *project.project_pipeline_interfaces)
    found: dict[str, LooperConfig] = {}
    for interface in {interface.pipe_iface_file: interface for interface in both}.values():
        made = _merged(section, project, interface)
        found[made.pipeline_name] = joined(found.get(made.pipeline_name), made)


def _written(made: LooperConfig) -> str:
    """Write or refresh the configuration of one pipeline; return its path."""
    import logging

    from pipestat_spec.engines.looper import write_config

    written = write_config(made)
    logger = logging.getLogger("looper")
    for text in written.done:
        logger.info("%s: %s", written.path, text)
    for text in written.attention:
        logger.warning("%s: %s", written.path, text)
    return made.path
