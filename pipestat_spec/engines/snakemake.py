"""What a Snakemake `script:` knows of its job, as settings of a manager.

Nothing of Snakemake is imported: the object that Snakemake hands to a script is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipestat_spec.engines.record_expression import parse_record_expression
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.strings import shorten

__all__ = ["CONFIG_KEY", "DEFAULT_RECORD", "job_settings", "job_source"]

DEFAULT_RECORD = "{sample}"
# The parameter of the rule, or else the key of the workflow's configuration.
CONFIG_KEY = "pipestat"
_STORE_SETTINGS = ("config_file", "config_dict", "results_file_path", "backend", "pephub_path")


def job_settings(snakemake: Any, record: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a manager for one job; those that are `given` are stronger.

    The configuration is the rule's `params.pipestat`, else `config["pipestat"]`, a path or
    a mapping; the record is what `record` makes of the wildcards. Raises
    MissingConfigDataError.
    """
    settings: dict[str, Any] = {}
    if not any(given.get(name) is not None for name in _STORE_SETTINGS):
        settings |= _configuration(snakemake)
    if given.get("record_identifier") is None and given.get("pipeline_type") != "project":
        identifier = _record_identifier(snakemake, record)
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


def _record_identifier(snakemake: Any, record: str | None) -> str | None:
    expression = parse_record_expression(DEFAULT_RECORD if record is None else record)
    wildcards = dict(snakemake.wildcards.items())
    identifier = expression.fill(wildcards)
    if identifier is None and record is not None:
        raise MissingConfigDataError(
            f"rule {snakemake.rule!r} has not all wildcards of {record!r}",
            hint="its wildcards are " + (", ".join(wildcards) or "none"),
        )
    return identifier
