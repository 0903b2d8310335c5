"""The HTML page: one file that fetches nothing and runs no script but its own."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from pipestat_report.colours import status_rules, verdict_rules
from pipestat_report.encoding import to_json
from pipestat_spec.text.strings import printable

__all__ = ["live_page", "render_page", "tool_name"]

# Stands where the policy of a page in a file goes: its hashes are known last.
_POLICY = "<!-- policy -->"


def render_page(
    document: dict[str, Any],
    thumbnails: str,
    summary: str,
    colours: Iterable[tuple[int, int, int]],
) -> bytes:
    """Return the page, UTF-8; `thumbnails` is their base64 text, `summary` markup."""
    data = b64encode(gzip.compress(to_json(document), compresslevel=6, mtime=0)).decode()
    # A page opened from a folder has no origin of its own: its images are `file:`.
    page, policy = _page(
        document["title"],
        colours,
        summary,
        f"""<script type="application/octet-stream;base64" id="data">{data}</script>
<script type="application/octet-stream;base64" id="thumbnails">{thumbnails}</script>""",
        ("img-src data: 'self' file:",),
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return page.replace(_POLICY, meta, 1).encode()


def live_page(
    title: str, colours: Iterable[tuple[int, int, int]], source: str
) -> tuple[bytes, str]:
    """Return the same page, which asks a server for its document, and its policy, for a header.

    `source` is the address that the document and its changes are under, relative to the page.
    """
    page, policy = _page(
        title,
        colours,
        "<p>This page needs scripts; /api/v1 is for programs.</p>",
        f'<script type="text/plain" id="source">{escape(source)}</script>',
        ("img-src data: 'self'", "connect-src 'self'", "frame-ancestors 'none'"),
    )
    return page.replace(_POLICY + "\n", "", 1).encode(), policy


def _page(
    title: str,
    colours: Iterable[tuple[int, int, int]],
    summary: str,
    data: str,
    policies: Iterable[str],
) -> tuple[str, str]:
    """Return the page with a place for the policy, and the policy."""
    static = files("pipestat_report") / "static"
    script = (static / "report.js").read_text("utf-8")
    style = (static / "report.css").read_text("utf-8")
    style += status_rules(colours) + verdict_rules()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            *policies,
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # Text inside <noscript> is markup to a browser without scripts, and nothing to others.
    return (
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{_POLICY}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="{escape(tool_name())}">
<title>{escape(printable(title))}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript><div id="static">
{summary}
</div></noscript>
{data}
<script>{script}</script>
</body>
</html>
""",
        policy,
    )


def tool_name() -> str:
    """Return what made a page: the package and its version."""
    return f"pipestat-spec {version('pipestat-spec')}"


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
