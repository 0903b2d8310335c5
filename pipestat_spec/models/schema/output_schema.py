"""The output schema: which results a pipeline reports (spec/schema.md).

schema = parse_output_schema(document, source="schema.yaml")
schema.levels["sample"].results["reads"].schema    # JSON Schema 2020-12, self-contained
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import InvalidIdentifierError, InvalidValueError
from pipestat_spec.json_values import same_value
from pipestat_spec.models.identifiers import check_namespace, check_result_identifier
from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.models.schema.forms import LevelSection, find_sections, refuse_section
from pipestat_spec.models.schema.result_schema import ResultSchema, parse_result_schema
from pipestat_spec.models.schema.status_schema import StatusSchema, parse_status_schema
from pipestat_spec.models.schema.types import QC, SchemaPath, schema_error
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from pipestat_spec.models.schema.qc import QcCheck

__all__ = ["LevelSchema", "OutputSchema", "ResultSchema", "parse_output_schema"]


@dataclass(frozen=True, eq=False)
class LevelSchema:
    """The results of one level.

    `additional_properties` says whether results that are not declared are stored: True,
    False, or the schema that each must fit. `required` names what a complete record has.
    `qc` are the QC rules of the level, beside those of its results. Two are equal when they are one
    object, as those of the results are.
    """

    level: Level
    results: Mapping[str, ResultSchema] = field(default_factory=dict)
    additional_properties: bool | Mapping[str, Any] = True
    required: tuple[str, ...] = ()
    additional: ResultSchema | None = field(default=None, repr=False)
    qc: tuple[QcCheck, ...] = ()

    @property
    def has_qc(self) -> bool:
        """Whether records of the level are judged."""
        return bool(self.qc) or any(result.qc for result in self.results.values())

    @property
    def verdict_field(self) -> str | None:
        """The name that filters and columns give the verdict; None where nothing is judged."""
        if not self.has_qc:
            return None
        from pipestat_spec.models.verdict import OTHER_VERDICT, VERDICT

        return OTHER_VERDICT if VERDICT in self.results else VERDICT

    def additional_schema(self, identifier: str) -> ResultSchema | None:
        """Return what a result that is not declared must fit, or None: anything."""
        return self.additional.named(identifier) if self.additional else None


@dataclass(frozen=True, eq=False)
class OutputSchema:
    """An output schema in the one form that all others are brought to.

    `levels` has both levels, empty ones too. `document` is the author's text as read;
    `source` the file or address that it came from.
    """

    levels: Mapping[Level, LevelSchema]
    pipeline_name: str | None = None
    title: str | None = None
    description: str | None = None
    status: StatusSchema | None = None
    source: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def has_qc(self) -> bool:
        """Whether records of any level are judged."""
        return any(level.has_qc for level in self.levels.values())

    def result(self, level: Level, identifier: str) -> ResultSchema | None:
        """Return the schema of a declared result, or None."""
        return self.levels[level].results.get(identifier)

    def highlighted_results(self, level: Level | None = None) -> list[str]:
        """Return the identifiers of highlighted results, of both levels without `level`."""
        wanted = LEVELS if level is None else (level,)
        found = (r for w in wanted for r in self.levels[w].results.values() if r.highlight)
        return list(dict.fromkeys(result.identifier for result in found))

    def __str__(self) -> str:
        lines = [f"OutputSchema ({self.pipeline_name or 'no pipeline name'})"]
        for level in reversed(LEVELS):
            lines.append(f" {level.capitalize()}-level results:")
            results = self.levels[level].results
            lines += [f" - {name}: {_summary(result)}" for name, result in results.items()]
            lines += [] if results else [" - None"]
        lines.append(" Statuses:")
        lines += [f" - {name}" for name in self.status or ("None",)]
        return "\n".join(lines)


def _summary(result: ResultSchema) -> str:
    kind = result.object_type or " or ".join(sorted(result.types or ("any type",)))
    marks = " (highlighted)" if result.highlight else ""
    return f"{kind}{marks}" + (f", {shorten(result.description)}" if result.description else "")


def parse_output_schema(
    document: object, source: str | None = None, problems: Problems = AT_ONCE
) -> OutputSchema:
    """Check an output schema in any of its forms; `source` names it in errors.

    Raises SchemaError that names the file, the path inside it and what mends it. `problems`
    may collect the errors; what is in order is returned then. Values of validation keywords
    are checked later, when they are first needed
    (`pipestat_spec.domain.validation.keywords.check_schema_keywords`).
    """
    if not isinstance(document, Mapping):
        raise schema_error(
            source,
            (),
            "the file is empty"
            if document is None
            else f"{shorten(repr(document))} is not an output schema",
            "map result identifiers to their schemas, for example 'reads: {type: integer}'",
        )
    sections = find_sections(document, source, problems)
    levels = {
        level: _parse_level(level, section, document, source, problems)
        for level, section in sections.levels.items()
    }
    with problems:
        if not problems and not any(
            levels[level].results or section.open_on_purpose
            for level, section in sections.levels.items()
        ):
            hint = "add one: 'reads: {type: integer}'"
            raise schema_error(source, (), "the output schema declares no results", hint)
    pipeline_name, status = None, None
    with problems:
        pipeline_name = _pipeline_name(sections.pipeline_name, sections.pipeline_name_path, source)
    with problems:
        status = _status(sections.status, sections.status_path, source, problems)
    return OutputSchema(
        levels,
        pipeline_name=pipeline_name,
        title=_text(document, "title"),
        description=_text(document, "description"),
        status=status,
        source=source,
        document=document,
    )


def _text(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) else None


def _parse_level(
    level: Level,
    section: LevelSection,
    document: Mapping[str, Any],
    source: str | None,
    problems: Problems,
) -> LevelSchema:
    results: dict[str, ResultSchema] = {}
    for name, declared, path in section.results:
        with problems:
            _check_identifier(name, path, source)
        identifier = str(name)
        with problems:
            refuse_section(document, identifier, declared, path, source)
            if identifier not in results:
                results[identifier] = parse_result_schema(
                    identifier, declared, document, source, path, problems
                )
            elif not same_value(results[identifier].declared, declared):
                other = ".".join(results[identifier].path)
                problem = f"differs from the same result at {other}"
                raise schema_error(source, path, problem, "remove one of the two")
    required: tuple[str, ...] = ()
    with problems:
        required = _required(section, source)
    qc: tuple[QcCheck, ...] = ()
    if QC in section.rules:
        from pipestat_spec.models.schema.qc import level_checks

        with problems:
            qc = level_checks(*section.rules[QC], source, problems)
    additional, path = section.rules.get("additionalProperties", (True, ()))
    with problems:
        if isinstance(additional, Mapping):
            schema = parse_result_schema("additional", additional, document, source, path, problems)
            if schema.qc:
                problem = "only a result that is declared has QC rules"
                raise schema_error(source, (*path, QC), problem, "declare it")
            return LevelSchema(level, results, schema.schema, required, schema, qc)
        if not isinstance(additional, bool):
            problem = f"{shorten(repr(additional))} is not a schema"
            raise schema_error(source, path, problem, "write true or false")
    return LevelSchema(level, results, additional, required, qc=qc)


def _check_identifier(name: object, path: SchemaPath, source: str | None) -> None:
    try:
        check_result_identifier(name)
    except (InvalidIdentifierError, InvalidValueError) as error:
        raise schema_error(source, path, error.message, error.hint) from None


def _required(section: LevelSection, source: str | None) -> tuple[str, ...]:
    required, path = section.rules.get("required", (None, ()))
    if required is None or isinstance(required, Mapping):  # a result may be called `required`
        return ()
    if isinstance(required, list) and all(isinstance(name, str) for name in required):
        return tuple(required)
    raise schema_error(
        source,
        path,
        f"{shorten(repr(required))} is not a list of result identifiers",
        "write required: [reads]",
    )


def _pipeline_name(name: object, path: SchemaPath | None, source: str | None) -> str | None:
    if path is None:
        return None
    try:
        return check_namespace(name)
    except (InvalidIdentifierError, InvalidValueError) as error:
        raise schema_error(source, path, error.message, error.hint) from None


def _status(
    section: object, path: SchemaPath | None, source: str | None, problems: Problems
) -> StatusSchema | None:
    if path is None:
        return None
    where = f"{source or 'output schema'}: {'.'.join(path)}"
    return replace(parse_status_schema(section, where, problems), source=source)
