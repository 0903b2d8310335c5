"""docs/http.md says of every path what it takes and what it answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pipestat_serve.reference import main, openapi, reference

from pipestat_spec.documents import generated
from tests.docs.test_tables import DOCS, anchors


def test_the_page_is_what_would_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_every_path_has_its_parameters_and_answers() -> None:
    sections = re.split(r"^### ", reference(), flags=re.MULTILINE)
    document = openapi()
    assert "/api/v1/stores/{store}/records" in document["paths"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            own = [one for one in sections if f"\n    {method.upper()} {path}\n" in one]
            assert len(own) == 1, path
            for parameter in operation.get("parameters", ()):
                assert f"| `{parameter['name']}` | {parameter['in']} |" in own[0]
            assert "\n200: " in own[0]


def test_types_are_told_in_words() -> None:
    text = reference()
    assert "| `limit` | query | integer from 1 to 10000 | `100` | records of the page |" in text
    assert "| `level` | query | `sample`, `project` | `sample` |" in text
    assert "| `records` | array of [StoreEntry](#storeentry) |" in text
    assert "| `hint` | string or null | may be absent | what mends it |" in text
    assert "| 503 | the store cannot be read now |" in text


def test_every_object_that_is_named_is_described() -> None:
    named = set(re.findall(r"\]\(#([a-z]+)\)", reference()))
    assert named
    assert named <= anchors(DOCS / "http.md")


def test_a_page_that_differs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generated, "_DOCS", tmp_path)
    assert main(["--check"]) == 1
    assert "python -m pipestat_serve.reference" in capsys.readouterr().err
    assert main([]) == 0
    assert (tmp_path / "http.md").read_text("utf-8") == reference()
    assert main(["--check"]) == 0
