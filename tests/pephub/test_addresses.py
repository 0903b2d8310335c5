"""Projects by their address, `pephub:namespace/project:tag`; one that is not there is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from tests.cli.test_missing_stores import ALL, reading
from tests.pephub.conftest import TOKEN
from tests.pephub.contract_server import ContractServer


@pytest.fixture
def served(contract: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server's project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEPHUB_BASE_URL", contract.url)
    monkeypatch.setenv("PEPHUB_TOKEN", TOKEN)
    return "pephub:ns/p:default"


def test_a_project_by_its_address(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    with PipestatManager(results_file_path=served, pipeline_name="rnaseq") as psm:
        psm.report({"reads": 1}, "s1")
        assert psm.file is None
    assert main(["retrieve", "-f", served, "-r", "s1", "-i", "reads"]) == 0
    assert capsys.readouterr().out == "1\n"
    assert main(["convert", served, "copy.yaml"]) == 0
    assert main(["convert", "copy.yaml", served, "-q"]) == 0
    assert main(["infer-schema", "-f", served]) == 0
    assert "reads" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [c for c in ALL if c[0] not in ("history", "validate")], ids=" ".join
)
def test_a_project_that_is_not_there(
    served: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(reading(command, "pephub:ns/none")) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "ns/none:default" in err
