"""From a store to the report's file."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipestat_report.document import read_level, report_json
from pipestat_report.links import Links, PortableLinks
from pipestat_report.options import Options
from pipestat_report.page import render_page, tool_name
from pipestat_report.remote import RemoteFiles
from pipestat_report.summary import static_summary
from pipestat_report.thumbnails import Thumbnails
from pipestat_spec.domain.times import format_utc, utc_now
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.text.unreadable import system_reason
from pipestat_spec.whole_files import replacing

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["build_report"]


def build_report(source: Source, output: Path, options: Options | None = None) -> list[Path]:
    """Write the report of a store and return the file; raises PipestatSummarizeError.

    `output` is the file, or a folder for `{pipeline}_report.html` (`.zip` when portable).
    """
    options = options or Options()
    path = _output_file(output, source.namespace, ".zip" if options.portable else ".html")
    portable = PortableLinks() if options.portable else None
    page = _page(source, options, portable or Links(str(path.parent.absolute())))
    try:
        with replacing(path) as file:
            if portable is None:
                file.write(page)
            else:
                _write_zip(file, path.stem, page, portable)
    except OSError as error:
        raise PipestatSummarizeError(
            f"{path} cannot be written: {system_reason(error)}", hint="choose another output"
        ) from error
    return [path]


def _page(source: Source, options: Options, linker: Links | PortableLinks) -> bytes:
    samples = read_level(source, "sample", linker)
    project = read_level(source, "project", linker) if "project" in source.levels else None
    remote = RemoteFiles(source.place, source.storage_options) if options.fetch_images else None
    thumbnails = Thumbnails(options.thumbnails_budget, options.thumbnail_width, remote)
    for table in (project, samples):
        if table is not None:
            thumbnails.add(table.images())
    schema = source.schema
    title = options.title or (schema and schema.title) or source.namespace
    missing = sorted(set(options.not_reported) - samples.rows.keys())
    about = {
        "title": title,
        "description": schema.description if schema else None,
        "built": format_utc(utc_now()),
        "tool": tool_name(),
        "place": _shown_place(source.place),
        "schema": _shown_place(schema.source) if schema else None,
        "mode": options.mode,
        "notReported": missing,
    }
    statuses = source.statuses.statuses
    return render_page(
        report_json(source, samples, project, thumbnails, about),
        thumbnails.text,
        static_summary(title, samples, project, tuple(statuses), missing),
        [status.color for status in statuses.values()],
    )


def _output_file(output: Path, namespace: str, suffix: str) -> Path:
    if output.is_dir() or output.suffix.lower() not in (".html", ".htm", ".zip"):
        # A namespace may hold what no file name may.
        return output / (re.sub(r"[^\w.-]", "_", namespace) + f"_report{suffix}")
    return output.with_suffix(suffix) if suffix == ".zip" else output


def _write_zip(file: BinaryIO, name: str, page: bytes, links: PortableLinks) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.html", page)
        for member, original in links.files.items():
            archive.write(original, member)


def _shown_place(place: str | None) -> str | None:
    """Return the name of a file, without its folders, or an address."""
    return place if place is None or "://" in place else os.path.basename(place)
