"""How text and addresses are shown."""

from __future__ import annotations

import pytest

from pipestat_spec.text.strings import shown_address, spreadsheet_text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("results.yaml", "results.yaml"),
        ("/data/a@b?c.yaml", "/data/a@b?c.yaml"),
        ("s3://bucket/run/results.yaml", "s3://bucket/run/results.yaml"),
        ("s3://bucket/what?.yaml", "s3://bucket/what?.yaml"),
        ("s3://KEY:SECRET@bucket/x.yaml", "s3://bucket/x.yaml"),
        ("s3://KEY:SEC/RET@bucket/x.yaml", "s3://bucket/x.yaml"),
        ("s3://KEY:SE@CRET@bucket/x.yaml", "s3://bucket/x.yaml"),
        ("https://user:SECRET@host:8443/s.yaml?token=SECRET#x", "https://host:8443/s.yaml"),
        ("https://host/s.yaml?X-Amz-Signature=SECRET", "https://host/s.yaml"),
        ("https://[::1]:8443/s.yaml", "https://[::1]:8443/s.yaml"),
        ("HTTPS://TOKEN@host/s.yaml", "HTTPS://host/s.yaml"),
        ("postgresql://u:SECRET@host:5432/db?password=SECRET", "postgresql://host:5432/db"),
        ("postgresql+psycopg://u:SECRET@host/db", "postgresql+psycopg://host/db"),
        ("ftp://u:SECRET@host/x.yaml", "ftp://host/x.yaml"),
        ("simplecache::s3://KEY:SECRET@bucket/x.yaml", "simplecache::s3://bucket/x.yaml"),
        ("zip://x.yaml::https://u:SECRET@host/a.zip?k=SECRET", "zip://x.yaml::https://host/a.zip"),
    ],
)
def test_an_address_is_shown_without_keys(address: str, shown: str) -> None:
    assert shown_address(address) == shown


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("-2+3", "'-2+3"),
        ("a\x1b]0;title\x07\x1b[2Jb", "a\\x1b]0;title\\x07\\x1b[2Jb"),
        ("\x9b2J", "\\x9b2J"),
        ("photo\u202egnp.exe", "photo\\u202egnp.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("Grüße, 東京 é", "Grüße, 東京 é"),
    ],
)
def test_a_cell_is_harmless(text: str, cell: str) -> None:
    assert spreadsheet_text(text) == cell
