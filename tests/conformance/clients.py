"""The clients in R and JavaScript among the examples, made ready to run."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.commands import copy_beside_libraries, run_among
from tests.environments import MissingPart
from tests.repository import REPOSITORY

LANGUAGES = REPOSITORY / "examples" / "other_language"
JAVASCRIPT, R = LANGUAGES / "javascript", LANGUAGES / "r"
R_PACKAGES = ("jsonlite", "knitr", "testthat", "yaml")
R_INSTALL = f"apt-get install r-base-core {' '.join(f'r-cran-{name}' for name in R_PACKAGES)}"


@dataclass(frozen=True)
class Client:
    """A client in a folder of its own: a copy of its sources, and what it is run with."""

    folder: Path
    harness: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command of its harness, which may be run in any folder."""
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        return shlex.join(["env", *variables, *self.harness])

    def run(self, *command: str) -> str:
        """Run a command among the sources; a failure shows what it printed."""
        return run_among(self.folder, *command, **self.variables)


def javascript_client(folder: Path) -> Client:
    """Return the client in JavaScript beside its libraries; raises MissingPart."""
    work = copy_beside_libraries(JAVASCRIPT, folder / "javascript", "javascript-client")
    return Client(work, ("node", str(work / "harness.js")))


def r_client(folder: Path) -> Client:
    """Return the client in R, installed into a library of its own; raises MissingPart."""
    if shutil.which("Rscript") is None:
        raise MissingPart("the command 'Rscript' is not installed")
    work, library = folder / "r", folder / "library"
    client = Client(work, ("Rscript", str(work / "harness.R")), {"R_LIBS": str(library)})
    if not work.exists():
        shutil.copytree(R, work)
        library.mkdir()
        try:
            client.run("Rscript", "-e", "".join(f"loadNamespace('{name}');" for name in R_PACKAGES))
        except AssertionError as error:
            raise MissingPart(f"R: {str(error).strip().splitlines()[0]}") from None
        client.run("R", "CMD", "INSTALL", f"--library={library}", str(work))
    return client
