"""Where the server is and who asks: the section `pephub`, the environment, the client's file."""

from __future__ import annotations

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

__all__ = ["DEFAULT_URL", "TOKEN_FILE", "Connection", "PephubOptions", "connection"]

DEFAULT_URL = "https://pephub-api.databio.org"
# Where PEPhub's own client keeps the token of a login.
TOKEN_FILE = "~/.pephubclient/jwt.txt"
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
    return Connection(
        url=_url(settings.config.get("pephub_url"), options),
        token=_token(options),
        timeout=options.timeout,
        retries=options.retries,
        verify=_certificates(options.verify, settings.config_folder),
    )


def _url(configured: str | None, options: PephubOptions) -> str:
    for where, value in (
        ("pephub_url", configured),
        ("pephub.url", options.url),
        (URL_VARIABLE, os.environ.get(URL_VARIABLE)),
    ):
        if value:
            return _checked_url(value.strip(), where)
    return DEFAULT_URL


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
    path = Path(os.path.expanduser(TOKEN_FILE))
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise MissingConfigDataError(
            f"{path} cannot be read: {reason}", hint=f"or give the token in {TOKEN_VARIABLE}"
        ) from None
    return _checked_token(text, str(path)) if text.strip() else None


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
