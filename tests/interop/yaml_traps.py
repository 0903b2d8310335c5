"""Values and names that some YAML parser takes for something else."""

from __future__ import annotations

from typing import Any

# fmt: off
# Strings that some version of YAML, or some parser, takes for something else.
STRINGS = [
    "no", "NO", "on", "off", "y", "Y", "n", "yes", "true", "True", "FALSE", "~", "null", "Null",
    "", "1", "-1", "+1", "1e3", "1E3", "1.5", "1_000", ".5", "5.", "1.", "0o7", "012", "0x1f",
    "0b11",
    "12:30", "12:30:45", "1:2:3.5", "2024-01-01", "2024-01-01T12:00:00Z", "2024-01-01 12:00:00",
    ".inf", "-.Inf", ".nan", ".NaN", "=", "<<", "!", "!tag", "&a", "*a", "@x", "`x", "%x", "|",
    ">", "-", "- x", "-x", "?", "? x", ":", ": x", "x:", "a: b", "a:b", "#", "# x", "x #y", "x#y",
    "---", "...", "--- x", "{}", "[]", "{a: b}", "[a]", "{", "}", "]", ",", "a, b", '"', "'",
    '"x"', "'x'", " lead", "trail ", "  ", "\t", "tab\tin", "two\nlines", "\n", "end\n", "\r",
    "cr\r\nlf", "\\", "back\\slash", "\\n", "\x01", "\x07", "\x1b[0m", "\x7f", "\x80", "\x85",
    "a\x85b", "\x9f", "\xa0", "\u2028", "a\u2028b", "\u2029", "\ufeff", "\ufeffx", "\ufffe",
    "\uffff", "\ufffd", "\U0001f9ec", "é ü", "日本", "e\u0301", "\u200b", "\u202e", "\U0010ffff",
    "x" * 5000, "word " * 400 + "end", "meta", "reads", "sample", "project", "a.b", "a/b",
    "../../evil", "C:\\x", "50%", "$HOME", "${X}",
]
NUMBERS = [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1000000]
DOUBLES = [0.0, -0.0, 0.1, 1.0, -1.5, 1e3, 1e15, 1e16, 1e17, 1e22, 1e-4, 1e-5, 1e-7, 5e-324]
DOUBLES += [1.7976931348623157e308, 2.2250738585072014e-308, 123456789.123456789, 1 / 3]
CONTAINERS: list[Any] = [
    [],
    {},
    [[]],
    [{}],
    {"a": []},
    {"a": {}},
    [[], {}, [[], {}], None],
    {"a": {"b": {"c": [{"d": []}, [1, [2, [3]]]]}}},
    [[1, 2], [3, [4]]],
    [{"a": 1, "b": [True, False, None]}, {"a": 2}],
    [None, True, False, 0, 0.0, "", "0"],
]
# Names of records, of results and of keys inside objects.
KEYS = [
    "no", "1", "1e3", "a: b", "? x", "- x", "~", "null", "true", "", " lead", "trail ", "<<", "=",
    "# x", "x #y", '"q"', "'q'", "é ü", "a\u2028b", "two\nlines", "12:30", "2024-01-01",
    "x" * 300, "k" * 1200, "{a}", "[b]", "&a", "*a", "!t", "|", "%", "@", "`", "a:b", ":", "-",
    "?", "\U0001f9ec",
]
# fmt: on
