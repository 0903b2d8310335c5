"""A store, or a configuration that names one, in one word: an argument of a command."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from pipestat_spec.models.config import KEYS, LOOPER_KEYS, STORE_KEYS, Config
from pipestat_spec.opening import load_config
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.text.locations import parse_document
from pipestat_spec.text.unreadable import UnreadableText

__all__ = ["PLACE_KEYS", "is_config_file", "settings_at"]

# The keys that make a configuration of a YAML file: each names a store.
PLACE_KEYS = frozenset((*STORE_KEYS, "backend"))
# A larger file holds results.
_LARGEST = 65536


def is_config_file(place: str) -> bool:
    """Tell by its top-level keys whether a file, YAML or JSON, is a configuration."""
    if not os.path.isfile(place) or os.path.getsize(place) > _LARGEST:
        return False
    with open(place, encoding="utf-8", errors="replace") as file:
        text = file.read()
    try:
        keys = set(document) if isinstance(document := parse_document(text), dict) else set()
    except UnreadableText:
        # Its error is told by who reads it: as a configuration if it looks like one.
        named = re.findall(r"""^[\s{,]*["']?([A-Za-z_]\w*)["']?\s*:""", text, re.MULTILINE)
        return bool(PLACE_KEYS.intersection(named))
    if not keys & PLACE_KEYS:
        return False
    return keys <= KEYS.keys() | LOOPER_KEYS | plugins().backends.keys()


def settings_at(place: str | None, settings: Mapping[str, Any]) -> tuple[Config, dict[str, Any]]:
    """Return the configuration and the settings of what a place names, for `open_store`.

    A place that is no configuration file is the results' own; what it leaves open, and a store that
    nobody names, the nearest configuration says.
    """
    if place is not None and is_config_file(place):
        return load_config(place), dict(settings)
    own = {} if place is None else {"results_file_path": place}
    return load_config(None), {**settings, **own}
