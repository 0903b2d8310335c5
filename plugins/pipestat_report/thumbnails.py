"""Small pictures of images, embedded under a budget of bytes."""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_report.media import Media
    from pipestat_report.remote import RemoteFiles

__all__ = ["Thumbnails"]

# A picture of more pixels than this is not opened.
_MOST_PIXELS = 100_000_000
# So many images are fetched at the same time.
_AT_ONCE = 16


class Thumbnails:
    """The base64 text of all thumbnails, one after the other.

    Each is a WebP file; `Media.thumbnail` is (start, length) in `text`. Without `remote` no
    image is fetched that is not in a local file.
    """

    def __init__(self, budget: int, width: int, remote: RemoteFiles | None = None) -> None:
        self._budget, self._width, self._remote = budget, width, remote
        self._parts: list[str] = []
        self._size = self._bytes = 0
        self._made: dict[tuple[str, ...], tuple[int, int] | None] = {}
        self.embedded = self.left_out = self.unreadable = 0
        self.not_fetched = 0
        self.library = _library()

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, images: Iterable[Media]) -> None:
        """Give each image a thumbnail while the budget lasts."""
        todo = [image for image in images if image.sources or image.remote]
        for start in range(0, len(todo), _AT_ONCE):
            batch = todo[start : start + _AT_ONCE]
            fetched = self._fetch(batch)
            for image in batch:
                self._add(image, fetched)

    def as_json(self) -> dict[str, Any]:
        """Return what the page says about them."""
        return {
            "embedded": self.embedded,
            "leftOut": self.left_out,
            "unreadable": self.unreadable,
            "notFetched": self.not_fetched,
            "asked": self._remote is not None,
            "budget": self._budget,
            "library": self.library,
        }

    @property
    def _full(self) -> bool:
        return not self.library or self._bytes >= self._budget

    def _fetch(self, images: Sequence[Media]) -> dict[str, bytes]:
        """Return what is at the addresses of the images that are in no local file."""
        if self._remote is None or self._full:
            return {}
        # An image that has a thumbnail is fetched itself only when that cannot be read.
        wanted = [image for image in images if not image.sources and image.remote not in self._made]
        found = self._remote.read({image.remote[0] for image in wanted})
        rest = {image.remote[-1] for image in wanted if image.remote[0] not in found}
        return found | self._remote.read(rest - {image.remote[0] for image in wanted})

    def _add(self, image: Media, fetched: dict[str, bytes]) -> None:
        places = image.sources or image.remote
        if not image.sources and self._remote is None:
            self.not_fetched += 1
            return
        if self._full:
            self.left_out += 1
            return
        if places not in self._made:
            if image.sources:
                contents: list[tuple[str, bytes | None]] = [(file, None) for file in places]
            else:
                contents = [(name, fetched[name]) for name in places if name in fetched]
            self._made[places] = self._embed(contents)
        image.thumbnail = self._made[places]
        self.embedded += image.thumbnail is not None

    def _embed(self, contents: Sequence[tuple[str, bytes | None]]) -> tuple[int, int] | None:
        """Embed the first that is a picture, of files by name and those whose bytes are given."""
        if not contents:
            self.not_fetched += 1
        for name, given in contents:
            content = _small(name, given, self._width)
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
        self.unreadable += bool(contents)
        return None


def _library() -> bool:
    try:
        import PIL  # noqa: F401
    except ImportError:
        return False
    return True


def _small(name: str, content: bytes | None, width: int) -> bytes | None:
    """Return a picture at most `width` wide as WebP; None for what cannot be read as one.

    `name` is its file, or the address that `content` was fetched from.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _open(name, content, width)
            if picture is None:
                return None
            picture.thumbnail((width, width * 2))
            mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
            output = BytesIO()
            picture.convert(mode).save(output, "WEBP", quality=75, method=4)
            return output.getvalue()
    # A picture may be anything that a pipeline wrote, and its decoder may raise anything.
    except Exception:  # noqa: BLE001
        return None


def _open(name: str, content: bytes | None, width: int) -> Any:
    """Return a picture, of a PDF its first page; None without the library for it."""
    if name.lower().endswith(".pdf"):
        return _first_page(name if content is None else content, width)
    from PIL import Image

    picture = Image.open(name if content is None else BytesIO(content))
    if picture.width * picture.height > _MOST_PIXELS:
        return None
    picture.draft("RGB", (width, width * 2))
    return picture


def _first_page(source: str | bytes, width: int) -> Any:
    try:
        import pypdfium2
    except ImportError:
        return None
    document = pypdfium2.PdfDocument(source)
    try:
        page = document[0]
        return page.render(scale=width / max(page.get_width(), 1)).to_pil()
    finally:
        document.close()
