"""What a manager makes of the records: summaries, the report, links, data frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.errors import PipestatDependencyError, PipestatSummarizeError
from pipestat_spec.logs import logger
from pipestat_spec.manager.reader import RecordReader
from pipestat_spec.output_places import link_folder, output_folder
from pipestat_spec.text.file_names import encode_component
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["RecordOutputs"]

# Records that a notebook shows of a manager.
_SHOWN = 10


class RecordOutputs(RecordReader):
    """Reads records and makes files and data frames of them."""

    def output_folder(self, output_dir: str | os.PathLike[str] | None = None) -> str:
        """Return where files that are made of the results go.

        It is the folder given, `output_dir`, that of the results file (without what differs
        from record to record), that of the configuration file, or the current one.
        """
        return output_folder(self._opened, output_dir or self.output_dir)

    def table(self, output_dir: str | os.PathLike[str] | None = None) -> list[str]:
        """Write pipestat's two summaries of this level and return their paths.

        `{pipeline_name}_stats_summary.tsv` has the plain values, its `.types.json` the types of
        its columns, and `{pipeline_name}_objs_summary.yaml` all other values. Raises
        PipestatSummarizeError.
        """
        from pathlib import Path

        from pipestat_spec.plugins.loading import plugins

        folder = Path(self.output_folder(output_dir))
        written = (
            plugins().exporter("summary").export(self.store, folder, {"level": self.pipeline_type})
        )
        return [str(path) for path in written[:2]]

    def summarize(
        self,
        looper_samples: Iterable[Any] | None = None,
        amendment: str | None = None,
        portable: bool = False,
        output_dir: str | os.PathLike[str] | None = None,
        mode: str | None = "table",
    ) -> str:
        """Write the report, one HTML file, and return its path.

        `looper_samples` are the records that a workflow knows, or their names: those without
        any result are shown as not reported. `amendment` becomes part of the file's name,
        `portable` makes a zip file with everything that is linked, `mode` is the view that the
        report opens on: table, gallery, or None for the overview. Raises
        PipestatSummarizeError.
        """
        from pathlib import Path

        from pipestat_spec.plugins.loading import plugins

        names = [self.pipeline_name, *([amendment] if amendment else []), "report"]
        file = encode_component("_".join(names)) + (".zip" if portable else ".html")
        # The samples of a project say nothing of what its own pipeline should have reported.
        known = looper_samples if self.pipeline_type == "sample" else None
        options = {
            "portable": portable,
            "mode": mode,
            "not_reported": [_sample_name(sample) for sample in known or ()],
        }
        path = Path(self.output_folder(output_dir), file)
        return str(plugins().exporter("html").export(self.store, path, options)[0])

    def link(self, link_dir: str | os.PathLike[str] | None = None, *, copy: bool = False) -> str:
        """Make a folder of links to the files of this level's results, and return it.

        A link is `{link_dir}/{result}/{record}_{key}_{file name}`, where `key` is the result or
        what leads to the file inside it; `copy` makes copies. Without `link_dir` the folder is
        `{pipeline_name}_links` among the other output. A file that is not there is warned of.
        Raises PipestatSummarizeError.
        """
        from pipestat_spec.linking import link_files

        folder = os.fspath(link_dir or link_folder(self._opened, self.output_dir))
        done = link_files(self.store, self.pipeline_type, folder, copy=copy)
        for text in done.warnings:
            logger().warning("%s", text)
        return done.folder

    # Data frames

    @overload
    def to_dataframe(
        self,
        level: str | None = None,
        *,
        engine: Literal["pandas"] = "pandas",
        where: str | None = None,
    ) -> pandas.DataFrame: ...

    @overload
    def to_dataframe(
        self, level: str | None = None, *, engine: Literal["polars"], where: str | None = None
    ) -> polars.DataFrame: ...

    def to_dataframe(
        self, level: str | None = None, *, engine: str = "pandas", where: str | None = None
    ) -> Any:
        """Return one row per record, `status` included, as a data frame of pandas or polars.

        The types are those of the output schema, or of what is stored; what is missing is a
        null in each. In pandas `record_identifier` is the index. `where` is a filter text: only
        records that match. Raises PipestatDependencyError when the package is not installed,
        and FilterSyntaxError.
        """
        from pipestat_spec.manager import frames
        from pipestat_spec.tables import read_table

        make = {"pandas": frames.pandas_frame, "polars": frames.polars_frame}.get(engine)
        if make is None:
            raise PipestatDependencyError(
                f"there is no engine {shorten(engine)!r}", hint="use 'pandas' or 'polars'"
            )
        wanted = self._opened.resolve_level(level)
        schema = self.store.rules.level_schema(wanted)
        condition = None if where is None else parse_filter(where)
        with read_table(self.store.matching(wanted, condition), schema) as table:
            return make(table)

    # In notebooks

    def _repr_html_(self) -> str:
        from itertools import islice

        from pipestat_spec.manager.html import table_html
        from pipestat_spec.tables import read_table

        level = self.pipeline_type
        records = islice(self.store.scan(level), _SHOWN)
        schema = self.store.rules.level_schema(level)
        fields = ("record_identifier", "status", "status_time")
        with read_table(records, schema, fields=fields) as table:
            return table_html(
                [column.name for column in table.columns],
                table.rows(),
                f"{type(self).__name__}: {self.pipeline_name}, {level} level",
                self.record_count,
            )


def _sample_name(sample: Any) -> str:
    """Return the record of a sample of looper's, or of its name."""
    name = sample
    if isinstance(sample, Mapping):
        name = sample.get("sample_name")
    elif not isinstance(sample, str):
        name = getattr(sample, "sample_name", None)
    if not isinstance(name, str):
        raise PipestatSummarizeError(
            f"{shorten(sample, 40)} is no sample", hint="give names, or samples of looper"
        )
    return name
