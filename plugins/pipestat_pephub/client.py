"""The few endpoints of PEPhub's API that a store needs."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import quote

from pipestat_pephub.faults import missing_project, refused
from pipestat_pephub.registry_path import RegistryPath
from pipestat_pephub.samples import SAMPLE_NAME, Sample
from pipestat_pephub.session import Answer, Session
from pipestat_spec.errors import InvalidIdentifierError, PipestatPEPHubError
from pipestat_spec.text.strings import shorten

__all__ = ["REFUSED_IDENTIFIERS", "Client", "Project", "Written"]

# A server splits a path at slashes, encoded ones too, and anything between may resolve dots:
# a request about the sample `..` would be one about the project.
REFUSED_IDENTIFIERS = r"/|^\.\.?$"
_NO_SAMPLE = re.compile(r"sample\b.*not found", re.IGNORECASE | re.DOTALL)


class Written(Enum):
    """What came of a write."""

    DONE = "stored"
    EXISTS = "there is such a sample already"
    ABSENT = "there is no such sample, or it may not be written"
    REFUSED = "the server could not do it"


class Project(NamedTuple):
    """All samples by name, and the attribute that holds their names.

    `doubled` are names that several samples have, `nameless` the numbers of rows without one.
    """

    samples: dict[str, Sample]
    name_attribute: str
    doubled: frozenset[str]
    nameless: tuple[int, ...]


class Client:
    """Speaks of one project with one server."""

    def __init__(self, session: Session, registry_path: RegistryPath) -> None:
        self.session = session
        self.name = str(registry_path)
        self._path = (
            f"/api/v1/projects/{quote(registry_path.namespace, safe='')}"
            f"/{quote(registry_path.project, safe='')}"
        )
        self._parameters = {"tag": registry_path.tag}
        self.refusal = ""

    def project(self) -> Project:
        """Return the project with every sample: one request, exact values."""
        answer = self.session.get(self._path, self._parameters)
        if answer.status == 404:
            raise missing_project(self.name, self.session.token)
        document = self._document(answer, "reading the project")
        try:
            index = (document["config"] or {}).get("sample_table_index") or SAMPLE_NAME
            # Newer servers call it `samples`.
            listed = document["sample_list" if "sample_list" in document else "samples"] or ()
            names = [sample.get(index) for sample in listed]
        except (TypeError, KeyError, AttributeError):
            raise self._strange("a project") from None
        nameless = tuple(n for n, name in enumerate(names, 1) if name is None or name == "")
        if names and len(nameless) == len(names):
            raise self._strange("a project")
        samples: dict[str, Sample] = {}
        doubled = set()
        for name, sample in zip(map(str, names), listed, strict=True):
            if sample.get(index) not in (None, ""):
                if name in samples:
                    doubled.add(name)
                samples.setdefault(name, sample)
        return Project(samples, index, frozenset(doubled), nameless)

    def sample(self, name: str) -> Sample | None:
        """Return one sample, or None where there is none."""
        answer = self.session.get(self._sample(name), self._parameters)
        if answer.status == 404:
            if not _NO_SAMPLE.match(answer.detail):
                # The reason is no part of the interface; the project's own answer decides.
                self.project()
            return None
        document = self._document(answer, f"reading the sample {shorten(name, 40)!r}")
        if not isinstance(document, dict):
            raise self._strange("a sample")
        return document

    def add(self, name: str, sample: Sample, *, overwrite: bool = False) -> Written:
        """Store a whole sample; raises UnknownOutcome and PipestatPEPHubError, as the others do."""
        parameters = {**self._parameters, **({"overwrite": "true"} if overwrite else {})}
        answer = self.session.send("POST", self._sample(name), parameters, dict(sample))
        if answer.status == 409:
            return Written.EXISTS
        return self._written(answer, name)

    def patch(self, name: str, attributes: Sample) -> Written:
        """Add or replace attributes of a sample; the server does not remove any."""
        answer = self.session.send("PATCH", self._sample(name), self._parameters, dict(attributes))
        return self._written(answer, name)

    def delete(self, name: str) -> Written:
        """Remove a sample."""
        return self._written(
            self.session.send("DELETE", self._sample(name), self._parameters), name
        )

    def refused_write(self, name: str, status: int = 403, detail: str = "") -> PipestatPEPHubError:
        """Return the error for a write that is not permitted."""
        return refused(
            status,
            detail,
            project=self.name,
            what=f"writing the sample {shorten(name, 40)!r}",
            token=self.session.token,
        )

    def _written(self, answer: Answer, name: str) -> Written:
        if 200 <= answer.status < 300:
            return Written.DONE
        if answer.status == 404:
            return Written.ABSENT
        if answer.status == 400:
            self.refusal = answer.detail
            return Written.REFUSED
        raise self.refused_write(name, answer.status, answer.detail)

    def check(self, name: str) -> None:
        """Raise InvalidIdentifierError for a name that no address can hold."""
        if re.search(REFUSED_IDENTIFIERS, name):
            raise InvalidIdentifierError(
                f"record identifier {shorten(name)!r} cannot stand in an address of PEPhub",
                hint="choose one without '/' that is not '.' or '..'",
                identifier=name,
            )

    def _sample(self, name: str) -> str:
        self.check(name)
        return f"{self._path}/samples/{quote(name, safe='')}"

    def _document(self, answer: Answer, what: str) -> Any:
        if answer.status == 200:
            return self.session.read(answer)
        raise refused(
            answer.status,
            answer.detail,
            project=self.name,
            what=what,
            token=self.session.token,
        )

    def _strange(self, what: str) -> PipestatPEPHubError:
        return PipestatPEPHubError(
            f"the server {self.session.url} answers with something that is not {what}",
            hint="is this the address of PEPhub's API? see pephub_url, PEPHUB_BASE_URL",
            url=self.session.url,
        )
