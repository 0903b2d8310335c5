"""Write `rules.json`, the text of each rule of the specification: a failure shows it.

python -m conformance_selfcheck.rule_texts
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["PARTS", "RULE", "specification", "texts_of_rules"]

_SUITE = Path(__file__).resolve().parents[2]
# The files of spec/, in the order in which the catalogue has their rules.
PARTS = (
    *("README", "core", "schema", "yaml", "writers", "documents", "queries", "configuration"),
    *("sql", "pephub", "remote", "trailer", "compatibility"),
)
RULE = re.compile(r"^\*\*(PS-[A-Z]+-[0-9]{3})\*\* ", re.MULTILINE)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\.md[^)]*\)|\[([^]]+)\]\(#[^)]+\)")


def specification() -> Mapping[str, str]:
    """Return the text of each part of the specification by the name of its file."""
    folder = _SUITE.parent / "spec"
    return {f"{part}.md": (folder / f"{part}.md").read_text(encoding="utf-8") for part in PARTS}


def texts_of_rules() -> dict[str, str]:
    """Return the text of each rule by its id, without its tables, code and addresses of links."""
    return {
        match[1]: _LINK.sub(
            r"\1\2", " ".join(re.split(r"\n\s*\n|\n#", text[match.end() :], maxsplit=1)[0].split())
        )
        for text in specification().values()
        for match in RULE.finditer(text)
    }


if __name__ == "__main__":
    lines = json.dumps(texts_of_rules(), indent=1, ensure_ascii=False)
    (_SUITE / "rules.json").write_text(f"{lines}\n", encoding="utf-8")
