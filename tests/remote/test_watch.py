"""Following objects: what has not changed is not fetched again."""

from __future__ import annotations

from typing import Any

import pytest

from pipestat_spec.watching import Watcher
from tests.remote.conftest import Managers, Place


@pytest.mark.parametrize("name", ["results.yaml", "{record_identifier}.yaml"])
def test_only_new_versions_are_fetched(place: Place, manager: Managers, name: str) -> None:
    url = f"s3://{place.bucket.name}/run/{name}"
    psm = manager(results_file_path=url)
    writer = manager(results_file_path=url)
    writer.report({"n": 1}, "s1")
    watcher = Watcher(psm.store, "sample")

    def look() -> Any:
        return [(e.event, e.record_identifier, e.value) for e in watcher.look()]

    place.proxy.requests()
    assert [look(), look()] == [[], []]
    asked = [request for request, _ in place.proxy.log]
    assert len(asked) == 2
    assert all("list-type=2" in request.path for request in asked)
    writer.report({"n": 2}, "s1")
    writer.set_status("failed", "s2")
    assert look() == [("result", "s1", 2), ("status", "s2", "failed")]
    writer.remove(record_identifier="s1")
    assert look() == [("record_removed", "s1", None)]
    assert look() == []
