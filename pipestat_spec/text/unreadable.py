"""What is wrong with a file or a text that cannot be read or written, and where."""

from __future__ import annotations

import errno

__all__ = ["UnreadableText", "decode", "system_reason"]

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENOENT: "there is no such file or folder",
    errno.EEXIST: "a part of the path is not a folder",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ELOOP: "the symbolic links go in a circle",
    errno.ENAMETOOLONG: "the name is too long",
}


def system_reason(error: OSError) -> str:
    """Return in a few words why the system refuses a file, without the file's name."""
    known = _REASONS.get(error.errno or 0)
    if known is not None:
        return known
    text = error.strerror or str(error)
    return f"{text[:1].lower()}{text[1:]}"


class UnreadableText(ValueError):
    """A text is not what it should be. Each caller makes an error of its own kind of it.

    `line` and `column` count from 1; None where the problem has no one place.
    """

    def __init__(
        self,
        problem: str,
        hint: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem, self.hint, self.line, self.column = problem, hint, line, column

    def __str__(self) -> str:
        if self.line is None:
            return self.problem
        place = (
            f"line {self.line}"
            if self.column is None
            else f"line {self.line}, column {self.column}"
        )
        return f"{place}: {self.problem}"


def decode(content: bytes) -> str:
    """Return the text of a file, without a byte order mark; raises UnreadableText."""
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableText(
            f"byte {error.start + 1} is not UTF-8",
            "save the file as UTF-8",
            content.count(b"\n", 0, error.start) + 1,
        ) from None
