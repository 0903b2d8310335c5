"""Which layout a file has to have, and what it cannot hold (spec/yaml.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import LayoutError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS, Record
from pipestat_spec.text.strings import nearest
from pipestat_yaml.text.layout import is_removal_note

__all__ = ["LayoutRules"]


class LayoutRules(NamedTuple):
    """What the settings of a store say of one file."""

    settings: StoreSettings
    file: str

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    def check(
        self, keys: tuple[str, ...], layout: Layout | None, *, to_project: bool = False
    ) -> Layout:
        """Return the layout to use in a file with these top-level keys.

        `layout` is that of our namespace, None when it holds nothing; then it depends on
        `to_project`, whether project-level records are about to come. Raises LayoutError
        when the file contradicts the settings.
        """
        others = [name for name in keys if name != self.namespace and name[:1] != "_"]
        if others and self.namespace not in keys and not self.settings.multi_namespaces:
            names = f"namespace{'' if len(others) == 1 else 's'} {', '.join(map(repr, others))}"
            raise LayoutError(
                f"{self.file} holds {names}, not {self.namespace!r}",
                hint=self._instead(others),
                file=self.file,
                namespaces=tuple(others),
            )
        if layout is None:
            return self.settings.layout_of_new("project" if to_project else "sample")
        wanted = self.settings.layout
        if wanted not in (None, layout):
            raise LayoutError(
                f"{self.file} is in the {layout!r} layout, and the settings say {wanted!r}",
                hint=f"remove the setting, or {self._convert(wanted)}",
                file=self.file,
                layout=layout,
            )
        return layout

    def check_write(self, layout: Layout, record: Record) -> None:
        """Raise LayoutError when the layout cannot hold the record."""
        identifier = record.key.identifier
        if layout == "levels":
            if is_removal_note(record.results.get("history")):
                raise LayoutError(
                    "a result 'history' of this form is taken for what pipestat leaves of removed "
                    "results, in a file of the 'levels' layout",
                    hint=f"choose another name for it, or {self._convert('records')}",
                    record_identifier=identifier,
                )
        elif record.key.level == "project":
            raise LayoutError(
                f"{self.file} is in the 'records' layout, which holds no project-level results",
                hint=f"{self._convert('levels')}; a new file gets it with 'layout: levels'",
                file=self.file,
                layout=layout,
            )
        elif identifier in LEVELS:
            raise LayoutError(
                f"a record cannot be called {identifier!r} in a file of the 'records' layout",
                hint=f"choose another name, or {self._convert('levels')}",
                record_identifier=identifier,
            )

    def _instead(self, others: Sequence[str]) -> str:
        """Return what mends that the file has other keys: a near name, or how its kind is given."""
        near = nearest(self.namespace, others)
        if {"schema_path", "results_file_path"} & {*others}:
            return "is it a configuration? Name it with -c (in Python config_file)"
        if "samples" in others or {"type", "properties"} <= {*others}:
            return "is it an output schema? Name it with -s (in Python schema_path)"
        return (f"did you mean {near!r}? Else " if near else "") + (
            "use another file, or set multi_pipelines to keep several in one"
        )

    def _convert(self, layout: Layout) -> str:
        return f"run 'pipestat-spec convert {self.file} NEW_FILE --layout {layout}'"
