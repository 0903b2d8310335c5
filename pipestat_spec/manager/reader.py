"""Telling and retrieving: what leaves the store as it is, with the shapes that pipelines know."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipestat_spec.domain.filter_conditions import filter_from_conditions
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.history import history_dict, of_results
from pipestat_spec.domain.query import check_cursor, check_limit, page_with_fields
from pipestat_spec.domain.times import as_utc, parse_time
from pipestat_spec.errors import IncompatibleClassError, RecordNotFoundError
from pipestat_spec.formatters import ResultFormatter, default_formatter
from pipestat_spec.json_values import JSONValue
from pipestat_spec.manager.html import HtmlPage
from pipestat_spec.manager.stored_data import StoredData
from pipestat_spec.models.identifiers import check_record_identifier
from pipestat_spec.models.query import (
    And,
    Filter,
    In,
    Page,
    Query,
    TimeColumn,
    record_dict,
    reference_page,
)
from pipestat_spec.models.record import Level
from pipestat_spec.models.schema.output_schema import OutputSchema
from pipestat_spec.models.verdict import Judgement
from pipestat_spec.opening import load_config, open_store
from pipestat_spec.store import Store
from pipestat_spec.text.strings import shorten, shown_address

if TYPE_CHECKING:
    from pipestat_spec.watching import Watch

__all__ = ["RecordReader"]


class RecordReader:
    """Opens one pipeline's store, tells what it was opened from, and reads its records."""

    def __init__(
        self,
        schema_path: str | os.PathLike[str] | None = None,
        results_file_path: str | os.PathLike[str] | None = None,
        record_identifier: str | None = None,
        config_file: str | os.PathLike[str] | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str | None = None,
        project_name: str | None = None,
        flag_file_dir: str | os.PathLike[str] | None = None,
        pephub_path: str | None = None,
        multi_pipelines: bool | None = None,
        validate_results: bool | None = None,
        additional_properties: bool | None = None,
        *,
        config_dict: Mapping[str, Any] | None = None,
        backend: str | None = None,
        layout: str | None = None,
        status_schema_path: str | os.PathLike[str] | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        force_overwrite: bool | None = None,
        history_limit: int | None = None,
        unsafe_writes: bool | None = None,
        result_formatter: ResultFormatter = default_formatter,
    ) -> None:
        arguments = {
            "schema_path": schema_path,
            "results_file_path": results_file_path,
            "record_identifier": record_identifier,
            "pipeline_name": pipeline_name,
            "pipeline_type": pipeline_type,
            "project_name": project_name,
            "flag_file_dir": flag_file_dir,
            "pephub_path": pephub_path,
            # False is the documented default of the signature: it does not beat a config.
            "multi_pipelines": multi_pipelines or None,
            "validate_results": validate_results,
            "additional_properties": additional_properties,
            "backend": backend,
            "layout": layout,
            "status_schema_path": status_schema_path,
            "output_dir": output_dir,
            "force_overwrite": force_overwrite,
            "history_limit": history_limit,
            "unsafe_writes": unsafe_writes,
        }
        self._opened = open_store(load_config(config_dict or config_file), arguments)
        self.store: Store = self._opened.store
        """The store itself: every operation with the errors and models of the specification."""
        self._output_dir: str | None = self._opened.config.get("output_dir")
        self.force_overwrite: bool = self._opened.config.get("force_overwrite", True)
        """Whether `report` replaces other values, where a call does not say."""
        self.result_formatter: ResultFormatter = result_formatter
        """Makes the texts that `report` returns."""
        self.source: Mapping[str, Any] | None = None
        """Kept with what is reported, where a call does not give a source of its own."""

    def close(self) -> None:
        """Release what the backend holds; a second call does nothing."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Settable

    @property
    def record_identifier(self) -> str | None:
        """The record that calls without one mean; at project level the project's name."""
        if self._opened.record_identifier is None and self.pipeline_type == "project":
            return self.store.settings.project_name
        return self._opened.record_identifier

    @record_identifier.setter
    def record_identifier(self, value: str | None) -> None:
        self._opened.record_identifier = value if value is None else check_record_identifier(value)

    @property
    def output_dir(self) -> str | None:
        """The folder that relative paths of files refer to, where the store has none."""
        return self._output_dir

    @output_dir.setter
    def output_dir(self, value: str | os.PathLike[str] | None) -> None:
        self._output_dir = None if value is None else os.fspath(value)

    # Told by the configuration

    @property
    def config_path(self) -> str | None:
        """The configuration file, or None."""
        return self._opened.config.path

    @property
    def pipeline_name(self) -> str:
        """The namespace of the results."""
        return self.store.namespace

    @property
    def project_name(self) -> str | None:
        """The project's name as it was given, or None."""
        name: str | None = self._opened.config.get("project_name")
        return name

    @property
    def pipeline_type(self) -> Level:
        """The level that calls without one mean: sample or project."""
        return self._opened.level

    @property
    def file(self) -> str | None:
        """The results file, or None for a backend that has none.

        Where each record has a file of its own it is that of `record_identifier`, if one is set.
        """
        return self.store.results_file(self.record_identifier)

    def folder(self, record_identifier: str | None = None, level: str | None = None) -> str:
        """Return the folder where relative paths of a record's files start (PS-REC-005).

        It need not exist yet; that of a remote results file is a URL.
        """
        return self.store.record_folder(
            self._opened.resolve_key(record_identifier, level).identifier
        )

    @property
    def db_url(self) -> str | None:
        """The database's URL without its password, or None for a backend that has none."""
        return self.store.backend.url

    @property
    def validate_results(self) -> bool:
        """Whether values are checked against the output schema before they are stored."""
        return self.store.rules.validate

    @property
    def additional_properties(self) -> bool:
        """Whether results that the schema does not name are stored."""
        if self.store.rules.additional_properties is not None:
            return self.store.rules.additional_properties
        schema = self.store.rules.level_schema(self.pipeline_type)
        return schema is None or schema.additional_properties is not False

    # Told by the schemas

    @property
    def schema(self) -> OutputSchema | None:
        """The output schema, or None."""
        return self.store.settings.schema

    @property
    def schema_path(self) -> str | None:
        """Where the output schema was read from, or None."""
        path: str | None = self._opened.config.get("schema_path")
        return path

    @property
    def result_schemas(self) -> dict[str, JSONValue]:
        """What the output schema says of each result of this level, references followed.

        `file` and `image` are written out as the objects that they are.
        """
        return self.all_result_schemas.get(self.pipeline_type, {})

    @property
    def all_result_schemas(self) -> dict[str, dict[str, JSONValue]]:
        """The same for both levels, by level; a level without results is left out."""
        levels = self.schema.levels if self.schema else {}
        return {
            level: {name: result.written_out for name, result in schema.results.items()}
            for level, schema in levels.items()
            if schema.results
        }

    @property
    def highlighted_results(self) -> list[str]:
        """The results of this level that the output schema highlights."""
        return list(self.schema.highlighted_results(self.pipeline_type)) if self.schema else []

    @property
    def status_schema(self) -> dict[str, dict[str, Any]]:
        """The defined statuses with description and colour."""
        return self.store.settings.statuses.as_dict()

    @property
    def status_schema_source(self) -> str:
        """Where the status schema was read from; "default" for the built-in one."""
        return self.store.settings.statuses.source or "default"

    # Told by the store

    @property
    def record_count(self) -> int:
        """How many records this level has."""
        return self.store.count(self.pipeline_type)

    @property
    def data(self) -> StoredData:
        """All records: namespace, level, record, results with their `meta`; prints as YAML."""
        return StoredData(self.store)

    def __str__(self) -> str:
        where = self.file or self.db_url or type(self.store.backend).__name__
        lines = [
            f"{type(self).__name__} ({self.pipeline_name})",
            f"Store: {where}",
            f"Pipeline type: {self.pipeline_type}",
            f"Records: {self.record_count}",
            f"Output schema: {shown_address(self.schema_path or 'none')}",
            f"Status schema: {self.status_schema_source}",
        ]
        for level, schema in (self.schema.levels if self.schema else {}).items():
            if schema.results:
                lines.append(f"Results of the {level} level: " + ", ".join(schema.results))
        return "\n".join(lines)

    # Reading

    def retrieve_one(
        self,
        record_identifier: str | None = None,
        result_identifier: str | Sequence[str] | None = None,
        level: str | None = None,
    ) -> Any:
        """Return a record's results with its `record_identifier`, as a dict.

        A string for `result_identifier` gives that value alone, a list a dict of those
        that are stored. Raises RecordNotFoundError when there is no such record or none
        of the results.
        """
        key = self._opened.resolve_key(record_identifier, level)
        record = self.store.get(key)
        if result_identifier is None:
            return record_dict(record)
        names = _names(result_identifier, "result_identifier")
        found = {name: record.results[name] for name in names if name in record.results}
        if not found:
            raise RecordNotFoundError(
                f"record {key.identifier!r} has no result {', '.join(map(repr, names))}",
                hint="stored are " + (", ".join(record.results) or "none"),
                record_identifier=key.identifier,
            )
        if isinstance(result_identifier, str):
            return found[result_identifier]
        return {**found, "record_identifier": key.identifier}

    def retrieve_many(
        self,
        record_identifiers: Sequence[str],
        result_identifier: str | Sequence[str] | None = None,
        level: str | None = None,
    ) -> Mapping[str, Any]:
        """Return a page of all those of the records that are stored.

        Raises RecordNotFoundError when none of them is.
        """
        names = _names(record_identifiers, "record_identifiers")
        page = self._page(In(("record_identifier",), names), result_identifier, None, None, level)
        if not page["records"]:
            raise RecordNotFoundError(
                f"none of the records {', '.join(map(repr, names))} is stored"
            )
        return page

    def retrieve_history(
        self,
        record_identifier: str | None = None,
        result_identifier: str | Sequence[str] | None = None,
        level: str | None = None,
    ) -> dict[str, dict[str, JSONValue]]:
        """Return `{result: {time of replacement (UTC): old value}}`, oldest first.

        Raises RecordNotFoundError when there is no such record.
        """
        wanted = None
        if result_identifier is not None:
            wanted = _names(result_identifier, "result_identifier")
        entries = self.store.history(self._opened.resolve_key(record_identifier, level))
        return history_dict(of_results(entries, wanted))

    def select_records(
        self,
        columns: str | Sequence[str] | None = None,
        filter_conditions: Sequence[Mapping[str, Any]] | None = None,
        limit: int | None = 1000,
        cursor: str | None = None,
        bool_operator: str = "AND",
        level: str | None = None,
        flatten_extended: bool = True,  # noqa: ARG002
        *,
        where: str | None = None,
    ) -> Mapping[str, Any]:
        """Return a page of the records that match, in code-point order of their identifiers.

        The page is `{"total_size", "page_size", "next_page_token", "records"}`. `records` are the
        results by name, with `record_identifier`; `columns` chooses among them, and may name fields
        such as `status` and `verdict`. `limit` is how many records a page has, None for all.
        `total_size` counts all matches, and `next_page_token` is the `cursor` of the next page or
        None. `filter_conditions` are `{"key", "operator", "value"}`, joined by `bool_operator`;
        `where` is a filter text, and both together must hold (spec/queries.md).
        `flatten_extended` has no effect: results that the schema does not name always stand among
        the others. Raises FilterSyntaxError for a wrong filter, limit or cursor.
        """
        condition = filter_from_conditions(filter_conditions or [], bool_operator)
        if where is not None:
            text = parse_filter(where)
            condition = text if condition is None else And((condition, text))
        return self._page(condition, columns, limit, cursor, level)

    def _page(
        self,
        where: Filter | None,
        columns: str | Sequence[str] | None,
        limit: int | None,
        cursor: str | None,
        level: str | None,
    ) -> Mapping[str, Any]:
        names = () if columns is None else _names(columns, "columns")
        query = Query(self._opened.resolve_level(level), names or None, where, limit, cursor)
        return HtmlPage(page_with_fields(self.store.select(query), limit, names))

    def select_distinct(
        self, columns: str | Sequence[str], level: str | None = None
    ) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered.

        Each is a tuple with a value for each column, None where a record has none.
        """
        return self.store.distinct(self._opened.resolve_level(level), _names(columns, "columns"))

    def list_recent_results(
        self,
        limit: int | None = 1000,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        time_column: TimeColumn = "modified",
        level: str | None = None,
        cursor: str | None = None,
    ) -> Mapping[str, Any]:
        """Return a page of records by time, newest first, within `start` and `end` (UTC).

        Given both, their order does not matter: the later one ends the range, and a bare date
        there includes that day. Raises InvalidTimeFormatError.
        """
        if start is not None and end is not None and _moment(start) > _moment(end):
            start, end = end, start
        page: Page = self.store.recent(
            self._opened.resolve_level(level),
            limit=limit,
            start=None if start is None else _moment(start),
            end=None if end is None else _moment(end, end=True),
            time_column=time_column,
            cursor=cursor,
        )
        return HtmlPage(reference_page(page, limit))

    def list_projects(self) -> list[str]:
        """Return the projects that the store holds, in code-point order."""
        return self.store.projects()

    def verdict(self, record_identifier: str | None = None, level: str | None = None) -> Judgement:
        """Return what the QC rules say of a record: its verdict and the reasons (spec/qc.md).

        `not judged` where no rule applies. Raises RecordNotFoundError.
        """
        record = self.store.get(self._opened.resolve_key(record_identifier, level))
        return record.judgement or Judgement()

    def get_status(
        self, record_identifier: str | None = None, level: str | None = None
    ) -> str | None:
        """Return the status of a record, or None when it has none."""
        record = self.store.read(self._opened.resolve_key(record_identifier, level))
        return record.status if record else None

    def get_status_time(
        self, record_identifier: str | None = None, level: str | None = None
    ) -> datetime | None:
        """Return since when a record has its status (UTC), or None when that is not known."""
        record = self.store.read(self._opened.resolve_key(record_identifier, level))
        return record.status_time if record else None

    def watch(
        self,
        *,
        level: str | None = None,
        from_start: bool = False,
        since: str | datetime | None = None,
        interval: float = 2.0,
        timeout: float | None = None,
        patience: float = 600.0,
    ) -> Watch:
        """Return an iterator over what happens to records from now on (docs/watch.md).

        It waits for the next event, looks every `interval` seconds, and ends after `timeout`
        seconds, without one never. `from_start` begins with all that is there, `since` with the
        records that were changed from that time on (UTC). A store that does not answer any more
        is asked again for `patience` seconds; then its error is raised.
        """
        from pipestat_spec.watching import Watch, Watcher

        moment = None if since is None else _moment(since)
        found = self._opened.resolve_level(level)
        watcher = Watcher(self.store, found, since=moment, from_start=from_start)
        return Watch(watcher, interval=interval, timeout=timeout, patience=patience)

    def count_records(self, level: str | None = None) -> int:
        """Return how many records the level has."""
        return self.store.count(self._opened.resolve_level(level))

    def iter_records(
        self,
        limit: int | None = None,
        cursor: str | None = None,
        level: str | None = None,
        *,
        where: str | None = None,
    ) -> Iterator[dict[str, JSONValue]]:
        """Yield records as `retrieve_one` gives them, in code-point order; all without a limit.

        `where` is a filter text. Raises FilterSyntaxError.
        """
        condition = None if where is None else parse_filter(where)
        records = self.store.matching(
            self._opened.resolve_level(level), condition, check_cursor(cursor), check_limit(limit)
        )
        return map(record_dict, records)


def _names(given: object, what: str) -> tuple[str, ...]:
    """Return one name, or several, as a tuple; raises IncompatibleClassError."""
    if isinstance(given, str):
        return (given,)
    names = (*given,) if isinstance(given, Iterable) else (given,)
    if all(isinstance(name, str) for name in names):
        return names
    raise IncompatibleClassError(
        f"{what}: {shorten(repr(given))} is no name", hint="give a string or a list of strings"
    )


def _moment(time: str | datetime, *, end: bool = False) -> datetime:
    """Return a time as UTC, that of a text as `parse_time` does; raises InvalidTimeFormatError."""
    return as_utc(time) if isinstance(time, datetime) else parse_time(time, end=end)
