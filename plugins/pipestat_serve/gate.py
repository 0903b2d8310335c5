"""Who gets in: a link that works once, the cookie that it gives, and a lasting token.

The cookie outlives a restart: it is signed with a key that only this user can read.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from pipestat_spec.logs import logger

__all__ = ["TOKEN_VARIABLE", "Gate"]

TOKEN_VARIABLE = "PIPESTAT_SERVE_TOKEN"
# Seconds that a cookie is good for.
COOKIE_AGE = 30 * 86400
_KEY_BYTES = 32


class Gate:
    """Checks tokens and cookies; `announce` is called with each new token for a link."""

    def __init__(
        self,
        announce: Callable[[str], None],
        lasting: str | None = None,
        key: bytes | None = None,
    ) -> None:
        """Make the gate; `lasting` is a token that stays good, `key` signs the cookies."""
        self._announce = announce
        self._lasting = lasting
        # Cookies of another lasting token are not good any more.
        self._key = hmac.digest(key or _stored_key(), (lasting or "").encode(), "sha256")
        self._link = ""

    def open(self) -> None:
        """Make a token for a link, and announce it."""
        self._link = secrets.token_urlsafe(24)
        self._announce(self._link)

    def admits_link(self, token: str) -> bool:
        """Tell whether a link's token is good; one that was made for a link is used up by it."""
        if self.admits_token(token):
            return True
        if not self._link or not _same(token, self._link):
            return False
        self.open()
        return True

    def admits_token(self, token: str) -> bool:
        """Tell whether it is the lasting token."""
        return self._lasting is not None and _same(token, self._lasting)

    def cookie(self) -> str:
        """Return a new cookie's value."""
        until = str(int(time.time()) + COOKIE_AGE)
        return f"{until}.{self._sign(until)}"

    def admits_cookie(self, value: str) -> bool:
        """Tell whether a cookie is ours and not too old."""
        until, _, signature = value.partition(".")
        if not _same(signature, self._sign(until)):
            return False
        return int(until) > time.time()

    def _sign(self, until: str) -> str:
        return hmac.new(self._key, until.encode(errors="replace"), sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _stored_key() -> bytes:
    """Return the key of this user, made if need be; one for this run where it cannot be kept."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = Path(state) / "pipestat-spec" / "serve.key"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = secrets.token_bytes(_KEY_BYTES)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        if not path.exists():
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(made)
            try:
                # Whoever is first decides; half of a key is never seen.
                os.link(temporary, path)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        key = path.read_bytes()
        if len(key) == _KEY_BYTES and not path.stat().st_mode & 0o077:
            return key
        reason = "others can read it, or it is damaged; remove it"
    except OSError as error:
        reason = error.strerror or str(error)
    logger().warning("%s: %s; browsers have to open the link again after a restart", path, reason)
    return secrets.token_bytes(_KEY_BYTES)
