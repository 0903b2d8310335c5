"""The JSON Schemas of what is read and printed, generated from the models.

python -m pipestat_spec.documents.json_schemas            write pipestat_spec/schemas
python -m pipestat_spec.documents.json_schemas --check    exit 1 when they differ
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pipestat_spec._version import SPEC_VERSION
from pipestat_spec.documents import answers, comparisons, schemas
from pipestat_spec.documents.report import ReportDocument

__all__ = ["DOCUMENTS", "FOLDER", "file_name", "json_schema", "main"]

FOLDER = Path(__file__).resolve().parents[1] / "schemas"


class _Generator(GenerateJsonSchema):
    """Leaves out what repeats the key: generated titles, and null as the default."""

    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        if written.get("default", ...) is None:
            del written["default"]
        return written


def _of(model: type[BaseModel]) -> Callable[[], dict[str, Any]]:
    return lambda: model.model_json_schema(schema_generator=_Generator)


# What is read, and what commands print.
DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "config": schemas.configuration,
    "output_schema": schemas.output_schema,
    "status_schema": schemas.status_schema,
    "report_document": _of(ReportDocument),
    "defined_statuses": _of(answers.DefinedStatusesAnswer),
    "diff": _of(comparisons.DiffAnswer),
    "distinct": _of(answers.DistinctAnswer),
    "event": _of(answers.EventLine),
    "findings": _of(answers.FindingsAnswer),
    "history": _of(answers.HistoryAnswer),
    "inspection": _of(answers.InspectionAnswer),
    "judgements": _of(answers.JudgementsAnswer),
    "looper_configs": _of(answers.LooperConfigsAnswer),
    "page": _of(answers.PageAnswer),
    "plugins": _of(answers.PluginsAnswer),
    "problems": _of(answers.ProblemsAnswer),
    "record": _of(answers.RecordAnswer),
    "records": _of(answers.RecordsAnswer),
    "status": _of(answers.StatusAnswer),
    "statuses": _of(answers.StatusesAnswer),
    "store": _of(answers.StoreAnswer),
}


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, of one kind of document."""
    generated = DOCUMENTS[name]()
    head = {
        "$schema": _Generator.schema_dialect,
        "$id": f"pipestat-spec/{SPEC_VERSION}/{file_name(name)}",
    }
    # The first paragraph of the model's docstring; the others speak of Python.
    summary = " ".join(generated.pop("description").split("\n\n")[0].split())
    about = {"title": generated.pop("title"), "description": summary}
    return {**head, **about, **generated}


def file_name(name: str) -> str:
    """Return the name of the file that holds the schema."""
    return f"{name}.schema.json"


def _text(name: str) -> str:
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the schemas, or with `--check` tell which differ; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m pipestat_spec.documents.json_schemas [--check]\n")
        return 2
    differing = []
    for name in DOCUMENTS:
        path, text = FOLDER / file_name(name), _text(name)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing.append(path.name)
        if not arguments:
            path.write_text(text, encoding="utf-8")
    done = "differs from the models" if arguments else "written"
    sys.stderr.writelines(f"{name}: {done}\n" for name in differing)
    return 1 if arguments and differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
