"""Records as a table: which columns there are, of which type, and the rows.

The records are read once and kept in a temporary file, since the last one may bring a new column.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from pipestat_spec.domain.filter_text import format_path, read_field
from pipestat_spec.domain.filters import field_value
from pipestat_spec.domain.query import select
from pipestat_spec.domain.times import format_utc

if TYPE_CHECKING:
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.query import FieldPath, Page, Query
    from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
    from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema
    from pipestat_spec.plugins.hookspecs import Source

__all__ = [
    "FIELDS",
    "MISSING",
    "Column",
    "Kind",
    "Selection",
    "Table",
    "column_kind",
    "read_table",
    "record_field",
]

Kind: TypeAlias = Literal[
    "boolean", "integer", "number", "string", "array", "object", "file", "image", "any"
]
# A cell without a value; a reported null is the value None.
MISSING: Any = object()
# What may be a column and is no result.
FIELDS = (
    "record_identifier",
    "status",
    "status_message",
    "status_time",
    "pipestat_created_time",
    "pipestat_modified_time",
)

# How much of a table stays in memory.
_IN_MEMORY = 8_000_000
_EXACT_DOUBLES = 2**53
# What a column of a kind may hold besides.
_FITTING = {"number": {"integer", "number"}, "file": {"object"}, "image": {"object"}}
_KINDS: dict[type, Kind] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class Column(NamedTuple):
    """One column: its heading, where its values are in a record, and their type.

    `kind` is that of the output schema where all values have it, and else what they have in
    common; `any` when that is nothing. Each value may be null or missing besides.
    """

    name: str
    path: FieldPath
    kind: Kind


class Table:
    """The columns and rows of some records; close it, or use it in a `with`."""

    def __init__(self, columns: Sequence[Column], kept: IO[bytes], count: int, whole: bool) -> None:
        self.columns = list(columns)
        self.count = count
        self._kept = kept
        self._whole = whole

    def rows(self) -> Iterator[list[JSONValue]]:
        """Yield the cells of each record; MISSING where it has no value."""
        self._kept.seek(0)
        for _ in range(self.count):
            yield self._row()

    def groups(self, number: int) -> Iterator[tuple[JSONValue, Iterator[list[JSONValue]]]]:
        """Yield each value of one column, of plain values, with the rows that have it.

        Null and MISSING are one value, None. Eight bytes are kept for each record.
        """
        places: dict[Any, array[int]] = {}
        self._kept.seek(0)
        for _ in range(self.count):
            place = self._kept.tell()
            value = self._row()[number]
            places.setdefault(None if value is MISSING else value, array("q")).append(place)
        for value, found in places.items():
            yield value, map(self._row, found)

    def _row(self, place: int | None = None) -> list[JSONValue]:
        """Return the row that is kept at a place, or the next one."""
        if place is not None:
            self._kept.seek(place)
        values = pickle.load(self._kept)
        return [self._cell(values, column.path) for column in self.columns]

    def _cell(self, values: JSONValue, path: FieldPath) -> JSONValue:
        for segment in path:
            if not isinstance(values, dict) or segment not in values:
                return MISSING
            values = values[segment]
        # A flattened object has a column for each of its keys.
        return values if self._whole or not isinstance(values, dict) or not values else MISSING

    def close(self) -> None:
        """Forget the rows."""
        self._kept.close()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_table(
    records: Iterable[Record],
    schema: LevelSchema | None,
    names: Sequence[str] | None = None,
    *,
    flatten: bool = False,
    fields: Sequence[str] = ("record_identifier", "status"),
) -> Table:
    """Return the table of some records.

    Its columns are `fields`, the verdict where records are judged, the results of the schema in
    its order, and then those that it does not name, by name; or, with `names`,
    `record_identifier` and these: fields, results, and keys of objects such as `align.rate`.
    `flatten` gives objects a column for each key.
    """
    found = _Found()
    kept: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the table closes it
    try:
        count = _keep(records, found, kept)
    except BaseException:
        kept.close()
        raise
    declared = schema.results if schema else {}
    verdict = schema.verdict_field if schema else None
    if names is None:
        fields = (*fields, verdict) if verdict else fields
        columns = [_field(name) for name in fields] + found.columns(declared, flatten)
    else:
        columns = [_field("record_identifier")]
        for name in dict.fromkeys(names):
            if name == verdict:
                columns.append(_field(name))
            elif name != "record_identifier":
                columns += found.named(name, declared, flatten)
    return Table(columns, kept, count, not flatten)


def _keep(records: Iterable[Record], found: _Found, kept: IO[bytes]) -> int:
    """Write the records into a file and look what they hold; return how many there are."""
    count = 0
    for record in records:
        results, judgement = record.results, record.judgement
        values = {**_fields(record), **results}
        if judgement is not None:
            # What is shown under this name, as in filters.
            results = {name: results[name] for name in results if name != judgement.field}
            values[judgement.field] = str(judgement.verdict)
        found.add(results)
        pickle.dump(values, kept, pickle.HIGHEST_PROTOCOL)
        count += 1
    return count


def _field(name: str) -> Column:
    return Column(name, (name,), "string")


def record_field(record: Record, name: str) -> JSONValue:
    """Return the value of one of `FIELDS`; None where the record has none."""
    match name:
        case "status_message":
            return record.status_message
        case "status_time":
            return record.status_time and format_utc(record.status_time)
        case _:
            return field_value(record, (name,))


def _fields(record: Record) -> dict[str, JSONValue]:
    values = {name: record_field(record, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value is not None}


class _Found:
    """What kinds of values stand at one place of the records, and inside the objects there."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._inside: dict[str, _Found] = {}

    def add(self, values: Mapping[str, JSONValue]) -> None:
        for name, value in values.items():
            place = self._inside.get(name)
            if place is None:
                place = self._inside[name] = _Found()
            if isinstance(value, Mapping):
                place._kinds.add("tree" if value else "object")
                place.add(value)
            elif value is not None:
                place._kinds.add(_KINDS[type(value)])
                if type(value) is int and abs(value) > _EXACT_DOUBLES:
                    place._kinds.add("long")
            else:
                place._kinds.add("null")

    def columns(self, declared: Mapping[str, ResultSchema], flatten: bool) -> list[Column]:
        others = sorted(self._inside.keys() - declared.keys())
        return [
            column
            for name in (*declared, *others)
            for column in self._below((name,), declared, flatten)
        ]

    def named(self, name: str, declared: Mapping[str, ResultSchema], flatten: bool) -> list[Column]:
        """Return the columns that a name given by a person means."""
        path = read_field(name)
        if name in FIELDS and name not in self._inside:
            return [_field(name)]
        if name in self._inside or name in declared or path is None:
            path = (name,)
        columns = self._below(path, declared, flatten)
        return [columns[0]._replace(name=name)] if [c.path for c in columns] == [path] else columns

    def _below(
        self, path: FieldPath, declared: Mapping[str, ResultSchema], flatten: bool
    ) -> list[Column]:
        """Return the column of a path, or with `flatten` those of what is inside it."""
        result = declared.get(path[0])
        schema = None if result is None else _inside(result, path[1:])
        place = self._at(path)
        if not flatten:
            return [Column(_heading(path, flatten), path, place._kind(schema))]
        places = dict(place._places(path))
        leaves = dict(_leaves(path, schema))
        leaves |= {there: None for there in places if there not in leaves}
        return [
            Column(_heading(leaf, flatten), leaf, places.get(leaf, _NOWHERE)._kind(expected))
            for leaf, expected in leaves.items()
            if places.get(leaf, _NOWHERE)._kinds != {"tree"}
        ]

    def _at(self, path: FieldPath) -> _Found:
        place = self
        for name in path:
            place = place._inside.get(name, _NOWHERE)
        return place

    def _places(self, path: FieldPath) -> Iterator[tuple[FieldPath, _Found]]:
        """Yield this place, whose path is given, and those inside it, by path."""
        if self._kinds:
            yield path, self
        for name in sorted(self._inside):
            yield from self._inside[name]._places((*path, name))

    def _kind(self, schema: Mapping[str, Any] | None) -> Kind:
        kinds = self._kinds - {"null"}
        return _settled({"object" if kind == "tree" else kind for kind in kinds}, schema)


# Where no record has a value.
_NOWHERE = _Found()


def column_kind(schema: Mapping[str, Any] | None, values: Collection[JSONValue]) -> Kind:
    """Return the kind of a column with these values, of which the output schema says `schema`."""
    types = set(map(type, values)) - {type(None)}
    kinds: set[str] = {_KINDS[found] for found in types}
    if int in types and any(type(v) is int and abs(v) > _EXACT_DOUBLES for v in values):
        kinds.add("long")
    return _settled(kinds, schema)


def _settled(kinds: set[str], schema: Mapping[str, Any] | None) -> Kind:
    """Return what values of these kinds are together; `long` says that no double holds one."""
    exact = "long" not in kinds
    kinds = kinds - {"long"}
    declared = _declared_kind(schema)
    if declared is not None and kinds <= _FITTING.get(declared, {declared}):
        return declared
    if kinds == {"integer", "number"} and exact:
        return "number"
    (kind,) = kinds if len(kinds) == 1 else ("any",)
    return kind  # type: ignore[return-value]


def _heading(path: FieldPath, flatten: bool) -> str:
    # A result called `a.b` is not what stands at `b` in the result `a`.
    return path[0] if len(path) == 1 and not (flatten and "." in path[0]) else format_path(path)


def _inside(result: ResultSchema, keys: Sequence[str]) -> Mapping[str, Any] | None:
    """Return what the schema says of a result, or of a key inside it."""
    part: Any = result.schema
    for key in keys:
        part = _properties(part).get(key)
    return part if isinstance(part, Mapping) else None


def _properties(schema: Any) -> Mapping[str, Any]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _leaves(
    path: FieldPath, schema: Mapping[str, Any] | None
) -> Iterator[tuple[FieldPath, Mapping[str, Any] | None]]:
    properties = _properties(schema)
    if not properties:
        yield path, schema
    for name, part in properties.items():
        yield from _leaves((*path, str(name)), part if isinstance(part, Mapping) else None)


def _declared_kind(schema: Mapping[str, Any] | None) -> Kind | None:
    """Return the kind that a schema names; null may be admitted besides."""
    if schema is None:
        return None
    if schema.get("object_type") in ("file", "image"):
        kind: Kind = schema["object_type"]
        return kind
    given = schema.get("type")
    types: set[Any] = {given} if isinstance(given, str) else set(given or ())
    types.discard("null")
    if types == {"integer", "number"}:
        return "number"
    return types.pop() if len(types) == 1 else None


class Selection:
    """Some records of one level of a source, in an order of their own; the rest is the source's.

    `records` is called whenever they are read.
    """

    def __init__(
        self, source: Source, level: Level, records: Callable[[], Iterable[Record]]
    ) -> None:
        self._source = source
        self._level = level
        self._records = records

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def count(self, level: Level) -> int:
        return sum(1 for _ in self.scan(level))

    def scan(self, level: Level) -> Iterator[Record]:
        """Yield the records; those of the other level as the source has them."""
        return iter(self._records()) if level == self._level else self._source.scan(level)

    def select(self, query: Query) -> Page:
        """Return those of the records that match, a page at a time."""
        return select(self.scan(query.level), query)

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each of the records that has one."""
        wanted = {record.key for record in self.scan(level)}
        return (found for found in self._source.histories(level) if found[0] in wanted)
