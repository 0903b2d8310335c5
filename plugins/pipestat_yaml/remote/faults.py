"""Errors of fsspec, botocore, aiohttp and the system, turned into ours; the one place that does.

What may pass becomes Transient, a failed condition ConditionFailed; everything else a
PipestatError of one line. No text of theirs is repeated as it stands: it may hold a key.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipestat_spec.errors import (
    MissingConfigDataError,
    PipestatDataError,
    PipestatDependencyError,
    PipestatError,
    PipestatStartupError,
)
from pipestat_spec.installing import install_hint
from pipestat_yaml.remote.object_store import ConditionFailed, Transient

__all__ = ["Missing", "found", "mapped"]

_RIGHTS = (
    "s3:GetObject, s3:PutObject and s3:ListBucket on the bucket are needed (without the last one "
    "S3 answers so for objects that do not exist), and s3:DeleteObject for flags"
)
_RENEW = "renew them ('aws sso login', 'aws configure' or the AWS_ variables)"
# S3 error code: what it means, and what to do.
_LASTING: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("there is no such bucket", "create it, or correct results_file_path"),
    "InvalidBucketName": ("this cannot be the name of a bucket", "correct results_file_path"),
    "AccessDenied": ("permission denied", _RIGHTS),
    "Forbidden": ("permission denied", _RIGHTS),
    "AllAccessDisabled": ("permission denied", _RIGHTS),
    "ExpiredToken": ("the credentials have expired", _RENEW),
    "ExpiredTokenException": ("the credentials have expired", _RENEW),
    "TokenRefreshRequired": ("the credentials have expired", _RENEW),
    "InvalidToken": ("the session token is not valid", _RENEW),
    "InvalidAccessKeyId": ("the server does not know this access key", _RENEW),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _RENEW),
    "RequestTimeTooSkewed": ("the clock of this machine is wrong", "set the clock"),
    "PermanentRedirect": ("the bucket is in another region", "set AWS_DEFAULT_REGION to it"),
    "AuthorizationHeaderMalformed": (
        "the bucket is in another region",
        "set AWS_DEFAULT_REGION to it",
    ),
    "IllegalLocationConstraintException": (
        "the bucket is in another region",
        "set AWS_DEFAULT_REGION to it",
    ),
    "EntityTooLarge": ("the object has become too large", "use a {record_identifier} path"),
    "KeyTooLongError": ("the name is too long", "use a shorter path"),
    "InvalidObjectState": ("the object is archived", "restore it first"),
    "NotImplemented": (
        "the server does not offer what is needed",
        "see the table in docs/remote.md; where AWS_REQUEST_CHECKSUM_CALCULATION or a profile asks "
        "for checksums, let it say when_required",
    ),
}
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"}
_STATUS = {
    401: ("permission denied", "give credentials in storage_options"),
    403: ("permission denied", "give credentials in storage_options"),
    405: ("the server does not allow it", "see the table in docs/remote.md"),
    413: ("the object has become too large", "use a {record_identifier} path"),
}
# botocore's exceptions by name: the module is imported only with s3fs.
_CREDENTIALS = {
    "NoCredentialsError": "there are no credentials",
    "PartialCredentialsError": "the credentials are incomplete",
    "CredentialRetrievalError": "the credentials could not be got",
    "NoAuthTokenError": "there are no credentials",
    "UnauthorizedSSOTokenError": "the SSO session has expired",
    "SSOTokenLoadError": "the SSO session has expired",
    "TokenRetrievalError": "the SSO session has expired",
    "ProfileNotFound": "there is no such profile in the AWS configuration",
}
_SET_UP = (
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give profile, or "
    "anon: true for public data, in storage_options"
)


class Missing(Exception):
    """There is no such object."""


@contextmanager
def mapped(shown: str) -> Iterator[None]:
    """Map what a library raises about the object that is shown so."""
    try:
        yield
    except (PipestatError, ConditionFailed, Transient, Missing):
        raise
    except Exception as error:  # noqa: BLE001 (nothing of theirs may escape)
        raise _mapped(shown, error) from None


@contextmanager
def found(shown: str) -> Iterator[None]:
    """Map likewise where something has to be there: what is missing is an error too."""
    try:
        with mapped(shown):
            yield
    except Missing:
        raise _startup(shown, "there is no such file or folder", "correct the URL") from None


def _mapped(shown: str, error: Exception) -> Exception:
    for cause in _causes(error):
        response = vars(cause).get("response")
        if isinstance(response, Mapping):
            return _from_response(shown, response)
    for cause in _causes(error):
        found = _from_library(shown, cause)
        if found is not None:
            return found
    return _startup(
        shown, f"the store failed with {type(error).__name__}{_safe(error)}", "see docs/remote.md"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _startup(shown: str, text: str, hint: str) -> PipestatError:
    return PipestatStartupError(f"{shown}: {text}", hint=hint, file=shown)


# What a server answered


def _from_response(shown: str, response: Mapping[str, Any]) -> Exception:
    fault = response.get("Error") or {}
    code = str(fault.get("Code", ""))
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    status = int(code) if status is None and code.isdecimal() else status
    if status == 412 or code == "PreconditionFailed":
        return ConditionFailed(code)
    if code in ("NoSuchKey", "NoSuchVersion") or (status == 404 and code != "NoSuchBucket"):
        return Missing(code)
    if status == 409 or code == "ConditionalRequestConflict":
        return ConditionFailed(code)
    if code in _BUSY or status == 429:
        return Transient("the server asks to slow down")
    if code in ("RequestTimeout", "RequestTimeoutException", "OperationAborted"):
        return Transient(f"the server answered {code}")
    if code in _LASTING:
        return _lasting(shown, code, fault, response)
    return _from_status(shown, status, code)


def _from_status(shown: str, status: int | None, code: str) -> Exception:
    if status is not None and (status >= 500 or status in (408, 425)) and status != 501:
        busy = status == 503
        return Transient("the server asks to slow down" if busy else f"server error {status}")
    if status in _STATUS:
        text, hint = _STATUS[status]
        return _startup(shown, text, hint)
    if status == 429:
        return Transient("the server asks to slow down")
    said = " ".join(str(part) for part in (status, code) if part)
    return _startup(shown, f"the server answered {_plain(said)}", "see docs/remote.md")


def _lasting(
    shown: str, code: str, fault: Mapping[str, Any], response: Mapping[str, Any]
) -> PipestatError:
    text, hint = _LASTING[code]
    headers = (response.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    region = fault.get("Region") or headers.get("x-amz-bucket-region")
    if region and "region" in text:
        text, hint = f"{text}, {_plain(region)}", f"set AWS_DEFAULT_REGION={_plain(region)}"
    return PipestatStartupError(f"{shown}: {text} ({code})", hint=hint, file=shown, answer=code)


# What did not get as far as an answer


def _from_library(shown: str, error: BaseException) -> Exception | None:
    name = type(error).__name__
    status = vars(error).get("status")
    if isinstance(status, int) and 400 <= status < 600:
        return Missing(str(status)) if status in (404, 410) else _from_status(shown, status, "")
    if name in _CREDENTIALS:
        return _startup(shown, _CREDENTIALS[name], _SET_UP)
    if name in ("NoRegionError", "InvalidRegionError"):
        return _startup(shown, "the region is missing or wrong", "set AWS_DEFAULT_REGION")
    if name == "ParamValidationError" or name == "InvalidBucketNameError":
        return _startup(shown, "the server cannot have such a name", "correct results_file_path")
    if name in ("ImportError", "ModuleNotFoundError"):
        return missing_package(shown, error)
    if type(error) is ValueError and "nvalid endpoint" in str(error):
        return _config(shown, "endpoint_url is no URL such as https://host:port")
    if isinstance(error, FileNotFoundError):
        return Missing()
    return _from_network(shown, error, name)


def _from_network(shown: str, error: BaseException, name: str) -> Exception | None:
    unreached = _unreached(error, name)
    if unreached:
        return Transient(unreached, reached=False)
    if name in ("ReadTimeoutError", "FSTimeoutError", "ServerTimeoutError", "SocketTimeoutError"):
        return Transient("no answer came in time")
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return Transient("no answer came in time")
    if "SSL" in name or "Certificate" in name:
        return _startup(shown, "the encrypted connection failed (SSL)", "check endpoint_url")
    broken = {
        "ConnectionClosedError",
        "HTTPClientError",
        "IncompleteRead",
        "IncompleteReadError",
        "ResponseParserError",
        "ResponseStreamingError",
        "ClientPayloadError",
        "ClientOSError",
        "ServerDisconnectedError",
        "ContentLengthError",
        "AioResponseStreamingError",
    }
    if name in broken or isinstance(error, ConnectionError | EOFError):
        return Transient("the connection broke")
    return _from_system(shown, error)


def _unreached(error: BaseException, name: str) -> str | None:
    """Tell why there was no connection; None when there may have been one."""
    causes = list(_causes(error))
    kinds = {type(cause).__name__ for cause in causes} | {name}
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "DNSError" in "".join(kinds):
        return "the name of the server is not known"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the server refuses connections"
    if kinds & {"ConnectTimeoutError", "ConnectionTimeoutError", "EndpointConnectionError"}:
        return "the server cannot be reached"
    return None


def _from_system(shown: str, error: BaseException) -> Exception | None:
    if isinstance(error, PermissionError):
        return _startup(shown, "permission denied", "give credentials in storage_options")
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return _startup(shown, "it is a folder, or below a file", "give the path of a file")
    if isinstance(error, NotImplementedError):
        return _startup(shown, "this file system cannot do it", "see the table in docs/remote.md")
    if isinstance(error, OSError) and error.errno not in (None, 0, errno.EINVAL):
        assert error.errno is not None
        name = errno.errorcode.get(error.errno, str(error.errno))
        return PipestatDataError(f"{shown}: the store failed with {name}", file=shown)
    return None


def _config(shown: str, text: str) -> PipestatError:
    return MissingConfigDataError(f"{shown}: {text}", hint="correct storage_options", file=shown)


def missing_package(shown: str, error: BaseException) -> PipestatError:
    """Return the error that names the missing package and how to get it."""
    protocol = shown.partition("://")[0]
    found = re.search(r"\b(?:[Ii]nstall|named) ['\"]?([A-Za-z0-9_.-]+)", str(error))
    package = found[1] if found else "the file system's package"
    s3 = package in ("s3fs", "fsspec", "aiohttp", "aiobotocore", "botocore")
    place = "" if shown == f"{protocol}://" else f"{shown}: "
    command = install_hint("pipestat-spec[s3]") if s3 else f"pip install {package}"
    return PipestatDependencyError(
        f"{place}{protocol}:// needs the package {package}",
        hint=command,
        package=package,
    )


def _safe(error: BaseException) -> str:
    """Return what may be repeated of an error's text: nothing that looks like a key or URL."""
    # Others than these tell what a server said, or what was sent to it.
    if type(error) not in (TypeError, ValueError):
        return ""
    text = " ".join(str(error).split())
    if not text or re.search(r"[A-Za-z0-9/+=_-]{16,}|://|@", text):
        return ""
    return f" ({text[:200]})"


def _plain(text: object) -> str:
    return re.sub(r"[^\w. -]", "", str(text))[:80]
