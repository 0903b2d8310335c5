"""The configuration file of a pipeline: written, refreshed, and what a person edited kept.

The last line of the file, a comment, says what it was generated from: a digest of each value.
So a later call tells what changed in looper's configuration from what was edited by hand
(docs/adr/0016).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from pipestat_spec.engines.looper.edits import (
    Generated,
    Leaves,
    Merge,
    digest,
    digests,
    flatten,
    merge,
    nested,
)
from pipestat_spec.engines.looper.merging import LooperConfig, check_one_store
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.locations import parse_document
from pipestat_spec.text.unreadable import UnreadableText
from pipestat_spec.text.yaml_writer import yaml_text
from pipestat_spec.whole_files import replace_file

__all__ = ["Written", "write_config"]

_HEAD = """\
# Made for looper from its configuration and the pipeline interface. What changes there is
# taken over; what is edited here is kept ('pipestat-spec looper-config --help').
"""
_MARK = "# pipestat-spec looper-config: "


class Written(NamedTuple):
    """What became of a file.

    `refreshed` are the keys that were brought up to date, `kept` says, a sentence each, what
    the file keeps against looper's configuration, `backup` is where the former content went,
    when it had been edited and was replaced, and `left_behind` a results file that is there and
    is not used any more.
    """

    path: str
    action: Literal["written", "refreshed", "unchanged"]
    refreshed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    backup: str | None = None
    left_behind: str | None = None

    @property
    def done(self) -> list[str]:
        """What was done with the file, a line each; empty when nothing happened."""
        lines: list[str] = [self.action] if self.action == "written" else []
        lines += [f"refreshed {', '.join(self.refreshed)}"] if self.refreshed else []
        return [*lines, *([f"the former file is kept as {self.backup}"] if self.backup else [])]

    @property
    def attention(self) -> list[str]:
        """What a person should look at: what is kept, and results that stay behind."""
        behind = (
            f"what is stored in {self.left_behind} stays there ('pipestat-spec convert' copies)"
        )
        return [*self.kept, *([behind] if self.left_behind else [])]


def write_config(
    config: LooperConfig, *, overwrite: bool = False, dry_run: bool = False
) -> Written:
    """Write the configuration file of a pipeline, or refresh the one that is there.

    A value that was edited in the file stays, and a note says so, unless `overwrite` is on.
    A file that bears no trace of what it was generated from, such as looper's own, is brought
    up to date, and the former one kept beside it. With `dry_run` nothing is written.
    Raises MissingConfigDataError when the file there is not YAML.
    """
    wanted = flatten(config.settings)
    before = _text_of(config.path)
    if before is None:
        if not dry_run:
            _write(config.path, _rendered(wanted, wanted))
        return Written(config.path, "written")
    base = _base(before)
    present = flatten(_parsed(before, config.path))
    merged = merge(wanted, present, base, overwrite)
    check_one_store(nested(merged.leaves), config.path)
    if digests(merged.leaves) == digests(present):
        # The text stays as it is, comments included; only what it came from is noted anew.
        after = before if base is None else _with_base(before, wanted, base.text)
        if after != before and not dry_run:
            _write(config.path, after)
        return Written(config.path, "unchanged", (), tuple(merged.kept))
    edited = base is None or base.text != digest(_body(before))
    backup = None
    if edited and not dry_run:
        backup = _keep(config.path, before)
    if not dry_run:
        _write(config.path, _rendered(merged.leaves, wanted))
    return Written(
        config.path,
        "refreshed",
        tuple(merged.refreshed),
        tuple(merged.kept),
        backup,
        _left_behind(present, merged),
    )


def _left_behind(present: Leaves, merged: Merge) -> str | None:
    """Return the results file that the file named, when it is there and was replaced."""
    former = present.get(("results_file_path",))
    replaced = "results_file_path" in merged.refreshed
    return former if replaced and isinstance(former, str) and os.path.exists(former) else None


def _rendered(leaves: Leaves, generated: Leaves) -> str:
    return _with_base(_HEAD + yaml_text(nested(leaves)) + "\n", generated)


def _with_base(text: str, generated: Leaves, text_digest: str | None = None) -> str:
    """Return a text with the line that says what it was generated from.

    `text_digest` is that of the text as it was generated, where a person edited it since.
    """
    body = _body(text)
    body += "" if body.endswith("\n") else "\n"
    said = {"text": text_digest or digest(body), "values": digests(generated)}
    return body + _MARK + json.dumps(said) + "\n"


def _body(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_MARK))


def _base(text: str) -> Generated | None:
    """Return what the file says that it was generated from; None when it does not."""
    for line in reversed(text.splitlines()):
        if line.startswith(_MARK):
            with suppress(ValueError, KeyError, TypeError):
                said = json.loads(line.removeprefix(_MARK))
                return Generated(str(said["text"]), dict(said["values"]))
    return None


def _text_of(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise MissingConfigDataError(
            f"{path}: is not UTF-8", hint="remove it to have it made anew"
        ) from None


def _parsed(text: str, path: str) -> Mapping[str, Any]:
    try:
        document = parse_document(text)
    except UnreadableText as error:
        raise MissingConfigDataError(
            f"{path}: {error}", hint="mend it, or remove it to have it made anew"
        ) from None
    if document is not None and not isinstance(document, Mapping):
        raise MissingConfigDataError(
            f"{path}: a configuration is a mapping of keys to values",
            hint="mend it, or remove it to have it made anew",
        )
    return document or {}


def _keep(path: str, text: str) -> str:
    """Write the former content beside the file, under a name that is free."""
    for name in _backup_names(path):
        try:
            with open(name, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        os.chmod(name, os.stat(path).st_mode & 0o777)
        return name
    raise AssertionError("the names do not end")


def _backup_names(path: str) -> Iterator[str]:
    yield f"{path}.bak"
    number = 1
    while True:
        number += 1
        yield f"{path}.bak{number}"


def _write(path: str, text: str) -> None:
    # A pipeline may be reading the file that is there.
    replace_file(path, text.encode())
