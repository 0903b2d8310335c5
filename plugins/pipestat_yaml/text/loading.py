"""From the bytes of a file to its document."""

from __future__ import annotations

from pipestat_yaml.text.document import Document
from pipestat_yaml.text.parsed import parse_document
from pipestat_yaml.text.spliced import VouchedDocument
from pipestat_yaml.text.trailer import read_trailer

__all__ = ["open_document"]

# One command opens the same bytes several times, and checking or parsing them is the cost.
_last: tuple[bytes, str, Document] | None = None


def open_document(data: bytes, name: str) -> Document:
    """Return the document in the bytes of file `name`; raises PipestatDataError."""
    global _last
    last = _last
    if last is not None and last[1] == name and last[0] == data:
        return last[2]
    trailer = read_trailer(data)
    document = VouchedDocument(data, name, trailer) if trailer else parse_document(data, name)
    _last = (data, name, document)
    return document
