"""The page that lists the stores, without scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

from pipestat_serve.answers import StoreEntry
from pipestat_spec.text.strings import printable

__all__ = ["index_page"]

_STYLE = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{margin:2rem auto;max-width:70rem;padding:0 1rem}
h1{font-size:1.3rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.45rem .8rem .45rem 0}
tr{border-bottom:1px solid #8884}
td.n{font-variant-numeric:tabular-nums}
span.s{white-space:nowrap;margin-right:1em}
.m{opacity:.7}
"""


def index_page(entries: Sequence[StoreEntry]) -> tuple[str, str]:
    """Return the page, which reads itself again, and its policy, for a header."""
    rows = "".join(map(_row, entries))
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Stores</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Stores</h1>
<table>
<thead><tr><th scope="col">store</th><th scope="col">from</th><th scope="col">records</th>
<th scope="col">by status and verdict</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _row(entry: StoreEntry) -> str:
    counts = entry.records["sample"]
    without = counts.count - sum(counts.statuses.values())
    told = [*counts.statuses.items(), *([("no status", without)] if without else [])]
    told += [(name, n) for name, n in (counts.verdicts or {}).items() if n]
    statuses = "".join(f'<span class="s">{_text(name)} <b>{n:,}</b></span> ' for name, n in told)
    return (
        f'<tr><th scope="row"><a href="s/{entry.store}/">{_text(entry.title)}</a></th>'
        f'<td class="m">{_text(entry.location or entry.backend)}</td>'
        f'<td class="n">{counts.count:,}</td><td>{statuses}</td></tr>'
    )


def _text(text: str) -> str:
    return escape(printable(text))
