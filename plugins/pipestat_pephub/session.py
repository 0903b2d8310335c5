"""Requests to one server: one session, time-outs, repeats with growing pauses, one token."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import requests
from pydantic import SecretStr
from requests.auth import AuthBase

from pipestat_pephub.faults import TokenState, UnknownOutcome, never_arrived, unreachable, why
from pipestat_pephub.options import Connection, expiry_of
from pipestat_spec.errors import PipestatPEPHubError
from pipestat_spec.text.strings import shorten

__all__ = ["Answer", "Session"]

# Seconds. A server that asks for a longer pause is asked again after this one.
LONGEST_PAUSE = 60.0
_FIRST_PAUSE, _LONGEST_BACKOFF = 0.5, 30.0
_CONNECT = 10.0
_TOO_MANY = 429
# The server behind the one that answers may still be at work.
_LATE = (502, 504)


class Answer(NamedTuple):
    """What the server said."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    def document(self) -> Any:
        """Return the JSON in it; raises ValueError. Integers stay integers of any size."""
        return json.loads(self.content)

    @property
    def detail(self) -> str:
        """The reason that it gives, if any."""
        if 300 <= self.status < 400:
            return self.headers.get("Location", "")
        try:
            document = self.document()
        except ValueError:
            return ""
        detail = document.get("detail") if isinstance(document, dict) else None
        return detail if isinstance(detail, str) else shorten(detail) if detail else ""


class _Token(AuthBase):
    """Puts the token into a request. With or without one, no other source of passwords is used."""

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class Session:
    """Asks one server; connections are kept and used again."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self._secret = connection.token
        self.retries = connection.retries
        self._auth = _Token(connection.token)
        self._timeout = (min(_CONNECT, connection.timeout), connection.timeout)
        self._verify: bool | str = connection.verify or True
        self._session: requests.Session | None = None
        self._owner = 0

    @property
    def token(self) -> TokenState:
        """What is known of the token; the server does not say that one has expired."""
        if self._secret is None:
            return "missing"
        expiry = expiry_of(self._secret.get_secret_value())
        return "expired" if expiry is not None and expiry < time.time() else "given"

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """Ask until there is an answer; raises PipestatPEPHubError when there is none."""
        attempt = 0
        while True:
            try:
                answer = self._ask("GET", path, parameters, None)
            except requests.RequestException as error:
                if attempt == self.retries or isinstance(error, requests.exceptions.SSLError):
                    raise unreachable(self.url, error) from None
                answer = None
            if answer is not None and (attempt == self.retries or not _transient(answer.status)):
                return answer
            self.pause(attempt, answer)
            attempt += 1

    def send(
        self, method: str, path: str, parameters: Mapping[str, str], document: Any = None
    ) -> Answer:
        """Ask for a change, again only while it is certain that nothing was changed.

        Raises UnknownOutcome when that is not certain, PipestatPEPHubError when there is no answer.
        """
        body = None
        if document is not None:
            body = json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")
        attempt = 0
        while True:
            try:
                answer = self._ask(method, path, parameters, body)
            except requests.RequestException as error:
                if not never_arrived(error):
                    late = isinstance(error, requests.Timeout)
                    raise UnknownOutcome(why(error), late=late) from None
                if attempt == self.retries or isinstance(error, requests.exceptions.SSLError):
                    raise unreachable(self.url, error) from None
                answer = None
            if answer is not None and answer.status >= 500:
                reason = f"the server answers {answer.status}"
                raise UnknownOutcome(reason, late=answer.status in _LATE)
            if answer is not None and (attempt == self.retries or answer.status != _TOO_MANY):
                return answer
            self.pause(attempt, answer)
            attempt += 1

    def pause(self, attempt: int, answer: Answer | None = None) -> None:
        """Wait before the next attempt (from 0): as long as the server asks, within reason."""
        asked = None if answer is None else _retry_after(answer.headers.get("Retry-After"))
        if asked is None:
            # Clients that were sent away together must not come back together.
            asked = min(_FIRST_PAUSE * 2**attempt, _LONGEST_BACKOFF) * random.uniform(1.0, 1.5)
        time.sleep(min(asked, LONGEST_PAUSE))

    def _ask(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None
    ) -> Answer:
        headers = {"Content-Type": "application/json"} if body is not None else None
        response = self._opened().request(
            method,
            self.url + path,
            params=parameters,
            data=body,
            headers=headers,
            auth=self._auth,
            timeout=self._timeout,
            # A redirect would turn a POST into a GET, and could carry the token elsewhere.
            allow_redirects=False,
        )
        return Answer(response.status_code, response.content, response.headers)

    def _opened(self) -> requests.Session:
        # Two processes must not talk through one connection.
        if self._session is None or self._owner != os.getpid():
            self._session, self._owner = self._made(), os.getpid()
        return self._session

    def _made(self) -> requests.Session:
        session = requests.Session()
        session.headers.update({"Accept": "application/json", "User-Agent": "pipestat-spec"})
        # Proxies and certificates that the environment names are those of all requests: to look
        # for them takes a quarter of a request's time.
        found = session.merge_environment_settings(self.url, {}, None, self._verify, None)
        session.proxies, session.verify = found["proxies"], found["verify"]
        session.trust_env = False
        return session

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None and self._owner == os.getpid():
            session.close()

    def read(self, answer: Answer) -> Any:
        """Return the document of an answer; raises PipestatPEPHubError when it is none."""
        try:
            return answer.document()
        except (ValueError, RecursionError):
            raise PipestatPEPHubError(
                f"the server {self.url} answers with something that is not JSON",
                hint="is this the address of PEPhub's API? see pephub_url, PEPHUB_BASE_URL",
                url=self.url,
            ) from None


def _transient(status: int) -> bool:
    return status == _TOO_MANY or status >= 500


def _retry_after(text: str | None) -> float | None:
    """Return the seconds of a header, which holds a number or a date; None for anything else."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
