"""The two layouts of a namespace in a file or database (spec/yaml.md and sql.md)."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["LAYOUTS", "Layout"]

Layout: TypeAlias = Literal["records", "levels"]
LAYOUTS: tuple[Layout, ...] = ("records", "levels")
