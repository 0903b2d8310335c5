"""Tables in docs/ that come from the code: errors, configuration keys, hooks, JSON Schemas.

`PIPESTAT_UPDATE_DOCS=1 pytest tests/docs` writes them anew.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest

from pipestat_spec import errors
from pipestat_spec.documents.json_schemas import DOCUMENTS, file_name, json_schema
from pipestat_spec.models.config import KEYS
from pipestat_spec.plugins import hookspecs

DOCS = Path(__file__).parents[2] / "docs"
UPDATE = os.environ.get("PIPESTAT_UPDATE_DOCS") == "1"


def first_line(item: object) -> str:
    """Return the first line of a docstring as a phrase: no full stop, no reference."""
    line = (inspect.getdoc(item) or "").split("\n")[0].split("; `")[0]
    return re.sub(r" \(spec/\w+\.md\)", "", line).rstrip(".")


def error_table() -> str:
    rows = ["| Error | Is a | Raised for |", "|---|---|---|"]
    for name in errors.__all__:
        kind = getattr(errors, name)
        parents = ", ".join(f"`{base.__name__}`" for base in kind.__bases__)
        rows.append(f"| `{name}` | {parents} | {first_line(kind)} |")
    return "\n".join(rows)


def key_table() -> str:
    shown = {
        "level": "`sample` or `project`",
        "layout": "`records` or `levels`",
        "openness": "boolean",
        "count": "integer from 0 on",
    }
    rows = ["| Key | Value | What it says | Environment |", "|---|---|---|---|"]
    for name, key in KEYS.items():
        environment = f"`{key.environment}`" if key.environment else ""
        rows.append(
            f"| `{name}` | {shown.get(key.kind, key.kind)} | {key.description} | {environment} |"
        )
    return "\n".join(rows)


def hook_table() -> str:
    rows = ["| Hook | What it does |", "|---|---|"]
    for name, function in vars(hookspecs).items():
        if hasattr(function, hookspecs.PROJECT + "_spec"):
            arguments = ", ".join(inspect.signature(function).parameters)
            rows.append(f"| `{name}({arguments})` | {first_line(function)} |")
    return "\n".join(rows)


def schema_table() -> str:
    rows = ["| Schema | What it describes |", "|---|---|"]
    for name in sorted(DOCUMENTS):
        link = f"../pipestat_spec/schemas/{file_name(name)}"
        rows.append(f"| [`{name}`]({link}) | {json_schema(name)['description'].rstrip('.')} |")
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("document", "name", "table"),
    [
        ("python.md", "errors", error_table),
        ("configuration.md", "keys", key_table),
        ("plugins.md", "hooks", hook_table),
        ("json-schemas.md", "schemas", schema_table),
    ],
)
def test_a_table_is_what_the_code_says(document: str, name: str, table) -> None:
    path = DOCS / document
    text = path.read_text("utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = text.partition(start)
    shown, closed, after = rest.partition(end)
    assert found, f"{document} has no {start!r}"
    assert closed, f"{document} has no {end!r}"
    if UPDATE:
        path.write_text(f"{before}{start}{table()}\n{end}{after}", "utf-8")
    else:
        assert shown == table() + "\n", f"{document} is behind the code; see the head of this test"


def test_the_tables_are_not_empty() -> None:
    assert error_table().count("\n") == len(errors.__all__) + 1
    assert key_table().count("\n") == len(KEYS) + 1
    assert "register_backends(register)" in hook_table()
    assert "record_removed(event)" in hook_table()


def test_links_lead_somewhere() -> None:
    root = DOCS.parent
    documents = [
        root / "README.md",
        root / "CHANGELOG.md",
        *DOCS.rglob("*.md"),
        *(path for path in (root / "examples").rglob("*.md") if "node_modules" not in path.parts),
    ]
    lost = []
    for document in documents:
        text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.M | re.S)
        # The build of the site looks at links that only it has.
        text = re.sub(r"<!-- site: .*? -->", "", text)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if "://" in path or (path and not (document.parent / path).exists()):
                lost += [] if "://" in path else [f"{document.relative_to(root)}: {target}"]
            elif anchor and anchor not in anchors((document.parent / path) if path else document):
                lost.append(f"{document.relative_to(root)}: {target}")
    assert not lost


def anchors(document: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
