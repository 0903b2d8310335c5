"""Mutants of spec/yaml.md: readers that take text for something else."""

from __future__ import annotations

import re

import yaml

from conformance_selfcheck.mutants.yaml_documents import Twice, dump, load
from conformance_selfcheck.mutants.yaml_store import reading
from pipestat_spec.errors import PipestatError


@reading("PS-YAML-021")
def anchors_refused(text: str) -> str:
    """A file with anchors, aliases or merge keys cannot be read."""
    if re.search(r"(?m)[:-] [&*][A-Za-z0-9]", text):
        raise PipestatError("anchors are not supported")
    return text


@reading("PS-YAML-021")
def block_scalars_folded(text: str) -> str:
    """A literal block scalar is read as a folded one."""
    return re.sub(r"(?m): \|([+-]?)$", r": >\1", text)


@reading("PS-YAML-022")
def clock_times_are_text(text: str) -> str:
    """`12:30` is text, as in YAML 1.2, and not 750."""
    return re.sub(r"(?m)(: |- )(\d+(?::\d\d)+)( *(?:#.*)?)$", r'\1"\2"\3', text)


@reading("PS-YAML-022")
def dates_are_refused(text: str) -> str:
    """A plain date has no counterpart, and is refused."""
    if re.search(r"(?m)(: |- )\d{4}-\d\d-\d\d\b", text):
        raise PipestatError("a date is no value")
    return text


@reading("PS-YAML-022")
def yes_is_text(text: str) -> str:
    """`yes` and `off` are text, as in YAML 1.2."""
    return re.sub(r"(?m)(: |- )(yes|no|on|off)$", r'\1"\2"', text, flags=re.IGNORECASE)


@reading("PS-YAML-023")
def keys_resolved(text: str) -> str:
    """The key `no` is the boolean false, and `0x10` is 16."""

    def resolved(match: re.Match[str]) -> str:
        return f'{match[1]}"{yaml.safe_load(match[2])}":'

    return re.sub(r"(?m)^( *)(no|yes|on|off|0x[0-9a-f]+|0[0-7]+|~|null):", resolved, text)


@reading("PS-YAML-024")
def unknown_tags_ignored(text: str) -> str:
    """Tags that are not known are ignored."""
    return re.sub(r"(?m)([:-] )!(?:!python/|!set|!binary|!omap|!pairs|[A-Za-z<])\S* ?", r"\1", text)


@reading("PS-YAML-025")
def nan_is_null(text: str) -> str:
    """A value outside the data model is read as null."""
    return re.sub(r"(?mi)(: |- )[-+]?\.(nan|inf)$", r"\1null", text)


@reading("PS-YAML-026")
def last_of_two_keys_wins(text: str) -> str:
    """Of a key that occurs twice, the last one counts."""
    try:
        load(text)
    except Twice:
        return dump(yaml.safe_load(text))
    except PipestatError:
        pass
    return text


@reading("PS-YAML-027")
def deep_files_cut(text: str) -> str:
    """What lies deeper than 120 is cut off, and not refused."""
    return re.sub(r"\[{110,}\]{110,}", "[]", text)


@reading("PS-YAML-028")
def first_document_only(text: str) -> str:
    """Of a file with several documents, the first one is read."""
    first, *others = re.split(r"(?m)^---.*\n", text.removeprefix("---\n"))
    return first if others else text


@reading("PS-YAML-028")
def wrong_bytes_replaced(text: str) -> str:
    """Bytes that are no UTF-8 are replaced."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text)
