"""Which project, which server, which token; and that a token stays where it belongs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from pipestat_pephub.registry_path import RegistryPath, parse_registry_path

from pipestat_spec import PipestatManager
from pipestat_spec.errors import MissingConfigDataError, PipestatError, PipestatPEPHubError
from pipestat_spec.installing import install_hint
from tests import patience
from tests.environments import clean_environment
from tests.pephub.conftest import EXPIRED, TOKEN, Manager
from tests.pephub.contract_server import ContractServer

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("databio/example", ("databio", "example", "default")),
        ("databio/example:default", ("databio", "example", "default")),
        ("data-bio/my.pep_2:v1.0", ("data-bio", "my.pep_2", "v1.0")),
        ("é/ü:ß", ("é", "ü", "ß")),
        ("a/..b:...", ("a", "..b", "...")),
    ],
)
def test_a_registry_path(text: str, path: tuple[str, str, str]) -> None:
    assert parse_registry_path(text) == RegistryPath(*path)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "example",
            "a/",
            "/b",
            "a/b/c",
            "a/b:",
            "a/b:c:d",
            "a b/c",
            "a/b?tag=x",
            "a/b#c",
            "a/%2e",
        ),
        *("../b", "a/..", "a/.:x", "a/b:..", "pephub::a/b", "https://pephub.databio.org/a/b"),
        *("a/b\n", "a\0/b", ""),
    ],
)
def test_a_malformed_registry_path_is_refused(text: str) -> None:
    with pytest.raises(MissingConfigDataError) as caught:
        parse_registry_path(text)
    assert caught.value.code == "config"
    assert "namespace/project:tag" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_path_alone_is_enough(
    contract: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pipestat.yaml"
    config.write_text("pephub_path: ns/p\n")
    monkeypatch.setenv("PEPHUB_BASE_URL", contract.url + "/")
    monkeypatch.setenv("PEPHUB_TOKEN", TOKEN)
    psm = PipestatManager(config_file=config)
    psm.report({"n": 1}, "s1")
    assert contract.samples("ns/p")["s1"]["n"] == 1
    assert PipestatManager(pephub_path="ns/p:default").retrieve_one("s1", "n") == 1


def urls(contract: ContractServer) -> list[tuple[dict[str, Any], str]]:
    nowhere = "http://127.0.0.1:9"
    return [
        ({"pephub_url": contract.url, "pephub": {"url": nowhere}}, nowhere),
        ({"pephub_url": contract.url + "/api/v1/"}, nowhere),
        ({"pephub": {"url": contract.url}}, nowhere),
        ({}, contract.url),
    ]


@pytest.mark.parametrize("number", range(4))
def test_the_address_comes_from_the_strongest_source(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    config, variable = urls(contract)[number]
    monkeypatch.setenv("PEPHUB_BASE_URL", variable)
    psm = PipestatManager.from_config({"pephub_path": "ns/p", **config})
    assert psm.count_records() == 0
    assert contract.methods() == ["GET"]


def test_the_public_server_is_the_default() -> None:
    psm = PipestatManager.from_config({"pephub_path": "ns/p"})
    assert psm.store.backend.session.url == "https://pephub-api.databio.org"


@pytest.mark.parametrize(
    "config",
    [
        {"pephub_url": "ftp://host"},
        {"pephub_url": "pephub.databio.org"},
        {"pephub_url": "https://user:s3cret@host/"},
        {"pephub_url": "https://host:port/"},
        {"pephub_url": "https://host/?x=1"},
        {"pephub": {"verify": False}},
        {"pephub": {"verify": True}},
        {"pephub": {"verify": "nowhere.pem"}},
        {"pephub": {"timeout": 0}},
        {"pephub": {"retries": -1}},
        {"pephub": {"tokn": "s3cret"}},
        {"pephub": {"token": "s3cret s3cret"}},
        {"pephub": {"token": "s3cret\nX-Header: y"}},
        {"pephub": {"token": ["s3cret"]}},
    ],
    ids=lambda config: str(config).replace("s3cret", "x"),
)
def test_a_wrong_setting_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(MissingConfigDataError) as caught:
        PipestatManager.from_config({"pephub_path": "ns/p", **config})
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_token_comes_from_the_strongest_source(
    contract: ContractServer, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sent(token: str | None) -> str:
        psm = manager(token=token)
        psm.count_records()
        return contract.log[-1].headers.get("Authorization", "")

    assert sent(None) == ""
    file = Path(os.environ["HOME"]) / ".pephubclient" / "jwt.txt"
    file.parent.mkdir(exist_ok=True)
    try:
        file.write_text("from-file\n")
        assert sent(None) == "Bearer from-file"
        monkeypatch.setenv("PEPHUB_TOKEN", "from-environment")
        assert sent(None) == "Bearer from-environment"
        assert sent("from-options") == "Bearer from-options"
        monkeypatch.delenv("PEPHUB_TOKEN")
        file.write_text("")
        assert sent(None) == ""
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(MissingConfigDataError, match=r"jwt\.txt cannot be read"):
            sent(None)
    finally:
        file.unlink()


def test_passwords_of_netrc_are_not_used(
    contract: ContractServer, manager: Manager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for token in (None, TOKEN):
        manager(token=token).count_records()
        expected = None if token is None else f"Bearer {token}"
        assert contract.log[-1].headers.get("Authorization") == expected


def test_the_proxy_of_the_environment_is_used(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(PipestatPEPHubError, match="the proxy cannot be reached"):
        manager(retries=0).count_records()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert manager(retries=0).count_records() == 0


def test_a_token_is_never_shown(
    contract: ContractServer, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    secret = EXPIRED
    with caplog.at_level(logging.DEBUG):
        psm = manager(token=secret)
        with pytest.raises(PipestatPEPHubError) as caught:
            psm.report({"n": 1}, "s1")
    backend = psm.store.backend
    shown = [
        str(caught.value), repr(caught.value), repr(caught.value.data), caplog.text,
        "".join(traceback.format_exception(caught.value)),
        repr(backend), repr(vars(backend)), repr(vars(backend.session)),
        repr(backend.session._auth),
        repr(psm.store.settings), repr(psm),
    ]  # fmt: skip
    assert not [text for text in shown if secret in text]
    assert contract.log[-1].headers["Authorization"] == f"Bearer {secret}"


def test_the_command_line_shows_no_token(contract: ContractServer, tmp_path: Path) -> None:
    config = tmp_path / "pipestat.yaml"
    config.write_text(
        f"pephub_path: ns/p\npephub_url: {contract.url}\npephub: {{token: {EXPIRED}}}\n"
    )
    for command in (
        ["inspect", "-c", str(config), "--format", "json"],
        ["report", "-c", str(config), "-r", "s1", "n=1"],
        ["report", "--debug", "-c", str(config), "-r", "s1", "n=1"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pipestat_spec", *command],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )
        assert EXPIRED not in done.stdout + done.stderr
        # A public project is read without a token.
        assert done.returncode == int("report" in command)
        if command[:2] == ["report", "-c"]:
            assert done.stderr.startswith("error: ns/p:default:")
            assert "the token has expired; log in" in done.stderr
            assert done.stderr.count("\n") == 1


def test_certificates_are_verified(tmp_path: Path) -> None:
    with ContractServer(tokens={TOKEN: {"ns"}}, certificate=DATA / "server.pem") as server:
        server.add_project("ns/p")
        config: dict[str, Any] = {
            "pephub_path": "ns/p",
            "pephub": {"url": server.url, "token": TOKEN},
        }
        with pytest.raises(PipestatPEPHubError, match="its certificate cannot be verified; give"):
            PipestatManager.from_config(config).report({"n": 1}, "s1")
        assert server.log == []
        config["pephub"]["verify"] = str(DATA / "certificate.pem")
        PipestatManager.from_config(config).report({"n": 1}, "s1")
        assert server.samples("ns/p")["s1"]["n"] == 1


def test_a_file_of_certificates_is_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes((DATA / "certificate.pem").read_bytes())
    with ContractServer(certificate=DATA / "server.pem") as server:
        server.add_project("ns/p")
        config = tmp_path / "pipestat.yaml"
        config.write_text(
            f"pephub_path: ns/p\npephub_url: {server.url}\npephub: {{verify: ca.pem}}\n"
        )
        assert PipestatManager(config_file=config).count_records() == 0


def test_without_the_package_requests_it_says_what_to_install(contract: ContractServer) -> None:
    script = (
        "import sys; sys.modules['requests'] = None\n"
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'requests' else find(name)\n"
        "from pipestat_spec import PipestatManager\n"
        "PipestatManager.from_config({'pephub_path': 'ns/p'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert install_hint("pipestat-spec[pephub]") in done.stderr.splitlines()[-1]


def test_what_the_store_does_not_offer_is_refused(manager: Manager) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    for operation in (
        lambda: psm.retrieve_history("s1"),
        lambda: psm.list_recent_results(),
        lambda: psm.report({"n": 1}, "p1", level="project"),
    ):
        with pytest.raises(PipestatError) as caught:
            operation()
        assert caught.value.code == "unsupported"
