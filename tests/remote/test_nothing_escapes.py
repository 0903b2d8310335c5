"""Whatever a library raises becomes one of our errors, and tells no secret."""

from __future__ import annotations

import errno
import inspect
import os
import socket
from collections.abc import Iterator

import aiohttp
import botocore.exceptions
import fsspec.exceptions
import pytest
from botocore.exceptions import ClientError
from pipestat_yaml.remote.faults import Missing, mapped
from pipestat_yaml.remote.object_store import ConditionFailed, Transient
from s3fs.errors import ERROR_CODE_TO_EXCEPTION, translate_boto_error

from pipestat_spec.errors import PipestatError

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


def made(kind: type[BaseException]) -> BaseException:
    """Return an exception of a class whose constructor may want anything."""
    error = kind.__new__(kind)
    error.args = (f"secret_key={SECRET}",)
    return error


def library_errors() -> Iterator[BaseException]:
    for module in (botocore.exceptions, aiohttp, fsspec.exceptions):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception):
                yield made(kind)
    for kind in (ValueError, TypeError, KeyError, RuntimeError, AttributeError, ImportError):
        yield kind(f"about {SECRET}")
    for number in errno.errorcode:
        yield OSError(number, os.strerror(number), f"/{SECRET}")
    yield socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def mapped_error(error: BaseException) -> Exception:
    ours = (PipestatError, Transient, ConditionFailed, Missing)
    with pytest.raises(ours) as caught, mapped("s3://bucket/key"):
        raise error
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("error", list(library_errors()), ids=lambda e: f"{type(e).__name__}")
def test_no_exception_of_a_library_escapes(error: BaseException) -> None:
    mapped_error(error)


STATUSES = [400, 403, 404, 405, 408, 409, 412, 413, 418, 429, 500, 501, 503]


@pytest.mark.parametrize("status", STATUSES)
def test_no_answer_of_a_server_escapes(status: int) -> None:
    for code in (*ERROR_CODE_TO_EXCEPTION, "Unheard", ""):
        answer = {
            "Error": {"Code": code, "Message": SECRET},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        plain = mapped_error(ClientError(answer, "PutObject"))  # type: ignore[arg-type]
        # s3fs wraps it into an OSError that says nothing of it.
        error = translate_boto_error(ClientError(answer, "PutObject"))  # type: ignore[arg-type]
        assert type(mapped_error(error)) is type(plain)
        if status == 412:
            assert isinstance(plain, ConditionFailed)
        if status in (500, 503) and code == "":
            assert isinstance(plain, Transient)


def test_what_others_must_not_catch() -> None:
    with pytest.raises(KeyboardInterrupt), mapped("s3://bucket/key"):
        raise KeyboardInterrupt
