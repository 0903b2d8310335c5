"""The HTML page: one file that fetches nothing and runs no script but its own."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from pipestat_report.colours import status_rules, verdict_rules
from pipestat_report.encoding import to_json
from pipestat_spec.text.strings import printable

__all__ = ["render_page"]


def render_page(
    document: dict[str, Any],
    thumbnails: str,
    summary: str,
    colours: Iterable[tuple[int, int, int]],
) -> bytes:
    """Return the page, UTF-8; `thumbnails` is their base64 text, `summary` markup."""
    static = files("pipestat_report") / "static"
    script = (static / "report.js").read_text("utf-8")
    style = (static / "report.css").read_text("utf-8")
    style += status_rules(colours) + verdict_rules()
    data = b64encode(gzip.compress(to_json(document), compresslevel=6, mtime=0)).decode()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            # A page opened from a folder has no origin of its own: its images are `file:`.
            "img-src data: 'self' file:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # Text inside <noscript> is markup to a browser without scripts, and nothing to others.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="{escape(document["tool"])}">
<title>{escape(printable(document["title"]))}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript><div id="static">
{summary}
</div></noscript>
<script type="application/octet-stream;base64" id="data">{data}</script>
<script type="application/octet-stream;base64" id="thumbnails">{thumbnails}</script>
<script>{script}</script>
</body>
</html>
""".encode()


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
