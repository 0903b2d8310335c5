"""What fails for good says so in one line, and shows no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pipestat_yaml.remote import retries

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDataError, PipestatError, PipestatStartupError
from pipestat_spec.installing import install_hint
from tests.commands import pipestat_spec
from tests.remote.conftest import Managers, Place
from tests.remote.proxy import Fault, Forward, Reply, Request, cut_before, error, slow
from tests.remote.servers import KEYS

NEVER_SHOWN = [*KEYS.values(), "verysecretvalue", "sessiontokenvalue"]


def message(failure: PipestatError) -> str:
    text = str(failure)
    assert "\n" not in text
    assert not [secret for secret in NEVER_SHOWN if secret in text]
    assert len(text) < 500
    return text


def failing(config: Mapping[str, Any]) -> str:
    with pytest.raises(PipestatError) as caught:
        PipestatManager.from_config(config).report({"n": 1}, "s1")
    return message(caught.value)


LASTING = [
    (403, "AccessDenied", {}, "permission denied (AccessDenied); s3:GetObject"),
    (400, "ExpiredToken", {}, "the credentials have expired (ExpiredToken); renew"),
    (400, "InvalidToken", {}, "the session token is not valid"),
    (403, "InvalidAccessKeyId", {"AWSAccessKeyId": "AKIATESTKEY"}, "does not know this access key"),
    (403, "SignatureDoesNotMatch", {}, "the secret key does not fit"),
    (403, "RequestTimeTooSkewed", {}, "the clock of this machine is wrong"),
    (404, "NoSuchBucket", {}, "there is no such bucket (NoSuchBucket)"),
    (400, "KeyTooLongError", {}, "the name is too long"),
    (501, "NotImplemented", {}, "the server does not offer what is needed"),
    (400, "SomethingNew", {}, "the server answered 400 SomethingNew"),
    (418, "verysecretvalue/AKIA+verysecretvalue", {}, "the server answered 418"),
]


@pytest.mark.parametrize(("status", "code", "more", "said"), LASTING, ids=lambda v: str(v)[:20])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_the_server_refuses(
    place: Place, method: str, status: int, code: str, more: dict[str, str], said: str
) -> None:
    if "verysecretvalue" in code:
        code = "Odd"
    place.proxy.fail(method, error(status, code, "about verysecretvalue", **more))
    text = failing(place.config)
    assert text.startswith(place.url)
    assert said in text


def test_a_bucket_that_is_not_there(place: Place) -> None:
    config = {**place.config, "results_file_path": "s3://no-such-bucket-here/r.yaml"}
    assert "s3://no-such-bucket-here/r.yaml: there is no such bucket" in failing(config)


def test_a_server_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where nothing answers at all, a limit of its own ends the tries, a day before the other one.
    monkeypatch.setattr(retries, "_UNREACHED_PATIENCE", 1.0)
    options = {"endpoint_url": "http://127.0.0.1:9", "retry_seconds": 24 * 3600}
    text = failing({**place.config, "storage_options": options})
    assert "the server refuses connections (tried" in text


def test_a_name_that_is_not_known(place: Place) -> None:
    options = {"endpoint_url": "http://no-such-host.invalid", "retry_seconds": 2}
    text = failing({**place.config, "storage_options": options})
    assert "the name of the server is not known" in text
    assert "check endpoint_url" in text


def test_no_credentials(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    assert "there are no credentials; set AWS_PROFILE" in failing(place.config)
    anonymous = {**place.options, "anon": True}
    PipestatManager.from_config({**place.config, "storage_options": anonymous}).report(
        {"n": 1}, "s1"
    )
    assert place.bucket.results() == {"s1": {"n": 1}}


def test_a_profile(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    file = tmp_path / "credentials"
    file.write_text("[lab]\naws_access_key_id = AKIALAB\naws_secret_access_key = verysecretvalue\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    options = {**place.options, "profile": "lab"}
    PipestatManager.from_config({**place.config, "storage_options": options}).report({"n": 1}, "s1")
    signed = [request.headers["Authorization"] for request, _ in place.proxy.log]
    assert all("Credential=AKIALAB/" in text for text in signed)
    options["profile"] = "other"
    assert "there is no such profile" in failing({**place.config, "storage_options": options})


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_another_region_is_found(place: Place, manager: Managers, method: str) -> None:
    wrong = error(400, "AuthorizationHeaderMalformed", "wrong", Region="eu-central-1")
    psm = manager()
    place.proxy.requests()
    place.proxy.fail(method, wrong)
    psm.report({"n": 1}, "s1")
    assert place.bucket.results() == {"s1": {"n": 1}}
    last = [r for r, _ in place.proxy.log if r.method == "PUT"][-1]
    assert ("eu-central-1" in last.headers["Authorization"]) == (method == "PUT")


def test_a_region_that_the_server_does_not_name(place: Place) -> None:
    place.proxy.fail("GET", *[error(400, "AuthorizationHeaderMalformed")] * 3)
    assert "the bucket is in another region" in failing(place.config)


READS = {
    "500": [error(500, "InternalError")] * 3,
    "503": [error(503, "SlowDown")] * 3,
    "429": [error(429, "TooManyRequests")] * 2,
    "cut": [cut_before] * 4,
    "slow": [slow(1.2)],
}


@pytest.mark.parametrize("name", READS)
def test_reads_are_repeated(place: Place, manager: Managers, name: str) -> None:
    psm = manager(storage_options={**place.options, "config_kwargs": {"read_timeout": 0.5}})
    psm.report({"n": 1}, "s1")
    place.proxy.fail("GET", *READS[name])
    assert psm.retrieve_one("s1", "n") == 1


def test_a_body_that_ends_early_is_read_again(place: Place, manager: Managers) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")

    def torn(request: Any, forward: Any) -> Any:
        reply = forward()
        headers = {**reply.headers, "content-length": str(len(reply.body) + 100)}
        return reply._replace(headers={k: v for k, v in headers.items() if k != "Content-Length"})

    place.proxy.fail("GET", torn)
    options = {**place.options, "config_kwargs": {"read_timeout": 0.5}}
    assert manager(storage_options=options).retrieve_one("s1", "n") == 1


def test_options_that_are_wrong(place: Place) -> None:
    for options, said in (
        ({"endpoint_url": "nonsense"}, "endpoint_url is no URL"),
        ({"retry_seconds": "long"}, "retry_seconds is not a number of seconds"),
        ({"config_kwargs": 3}, "config_kwargs is a mapping"),
        ({"no_such_option": "verysecretvalue"}, "TypeError"),
    ):
        assert said in failing({**place.config, "storage_options": options}), options


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3:///x", "s3://b/folder/"])
def test_urls_that_name_no_object(place: Place, url: str) -> None:
    assert "names no object" in failing({**place.config, "results_file_path": url})


@pytest.mark.parametrize(
    ("url", "package"),
    [("gs://b/r.yaml", "gcsfs"), ("abfs://c/r.yaml", "adlfs"), ("nosuch://b/r.yaml", None)],
)
def test_packages_that_are_missing(place: Place, url: str, package: str | None) -> None:
    text = failing({**place.config, "results_file_path": url, "storage_options": {}})
    if package:
        assert f"needs the package {package}; pip install {package}" in text
    else:
        assert "nosuch" in text


@pytest.mark.parametrize("absent", [("s3fs",), ("s3fs", "fsspec")])
def test_without_s3fs(place: Place, tmp_path: Path, absent: tuple[str, ...]) -> None:
    # As if they were not installed: modules of that name that cannot be imported.
    for name in absent:
        error = f"ModuleNotFoundError(\"No module named '{name}'\")"
        (tmp_path / f"{name}.py").write_text(f"raise {error}")
    done = pipestat_spec(
        *("report", "-f", place.url, "--pipeline-name", "demo", "-r", "s1", "n:=1"),
        cwd=tmp_path,
        code=1,
        PYTHONPATH=str(tmp_path),
    )
    assert done.stderr == (
        f"error: {place.url.rpartition('/run')[0]}/: s3:// needs the package s3fs; "
        f"{install_hint('pipestat-spec[s3]')}\n"
    )


def test_the_command_line_says_one_line(place: Place, tmp_path: Path) -> None:
    place.proxy.fail("GET", error(403, "AccessDenied"))
    done = pipestat_spec(
        *("report", "-f", place.url, "--pipeline-name", "demo", "-r", "s1", "n:=1"),
        cwd=tmp_path,
        code=1,
        AWS_ENDPOINT_URL=place.proxy.url,
    )
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {place.url}: permission denied (AccessDenied);")
    assert done.stderr.count("\n") == 1


def test_new_credentials_are_taken_after_the_old_ones_are_refused(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    def log_in(name: str) -> None:
        keys.write_text(f"[default]\naws_access_key_id = {name}\naws_secret_access_key = s\n")

    def expired(request: Request, forward: Forward) -> Reply:
        assert "AKIDOLD" in request.headers["Authorization"]
        return error(400, "ExpiredToken")(request, forward)

    log_in("AKIDOLD")
    first = PipestatManager.from_config(place.config)
    first.report({"n": 1}, "s1")
    place.proxy.faults.append(("GET", expired))
    with pytest.raises(PipestatStartupError, match="the credentials have expired"):
        first.retrieve_one("s1")
    log_in("AKIDNEW")
    place.proxy.requests()
    # A new manager, and the one that has failed.
    PipestatManager.from_config(place.config).report({"m": 1}, "s1")
    first.report({"o": 1}, "s1")
    used = [request.headers["Authorization"] for request, _ in place.proxy.log]
    assert len(used) == 4
    assert all("AKIDNEW" in one for one in used)


def test_a_list_without_a_token_is_continued(place: Place, manager: Managers) -> None:
    url = place.url.replace("results.yaml", "{record_identifier}.yaml")
    psm = manager(results_file_path=url)
    for name in ("a", "b", "c"):
        psm.report({"n": 1}, name)
    asked: list[str] = []

    def page(*names: str, more: bool) -> Fault:
        items = "".join(
            f"<Contents><Key>run/{name}.yaml</Key><Size>1</Size></Contents>" for name in names
        )
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        body = f"<ListBucketResult>{truncated}{items}</ListBucketResult>".encode()

        def answer(request: Request, _: Forward) -> Reply:
            asked.append(request.path)
            return Reply(200, {}, body)

        return answer

    place.proxy.faults += [("GET", page("a", "b", more=True)), ("GET", page("c", more=False))]
    assert psm.count_records() == 3
    assert "start-after=run%2Fb.yaml" in asked[1]
    # One that does not go on is no list.
    place.proxy.faults += [("GET", page("a", "b", more=True))] * 2
    with pytest.raises(PipestatDataError, match="does not continue it"):
        psm.count_records()
    place.proxy.faults += [("GET", page(more=True))]
    with pytest.raises(PipestatDataError, match="does not continue it"):
        psm.count_records()
