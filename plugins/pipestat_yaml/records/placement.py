"""Where the records of one store go in a file, and what is refused (SPEC.md section 7.1)."""

from __future__ import annotations

from typing import NamedTuple

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import LayoutError, MissingConfigDataError
from pipestat_spec.models.record import LEVELS, Level, Record
from pipestat_yaml.text.layout import Layout, is_removal_note

__all__ = ["Placement"]


class Placement(NamedTuple):
    """Where the records of one store go, whatever file holds them."""

    namespace: str
    file: str
    wanted: Layout | None = None
    has_project: bool = False
    multi_namespaces: bool = False
    new_layout: Layout | None = None

    @classmethod
    def of(cls, settings: StoreSettings, file: str) -> Placement:
        wanted = settings.layout
        if wanted not in (None, "records", "levels"):
            raise MissingConfigDataError(
                f"layout {wanted!r} is not known", hint="use 'records' or 'levels'"
            )
        project = settings.schema.levels.get("project") if settings.schema else None
        return cls(
            settings.namespace,
            file,
            wanted,
            bool(project and project.results),
            settings.multi_namespaces,
            settings.new_layout,
        )

    def check(
        self, namespaces: tuple[str, ...], layout: Layout | None, *, to_project: bool = False
    ) -> Layout:
        """Return the layout to use in a file that holds these namespaces.

        `layout` is that of our namespace, None when it holds nothing; then it depends on
        `to_project`, whether project-level records are about to come. Raises LayoutError
        when the file contradicts the settings.
        """
        others = [name for name in namespaces if name != self.namespace and name[:1] != "_"]
        if others and self.namespace not in namespaces and not self.multi_namespaces:
            raise LayoutError(
                f"{self.file} holds namespace {', '.join(map(repr, others))}, "
                f"not {self.namespace!r}",
                hint="use another file, or set multi_pipelines to keep several in one",
                file=self.file,
                namespaces=tuple(others),
            )
        if layout is None:
            asked: Layout = "levels" if self.has_project or to_project else "records"
            return self.wanted or self.new_layout or asked
        if self.wanted is not None and self.wanted != layout:
            raise LayoutError(
                f"{self.file} is in the {layout!r} layout, and the settings say {self.wanted!r}",
                hint=f"remove the setting, or {self._convert(self.wanted)}",
                file=self.file,
                layout=layout,
            )
        return layout

    def section(self, layout: Layout, level: Level) -> tuple[Level | None, bool]:
        """Return the section that holds the records of a level, and whether there is one."""
        if layout == "levels":
            return level, True
        return None, level == "sample"

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

    def _convert(self, layout: Layout) -> str:
        return f"run 'pipestat-spec convert {self.file} NEW_FILE --layout {layout}'"
