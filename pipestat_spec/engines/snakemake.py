"""What a Snakemake `script:` knows of its job, as settings of a manager.

Nothing of Snakemake is imported: the object that Snakemake hands to a script is enough.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from pipestat_spec.engines.record_expression import parse_record_expression
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.strings import shorten

__all__ = ["CONFIG_KEY", "DEFAULT_RECORD", "job_settings", "job_source", "tell_jobs"]

DEFAULT_RECORD = "{sample}"
# The parameter of the rule, or else the key of the workflow's configuration.
CONFIG_KEY = "pipestat"
# What the logger plugin was told, for the jobs of its run.
_FROM_LOGGER = "PIPESTAT_SNAKEMAKE_LOGGER"
_STORE_SETTINGS = ("config_file", "config_dict", "results_file_path", "backend", "pephub_path")


def tell_jobs(config_file: str | None, record: str, pipeline_name: str | None) -> None:
    """Let jobs that start from now on know how the store was opened and their record is named."""
    # A job may work in another folder.
    config_file = os.path.abspath(config_file) if config_file else None
    told = {"config_file": config_file, "record": record, "pipeline_name": pipeline_name}
    known = {name: value for name, value in told.items() if value is not None}
    os.environ[_FROM_LOGGER] = json.dumps(known)


def job_settings(snakemake: Any, record: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a manager for one job; those that are `given` are stronger.

    The configuration is the rule's `params.pipestat`, else `config["pipestat"]`, a path or
    a mapping, else that of the logger plugin; the record is what `record` makes of the wildcards,
    or what the plugin was told. Raises MissingConfigDataError.
    """
    settings: dict[str, Any] = {}
    logger: dict[str, str] = json.loads(os.environ.get(_FROM_LOGGER, "{}"))
    usual = logger.pop("record", DEFAULT_RECORD)
    if not any(given.get(name) is not None for name in _STORE_SETTINGS):
        settings |= _configuration(snakemake) or logger
    if given.get("record_identifier") is None and given.get("pipeline_type") != "project":
        identifier = _record_identifier(snakemake, record, usual)
        if identifier is not None:
            settings["record_identifier"] = identifier
    return {**settings, **given}


def job_source(snakemake: Any) -> dict[str, Any]:
    """Return what results of this job keep as their source."""
    source: dict[str, Any] = {"engine": "snakemake"}
    rule = getattr(snakemake, "rule", None)
    if isinstance(rule, str):
        source["rule"] = rule
    attempt = getattr(getattr(snakemake, "resources", None), "attempt", None)
    if type(attempt) is int:
        source["attempt"] = attempt
    return source


def _configuration(snakemake: Any) -> dict[str, Any]:
    found = getattr(snakemake.params, CONFIG_KEY, None)
    if found is None:
        found = snakemake.config.get(CONFIG_KEY)
    if found is None:
        return {}
    if isinstance(found, Mapping):
        return {"config_dict": dict(found)}
    if isinstance(found, str):
        return {"config_file": found}
    raise MissingConfigDataError(
        f"{CONFIG_KEY}: {shorten(repr(found))} is no configuration of pipestat",
        hint="give the path of a configuration file, or a mapping",
    )


def _record_identifier(snakemake: Any, record: str | None, usual: str) -> str | None:
    expression = parse_record_expression(usual if record is None else record)
    wildcards = dict(snakemake.wildcards.items())
    identifier = expression.fill(wildcards)
    if identifier is None and record is not None:
        raise MissingConfigDataError(
            f"rule {snakemake.rule!r} has not all wildcards of {record!r}",
            hint="its wildcards are " + (", ".join(wildcards) or "none"),
        )
    return identifier
