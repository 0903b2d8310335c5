"""Write `rules.json`, the text of each rule of the specification: a failure shows it.

python -m conformance_selfcheck.rule_texts
"""

from __future__ import annotations

import json
import re
from pathlib import Path

__all__ = ["RULE", "specification", "texts_of_rules"]

_SUITE = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^\*\*(PS-[A-Z]+-[0-9]{3})\*\* ", re.MULTILINE)


def specification() -> str:
    """Return the text of the specification."""
    return (_SUITE.parent / "SPEC.md").read_text(encoding="utf-8")


def texts_of_rules() -> dict[str, str]:
    """Return the text of each rule by its id, without its tables and code."""
    text = specification()
    return {
        match[1]: " ".join(re.split(r"\n\s*\n|\n#", text[match.end() :], maxsplit=1)[0].split())
        for match in RULE.finditer(text)
    }


if __name__ == "__main__":
    lines = json.dumps(texts_of_rules(), indent=1, ensure_ascii=False)
    (_SUITE / "rules.json").write_text(f"{lines}\n", encoding="utf-8")
