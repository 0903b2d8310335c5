"""Where the server is and who asks: the section `pephub`, the environment, the client's file."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.options import Options
from pipestat_spec.text.strings import shorten

__all__ = ["DEFAULT_URL", "Connection", "PephubOptions", "connection", "expiry_of"]

DEFAULT_URL = "https://pephub-api.databio.org"
# Where PEPhub's own client keeps a login, and where older ones kept its token alone.
LOGIN_FOLDER, LOGIN_FILE, TOKEN_FILE = "~/.pephubclient", "jwt.toml", "jwt.txt"
HOME_VARIABLE = "PH_HOME"
URL_VARIABLE, TOKEN_VARIABLE = "PEPHUB_BASE_URL", "PEPHUB_TOKEN"
# What a header can carry; everything else in a token is a mistake in copying it.
_TOKEN = re.compile(r"[\x21-\x7e]+")


class PephubOptions(Options):
    """How the server is reached."""

    url: str | None = Field(None, description="address of the server")
    token: SecretStr | None = Field(None, description="token of a login")
    timeout: float = Field(60.0, gt=0, description="seconds to wait for an answer")
    retries: int = Field(4, ge=0, le=20, description="how often a failed request is repeated")
    verify: str | None = Field(
        None, min_length=1, description="file of certificates to trust instead of the public ones"
    )

    @field_validator("verify", mode="before")
    @classmethod
    def _a_path(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("certificates are always verified; give a file of certificates")
        return value


class Connection(NamedTuple):
    """Where the server is and how it is asked; the repr shows no token."""

    url: str
    token: SecretStr | None
    timeout: float
    retries: int
    verify: str | None


def connection(settings: StoreSettings) -> Connection:
    """Return the settings in force; raises MissingConfigDataError."""
    options = settings.options or PephubOptions()
    url, token = _url(settings.config.get("pephub_url"), options), _token(options)
    if url is None or token is None:
        login = _login()
        url = url or login.url or DEFAULT_URL
        # The token of another server is nothing that this one is to see.
        token = token or (login.token if login.url in (None, url) else None)
    return Connection(
        url=url,
        token=token,
        timeout=options.timeout,
        retries=options.retries,
        verify=_certificates(options.verify, settings.config_folder),
    )


class _Login(NamedTuple):
    """What PEPhub's own client keeps: a token, and the server that it is for, if that is told."""

    url: str | None
    token: SecretStr | None


def expiry_of(token: str) -> float | None:
    """Return when a token ends, in seconds since 1970; None where it does not say."""
    try:
        text = token.split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["exp"]
        return float(end)
    except (ValueError, IndexError, KeyError, TypeError):
        return None


def _url(configured: str | None, options: PephubOptions) -> str | None:
    for where, value in (
        ("pephub_url", configured),
        ("pephub.url", options.url),
        (URL_VARIABLE, os.environ.get(URL_VARIABLE)),
    ):
        if value:
            return _checked_url(value.strip(), where)
    return None


def _checked_url(url: str, where: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise MissingConfigDataError(
            f"{where}: {shorten(_bare(url))!r} is no address of a server",
            hint=f"give one like {DEFAULT_URL}",
            key=where,
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise MissingConfigDataError(
            f"{where}: the address of a server holds no user, password, query or fragment",
            hint=f"a token is given as pephub.token or {TOKEN_VARIABLE}",
            key=where,
        )
    return url.rstrip("/").removesuffix("/api/v1")


def _bare(url: str) -> str:
    """Return an address without what may be a password."""
    return re.sub(r"//[^/@]*@", "//***@", url)


def _token(options: PephubOptions) -> SecretStr | None:
    if options.token is not None and options.token.get_secret_value():
        return _checked_token(options.token.get_secret_value(), "pephub.token")
    if os.environ.get(TOKEN_VARIABLE):
        return _checked_token(os.environ[TOKEN_VARIABLE], TOKEN_VARIABLE)
    return None


def _login() -> _Login:
    folder = Path(os.environ.get(HOME_VARIABLE) or os.path.expanduser(LOGIN_FOLDER))
    path = folder / LOGIN_FILE
    if (text := _text(path)) is None:
        path = folder / TOKEN_FILE
        text = _text(path) or ""
        return _Login(None, _checked_token(text, str(path)) if text.strip() else None)
    import tomllib

    try:
        found = tomllib.loads(text)
    except ValueError:
        raise _unreadable(path, "it is no TOML") from None
    token, url = found.get("token"), found.get("base_url") or DEFAULT_URL
    if not isinstance(token, str | None) or not isinstance(url, str):
        raise _unreadable(path, "token and base_url are not text")
    return _Login(_checked_url(url, str(path)), _checked_token(token, str(path)) if token else None)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or "it is no text") from None


def _unreadable(path: Path, reason: str) -> MissingConfigDataError:
    return MissingConfigDataError(
        f"{path} cannot be read: {reason}", hint=f"or give the token in {TOKEN_VARIABLE}"
    )


def _checked_token(text: str, where: str) -> SecretStr:
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise MissingConfigDataError(
            f"{where}: the token holds blanks or characters that no token has",
            hint="copy it again, as one word",
        )
    return SecretStr(token)


def _certificates(path: str | None, folder: str) -> str | None:
    if path is None:
        return None
    found = os.path.join(folder, os.path.expanduser(path))
    if not os.path.exists(found):
        raise MissingConfigDataError(
            f"pephub.verify: there is no file {found}",
            hint="give a file of certificates in PEM form",
            key="pephub.verify",
        )
    return found
