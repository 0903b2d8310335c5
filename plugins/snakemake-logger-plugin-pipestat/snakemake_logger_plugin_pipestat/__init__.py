"""Snakemake logger plugin that keeps the status of every record with pipestat-spec.

    snakemake --logger pipestat --logger-pipestat-config pipestat.yaml

Snakemake imports this module at every start, whether the plugin is enabled or not, and in the
process of every `run:` job: nothing is imported here that Snakemake has not imported already.
There is one thing to do in such a process: to leave the error of its job where it is found.
"""

# No `from __future__ import annotations`: Snakemake looks at the types of the settings' fields.

import logging
import os
import typing
from dataclasses import dataclass, field

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

if typing.TYPE_CHECKING:
    from snakemake_logger_plugin_pipestat.session import Session

__all__ = ["LogHandler", "LogHandlerSettings"]

# The name is that of `spawned.ERRORS_FOLDER`, which is not imported where nobody asks for it.
if "PIPESTAT_SNAKEMAKE_ERRORS" in os.environ:
    from snakemake_logger_plugin_pipestat.spawned import leave_errors

    leave_errors()


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """What stands behind `--logger-pipestat-`."""

    config: typing.Optional[str] = field(  # noqa: UP045 - Snakemake looks for Optional
        default=None,
        metadata={
            "help": "Configuration file of pipestat-spec, which names the store; "
            "by default what the environment says (PIPESTAT_CONFIG), or the nearest "
            "pipestat.yaml.",
            "env_var": True,
            "metavar": "FILE",
        },
    )
    record: str = field(
        default="{sample}",
        metadata={
            "help": "Which record a job belongs to, made of its wildcards. Jobs without "
            "these wildcards belong to no record.",
            "env_var": True,
            "metavar": "EXPRESSION",
        },
    )
    project: bool = field(
        default=False,
        metadata={
            "help": "Let jobs that belong to no record count for the record of the project level.",
            "env_var": False,
        },
    )
    pipeline_name: typing.Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "Namespace of the records; by default that of the output schema or the "
            "configuration.",
            "env_var": True,
            "metavar": "NAME",
        },
    )


class LogHandler(LogHandlerBase):
    """Hands Snakemake's events to a session; a dry run has none."""

    _session: typing.Optional["Session"] = None

    def __post_init__(self) -> None:
        """Open the store; raises WorkflowError, which stops Snakemake before it begins."""
        if self.common_settings.dryrun:
            return
        from snakemake_logger_plugin_pipestat.session import open_session

        settings = self.settings
        if not isinstance(settings, LogHandlerSettings):
            settings = LogHandlerSettings()
        self._session = open_session(
            settings.config, settings.record, settings.project, settings.pipeline_name
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event; never raises, since that would end the thread of all loggers."""
        if self._session is not None:
            self._session.take(record)

    def close(self) -> None:
        """Store what is not stored yet; Snakemake calls this twice."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        return False

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        # Without a filter of its own a plugin sees nothing under `--quiet`.
        return True

    @property
    def has_formatter(self) -> bool:
        return True

    @property
    def needs_rulegraph(self) -> bool:
        return False
