"""Servers, projects on them, and managers; the same tests run on every server that there is.

With PIPESTAT_TEST_PEPHUB_URL, PIPESTAT_TEST_PEPHUB_TOKEN and PIPESTAT_TEST_PEPHUB_PROJECT
(`namespace/project:tag`, which the token may write, with at least one sample) this is a real
PEPhub as well. Its samples are called `pipestat-test-...` and removed afterwards.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from pipestat_spec import PipestatManager
from tests import patience
from tests.pephub.contract_server import ContractServer

# The fixture `isolated` hides the variables from the tests.
REAL = {
    name: os.environ.get(f"PIPESTAT_TEST_PEPHUB_{name}", "") for name in ("URL", "TOKEN", "PROJECT")
}
SERVERS = ["contract", *(["real"] if all(REAL.values()) else [])]
TOKEN = "header.payload-of-ns.signature"
OTHER_TOKEN = "header.payload-of-somebody.signature"
# The payload is {"exp": 1700000000}.
EXPIRED = "header.eyJleHAiOjE3MDAwMDAwMDB9.signature"
SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer}
  rate: {type: number}
  name: {type: string}
  plot: {type: image}
  organism: {type: string}
"""


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PEPHUB_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def contract() -> Iterator[ContractServer]:
    """A contract server with the project `ns/p`."""
    with ContractServer(
        tokens={TOKEN: {"ns", "auto"}, OTHER_TOKEN: {"somebody"}, EXPIRED: {"ns"}},
        expired=[EXPIRED],
        on_demand=["auto"],
    ) as server:
        server.add_project("ns/p")
        yield server


Manager = Callable[..., PipestatManager]


@pytest.fixture
def manager(contract: ContractServer, tmp_path: Path) -> Iterator[Manager]:
    """Open a project of the contract server: `manager("ns/p", schema=..., retries=1, ...)`."""
    opened: list[PipestatManager] = []

    def open_it(
        path: str = "ns/p", *, schema: str | None = None, token: str | None = TOKEN, **options: Any
    ) -> PipestatManager:
        config: dict[str, Any] = {
            "pephub_path": path,
            "pipeline_name": "rnaseq",
            "force_overwrite": options.pop("force_overwrite", False),
            "pephub": {"url": contract.url, "retries": 3, "timeout": patience.SECONDS, **options},
        }
        if token is not None:
            config["pephub"]["token"] = token
        if schema is not None:
            (tmp_path / "schema.yaml").write_text(schema)
            config["schema_path"] = str(tmp_path / "schema.yaml")
        opened.append(PipestatManager.from_config(config))
        contract.methods()
        return opened[-1]

    return open_it


@dataclass(frozen=True)
class Place:
    """A project on some server, and how to look into it without the plugin."""

    url: str
    token: str
    path: str
    prefix: str

    def name(self, name: str) -> str:
        """Return a name of a sample that nobody else uses."""
        return self.prefix + name

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "pephub_path": self.path,
            "pipeline_name": "rnaseq",
            "force_overwrite": False,
            "pephub": {"url": self.url, "token": self.token},
            **more,
        }

    def open(self, **more: Any) -> PipestatManager:
        return PipestatManager.from_config(self.config(**more))

    def records(self, psm: PipestatManager) -> list[str]:
        """Return the records of this test's own that are listed."""
        return [name for name in psm if name.startswith(self.prefix)]

    def samples(self) -> dict[str, dict[str, Any]]:
        """Return what the server holds, asked plainly."""
        project, _, tag = self.path.partition(":")
        answer = requests.get(
            f"{self.url}/api/v1/projects/{project}",
            params={"tag": tag or "default"},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=patience.SECONDS,
        )
        assert answer.status_code == 200, answer.text
        return {
            sample["sample_name"]: sample
            for sample in answer.json()["sample_list"]
            if sample["sample_name"].startswith(self.prefix)
        }

    def add(self, sample: dict[str, Any]) -> None:
        """Store a sample as another program does; its name gets the prefix."""
        named = {**sample, "sample_name": self.name(sample["sample_name"])}
        project, _, tag = self.path.partition(":")
        answer = requests.post(
            f"{self.url}/api/v1/projects/{project}/samples/x",
            params={"tag": tag or "default"},
            headers={"Authorization": f"Bearer {self.token}"},
            json=named,
            timeout=patience.SECONDS,
        )
        assert answer.status_code == 202, answer.text

    def clean(self) -> None:
        project, _, tag = self.path.partition(":")
        for name in self.samples():
            requests.delete(
                f"{self.url}/api/v1/projects/{project}/samples/{requests.utils.quote(name, '')}",
                params={"tag": tag or "default"},
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=patience.SECONDS,
            )


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A project on each of the servers."""
    prefix = f"pipestat-test-{uuid.uuid4().hex[:8]}-"
    if request.param == "real":
        place = Place(REAL["URL"].rstrip("/"), REAL["TOKEN"], REAL["PROJECT"], prefix)
    else:
        server: ContractServer = request.getfixturevalue("contract")
        place = Place(server.url, TOKEN, "ns/p", prefix)
    yield place
    place.clean()
