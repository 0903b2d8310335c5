"""Report documents among the outputs of jobs: here, or in a storage that Snakemake sends them to.

What an event calls an output is a text for people, such as `x.pipestat.json (send to storage)`.
The path is that of the job's own output, and what Snakemake has removed here is fetched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_spec.documents.files import SourcedDocument

__all__ = ["DocumentFile", "documents_of"]

_ENDINGS = (".pipestat.json", ".pipestat.jsonl")


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """One file of documents; `stored` is Snakemake's object of a file that lies in a storage."""

    path: Path
    stored: Any = None

    def exists(self) -> bool:
        """Tell whether the file is there, here or in its storage; never raises."""
        try:
            return self.path.exists() or (self.stored is not None and bool(self.stored.exists()))
        except Exception:  # noqa: BLE001 - a storage may raise what it likes; reading tells it
            return True

    def read(self) -> Iterator[SourcedDocument]:
        """Yield the documents, or what is wrong with them; never raises."""
        from pipestat_spec.documents.files import SourcedDocument, read_documents

        if self.stored is None:
            yield from read_documents(self.path)
            return
        name = str(self.stored.print_query)
        if self.path.exists():
            yield from _named(read_documents(self.path), self.path, name)
            return
        with tempfile.TemporaryDirectory(prefix="pipestat-") as folder:
            copy = Path(folder) / self.path.name
            try:
                self._fetch(copy)
            except Exception as error:  # noqa: BLE001 - a storage may raise what it likes
                problem = f"cannot be fetched from its storage: {type(error).__name__}: {error}"
                yield SourcedDocument(name, problem=problem)
            else:
                yield from _named(read_documents(copy), copy, name)

    def _fetch(self, copy: Path) -> None:
        # An object of our own: the path of Snakemake's is where its jobs look.
        own = self.stored.__class__(
            query=self.stored.query, keep_local=False, retrieve=True, provider=self.stored.provider
        )
        own.set_local_path(copy)
        own.retrieve_object()


def _named(
    documents: Iterator[SourcedDocument], path: Path, name: str
) -> Iterator[SourcedDocument]:
    """Yield documents under the name that the user knows."""
    for document in documents:
        yield replace(document, where=document.where.replace(str(path), name, 1))


def documents_of(job: Any) -> tuple[DocumentFile, ...]:
    """Return the report documents among the outputs of one of Snakemake's jobs."""
    here = Path.cwd()
    return tuple(
        DocumentFile(here / output, output.storage_object if output.is_storage else None)
        for output in job.output
        if output.endswith(_ENDINGS)
    )
