"""The client in R, written from spec/: a conformant reader and emitter, with a vignette."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.clients import R_INSTALL, Client, R, r_client
from tests.conformance.suite_runs import run_suite
from tests.environments import MissingPart
from tests.legs import leave_out


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    try:
        return r_client(tmp_path_factory.mktemp("client"))
    except MissingPart as missing:
        leave_out("R", str(missing), R_INSTALL)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_is_conformant_in_all_that_it_claims(client: Client, tmp_path: Path) -> None:
    report = run_suite(tmp_path, "--exec", client.command)
    assert report["outcome"] == "conformant"
    assert set(report["claimed_profiles"]) == {"reader", "emitter"}


def test_its_own_tests_pass(client: Client) -> None:
    how = "package = 'pipestatr', load_package = 'installed'"
    client.run("Rscript", "-e", f"testthat::test_dir('tests/testthat', {how})")


def test_its_vignette_plots(client: Client) -> None:
    client.run("Rscript", "-e", "knitr::knit('vignettes/results.Rmd', quiet = TRUE)")
    assert "patient4" in (client.folder / "results.md").read_text("utf-8")
    plot = client.folder / "figure" / "rates-1.png"
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_its_readme_runs(client: Client) -> None:
    text = (R / "README.md").read_text("utf-8")
    script, printed = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("r", "text"))
    (client.folder / "readme.R").write_text(script, "utf-8")
    assert client.run("Rscript", "readme.R") == printed
