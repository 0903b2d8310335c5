"""Write `rules.json`, the text of each rule of the specification: a failure shows it.

python -m conformance_selfcheck.rule_texts
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = [
    "PARTS",
    "RULE",
    "anchor",
    "rules_of_profiles",
    "sections_of_rules",
    "specification",
    "texts_of_rules",
]

_SUITE = Path(__file__).resolve().parents[2]
# The files of spec/, in the order in which the catalogue has their rules.
PARTS = (
    *("README", "core", "schema", "yaml", "writers", "documents", "queries", "qc"),
    *("configuration", "sql", "pephub", "remote", "trailer", "compatibility"),
)
RULE = re.compile(r"^\*\*(PS-[A-Z]+-[0-9]{3})\*\* ", re.MULTILINE)
_MARK = re.compile(
    rf"^#{{2,3}} (?P<heading>.+)$|{RULE.pattern.replace('(PS', '(?P<rule>PS')}", re.M
)
_PROFILE_ROW = re.compile(r"^\| `([a-z-]+)` \|[^|]*\|[^|]*\|([^|]*)\|[^|]*\|$", re.M)
_NAMED = re.compile(r"(?:( to )|)(?:\[[^]]+\]\(([^)]+)\)|(PS-[A-Z]+-[0-9]{3}))")
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


def sections_of_rules() -> dict[str, str]:
    """Return the part and the anchor of the heading below which each rule stands."""
    sections: dict[str, str] = {}
    for part, text in specification().items():
        section = part
        for mark in _MARK.finditer(text):
            if mark["heading"]:
                section = f"{part}#{anchor(mark['heading'])}"
            else:
                sections[mark["rule"]] = section
    return sections


def anchor(heading: str) -> str:
    """Return the anchor that a heading has on GitHub."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def rules_of_profiles() -> dict[str, set[str]]:
    """Return the rules of each profile by the table of README.md.

    It names rules, parts, headings, and ranges of headings (`A to B`).
    """
    sections = sections_of_rules()
    headings = list(dict.fromkeys(sections.values()))
    found: dict[str, set[str]] = {}
    for name, text in _PROFILE_ROW.findall(specification()["README.md"]):
        rules = found[name] = set()
        last = ""
        for until, link, rule in _NAMED.findall(text):
            wanted = [heading for heading in headings if link in (heading, heading.split("#")[0])]
            if until:
                wanted = headings[headings.index(last) : headings.index(link) + 1]
            rules |= {rule} if rule else {i for i, where in sections.items() if where in wanted}
            last = link
    return found


if __name__ == "__main__":
    lines = json.dumps(texts_of_rules(), indent=1, ensure_ascii=False)
    (_SUITE / "rules.json").write_text(f"{lines}\n", encoding="utf-8")
