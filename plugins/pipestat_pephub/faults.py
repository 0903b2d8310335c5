"""The one place where answers and exceptions become errors of the specification.

Each is one line: where, what, and what to do. No token and no text of a library is in it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from pipestat_spec.errors import PipestatPEPHubError
from pipestat_spec.text.strings import shorten

__all__ = [
    "TokenState",
    "UnknownOutcome",
    "doubled",
    "missing_project",
    "never_arrived",
    "refused",
    "unknown_outcome",
    "unlisted_sample",
    "unreachable",
    "unreachable_sample",
    "why",
]

# PEPhub says 404 as well where something may not be written.
_DENIED = (401, 403, 404)
LOGIN = "log in with 'phc login', or give a token in PEPHUB_TOKEN"


TokenState: TypeAlias = Literal["missing", "expired", "given"]


class UnknownOutcome(Exception):
    """A write was sent, and whether it was stored is not known.

    `late`: the server may still be at work on it. Never leaves the package.
    """

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.late = late


def never_arrived(error: requests.RequestException) -> bool:
    """Tell whether a request certainly did not reach the server: no connection was made."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    return any(
        isinstance(cause, NewConnectionError | ConnectTimeoutError | NameResolutionError)
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return what an exception of requests was made from, outermost first."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        cause = todo.pop()
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            todo += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
    return found


def why(error: requests.RequestException) -> str:
    """Return in a few words what happened to a request."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    causes = _causes(error)
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return "its name is not known"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "it refuses connections"
    if never_arrived(error):
        return "no connection"
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    return f"a request failed ({type(error).__name__})"


def unreachable(url: str, error: requests.RequestException) -> PipestatPEPHubError:
    """Return the error for a server that does not answer."""
    if isinstance(error, requests.exceptions.SSLError):
        hint = "give a file with the server's certificate authority as pephub.verify"
    else:
        hint = "check the address (pephub_url, PEPHUB_BASE_URL) and the network, or try again later"
    return PipestatPEPHubError(f"the server {url}: {why(error)}", hint=hint, url=url)


def missing_project(project: str, token: TokenState) -> PipestatPEPHubError:
    """Return the error for a project that is not there, or not for this user."""
    if token == "expired":
        return PipestatPEPHubError(
            f"PEPhub has no project {project} for everybody, and the token has expired",
            hint=LOGIN,
            project=project,
        )
    hint = "correct pephub_path, or make the project on PEPhub; a private one needs a token "
    hint += "that may read it" if token == "given" else f"({LOGIN})"
    return PipestatPEPHubError(f"PEPhub has no project {project}", hint=hint, project=project)


def refused(
    status: int, detail: str, *, project: str, what: str, token: TokenState
) -> PipestatPEPHubError:
    """Return the error for an answer that refuses; `what` is what was asked for."""
    shown = shorten(detail, 200) or "without a reason"
    message, hint = f"{project}: {what}: the server answers {status}, {shown}", None
    if status in _DENIED and (token == "expired" or "expired" in detail.lower()):
        message, hint = f"{project}: {what}: the token has expired", LOGIN
    elif status in _DENIED and token == "missing":
        message, hint = f"{project}: {what}: there is no token", LOGIN
    elif status in _DENIED:
        message = f"{project}: {what}: the token does not allow it"
        hint = f"log in as somebody who may write to {project.partition('/')[0]}, or use a project "
        hint += "of your own; a token that was made for another server is not valid either"
    elif status in (301, 302, 303, 307, 308):
        message = f"{project}: {what}: the server redirects to {shown}"
        hint = "give this address as pephub_url"
    elif status == 413:
        message, hint = f"{project}: {what}: the server finds it too large", "report less at once"
    elif status == 429:
        message, hint = f"{project}: {what}: the server is asked too often", "try again later"
    elif status >= 500:
        hint = "try again later; a project without any sample needs one, made on PEPhub, first"
    return PipestatPEPHubError(message, hint=hint, project=project, status=status)


def doubled(project: str, name: str) -> PipestatPEPHubError:
    """Return the error for a name that does not tell which sample is meant."""
    return _about_sample(
        project,
        name,
        "several samples are called {}",
        "give each a name of its own on PEPhub: what is reported would go to either",
    )


def unreachable_sample(project: str, name: str) -> PipestatPEPHubError:
    """Return the error for a sample that is listed and that the server finds under no name."""
    return _about_sample(
        project,
        name,
        "the sample {} is in the list, and the server does not find it by its name",
        "a project that was overwritten through the API is so: save its table once in "
        "PEPhub's editor; nothing was stored",
    )


def unlisted_sample(project: str, name: str) -> PipestatPEPHubError:
    """Return the error for a sample that the server has and that no list shows."""
    return _about_sample(
        project,
        name,
        "the server has a sample {} that is missing from its list, since two were added at the "
        "same time",
        "remove the record ('pipestat-spec remove'), then report it again; nothing was stored",
    )


def _about_sample(project: str, name: str, problem: str, hint: str) -> PipestatPEPHubError:
    text = f"{project}: {problem.format(repr(shorten(name, 40)))}"
    return PipestatPEPHubError(text, hint=hint, project=project, record_identifier=name)


def unknown_outcome(project: str, what: str, reason: str) -> PipestatPEPHubError:
    """Return the error for a write of which it cannot be found out whether it was stored."""
    return PipestatPEPHubError(
        f"{project}: {what}: {reason}, and whether it was stored is not known",
        hint="repeat it later: what is stored already is no change",
        project=project,
    )
