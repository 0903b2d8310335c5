"""Small pictures of images, embedded under a budget of bytes."""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_report.media import Media

__all__ = ["Thumbnails"]

# A picture of more pixels than this is not opened.
_MOST_PIXELS = 100_000_000


class Thumbnails:
    """The base64 text of all thumbnails, one after the other.

    Each is a WebP file; `Media.thumbnail` is (start, length) in `text`.
    """

    def __init__(self, budget: int, width: int) -> None:
        self._budget, self._width = budget, width
        self._parts: list[str] = []
        self._size = self._bytes = 0
        self._made: dict[tuple[str, ...], tuple[int, int] | None] = {}
        self.embedded = self.left_out = self.unreadable = 0
        self.library = _library()

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, images: Iterable[Media]) -> None:
        """Give each image with a local file a thumbnail while the budget lasts."""
        for image in images:
            if image.sources:
                self._add(image)

    def as_json(self) -> dict[str, Any]:
        """Return what the page says about them."""
        return {
            "embedded": self.embedded,
            "leftOut": self.left_out,
            "unreadable": self.unreadable,
            "budget": self._budget,
            "library": self.library,
        }

    def _add(self, image: Media) -> None:
        if not self.library or self._bytes >= self._budget:
            self.left_out += 1
            return
        if image.sources not in self._made:
            self._made[image.sources] = self._embed(image.sources)
        image.thumbnail = self._made[image.sources]
        self.embedded += image.thumbnail is not None

    def _embed(self, sources: tuple[str, ...]) -> tuple[int, int] | None:
        for source in sources:
            content = _small(source, self._width)
            if content is None:
                continue
            if self._bytes + len(content) > self._budget:
                self._bytes = self._budget
                self.left_out += 1
                return None
            text = b64encode(content).decode()
            place = (self._size, len(text))
            self._parts.append(text)
            self._size += len(text)
            self._bytes += len(content)
            return place
        self.unreadable += 1
        return None


def _library() -> bool:
    try:
        import PIL  # noqa: F401
    except ImportError:
        return False
    return True


def _small(file: str, width: int) -> bytes | None:
    """Return a picture at most `width` wide as WebP; None when the file cannot be read as one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _open(file, width)
            if picture is None:
                return None
            picture.thumbnail((width, width * 2))
            mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
            output = BytesIO()
            picture.convert(mode).save(output, "WEBP", quality=80, method=2)
            return output.getvalue()
    # A picture may be anything that a pipeline wrote, and its decoder may raise anything.
    except Exception:  # noqa: BLE001
        return None


def _open(file: str, width: int) -> Any:
    """Return a picture, of a PDF its first page; None without the library for it."""
    if file.lower().endswith(".pdf"):
        return _first_page(file, width)
    from PIL import Image

    picture = Image.open(file)
    if picture.width * picture.height > _MOST_PIXELS:
        return None
    picture.draft("RGB", (width, width * 2))
    return picture


def _first_page(file: str, width: int) -> Any:
    try:
        import pypdfium2
    except ImportError:
        return None
    document = pypdfium2.PdfDocument(file)
    try:
        page = document[0]
        return page.render(scale=width / max(page.get_width(), 1)).to_pil()
    finally:
        document.close()
