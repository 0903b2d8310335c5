"""Retrieving, selecting and counting, with the shapes that pipelines know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.filter_conditions import filter_from_conditions
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.history import history_dict, of_results
from pipestat_spec.domain.query import TimeColumn, page_with_fields
from pipestat_spec.domain.times import parse_time
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.manager.settings import ManagerSettings
from pipestat_spec.models.query import And, Filter, In, Page, Query, record_dict, reference_page
from pipestat_spec.models.record import JSONValue

if TYPE_CHECKING:
    import pandas

__all__ = ["Reading"]


class Reading(ManagerSettings):
    """What leaves the store as it is."""

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
        key = self._key(record_identifier, level)
        record = self._store.get(key)
        if result_identifier is None:
            return record_dict(record)
        names = (
            [result_identifier] if isinstance(result_identifier, str) else list(result_identifier)
        )
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
        """Return a page of all those of the records that are stored."""
        where = In(("record_identifier",), tuple(record_identifiers))
        return self._page(where, result_identifier, None, None, level)

    def retrieve_history(
        self,
        record_identifier: str | None = None,
        result_identifier: str | Sequence[str] | None = None,
        level: str | None = None,
    ) -> dict[str, dict[str, JSONValue]]:
        """Return `{result: {time of replacement (UTC): old value}}`, oldest first.

        Raises RecordNotFoundError when there is no such record.
        """
        wanted = [result_identifier] if isinstance(result_identifier, str) else result_identifier
        entries = self._store.history(self._key(record_identifier, level))
        return history_dict(of_results(entries, wanted))

    def select_records(
        self,
        columns: str | Sequence[str] | None = None,
        filter_conditions: Sequence[Mapping[str, Any]] | None = None,
        limit: int | None = 1000,
        cursor: str | None = None,
        bool_operator: str = "AND",
        level: str | None = None,
        *,
        where: str | None = None,
    ) -> Mapping[str, Any]:
        """Return a page of the records that match, in code-point order of their identifiers.

        The page is `{"total_size", "page_size", "next_page_token", "records"}`;
        `columns` may name fields such as `status` beside results. `total_size` counts all
        matches, and `next_page_token` is the `cursor` of the next
        page or None. `filter_conditions` are `{"key", "operator", "value"}`, joined by
        `bool_operator`; `where` is a filter text, and both together must hold
        (SPEC.md section 12). Raises FilterSyntaxError.
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
        names = (columns,) if isinstance(columns, str) else tuple(columns or ())
        query = Query(self._resolve_level(level), names or None, where, limit, cursor)
        return page_with_fields(self._store.select(query), limit, names)

    def select_distinct(
        self, columns: str | Sequence[str], level: str | None = None
    ) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered."""
        names = [columns] if isinstance(columns, str) else list(columns)
        return self._store.distinct(self._resolve_level(level), names)

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

        A bare date as `end` includes that day. Raises InvalidTimeFormatError.
        """
        page: Page = self._store.recent(
            self._resolve_level(level),
            limit=limit,
            start=parse_time(start) if isinstance(start, str) else start,
            end=parse_time(end, end=True) if isinstance(end, str) else end,
            time_column=time_column,
            cursor=cursor,
        )
        return reference_page(page, limit)

    def list_projects(self) -> list[str]:
        """Return the projects that the store holds, in code-point order."""
        return self._store.projects()

    def get_status(
        self, record_identifier: str | None = None, level: str | None = None
    ) -> str | None:
        """Return the status of a record, or None when it has none."""
        record = self._store.read(self._key(record_identifier, level))
        return record.status if record else None

    def count_records(self, level: str | None = None) -> int:
        """Return how many records the level has."""
        return self._store.count(self._resolve_level(level))

    def iter_records(
        self, limit: int | None = None, cursor: str | None = None, level: str | None = None
    ) -> Iterator[dict[str, JSONValue]]:
        """Yield records as `retrieve_one` gives them, in code-point order; all without a limit."""
        from itertools import islice

        records = self._store.scan(self._resolve_level(level), after=cursor)
        return (record_dict(record) for record in islice(records, limit))

    def to_dataframe(self, level: str | None = None) -> pandas.DataFrame:
        """Return one row per record, `status` included; needs the package pandas.

        Raises PipestatDependencyError when it is not installed.
        """
        try:
            import pandas
        except ImportError:
            from pipestat_spec.errors import PipestatDependencyError

            raise PipestatDependencyError(
                "to_dataframe needs the package pandas", hint="pip install pandas"
            ) from None
        records = list(self._store.scan(self._resolve_level(level)))
        rows = [{**record.results, "status": record.status} for record in records]
        identifiers = [record.key.identifier for record in records]
        index = pandas.Index(identifiers, name="record_identifier", dtype="object")
        return pandas.DataFrame(rows, index=index)
