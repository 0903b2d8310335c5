"""Requests made from the OpenAPI: no answer is a server's fault, or one that is not described."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pipestat_spec import PipestatManager
from tests import patience
from tests.environments import MissingPart, clean_environment, schemathesis_environment
from tests.legs import leave_out
from tests.serve.conftest import Serve
from tests.serve.servers import TOKEN

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
FULL = os.environ.get("PIPESTAT_TRIALS") == "full"


def test_every_answer_is_described(serve: Serve, tmp_path: Path) -> None:
    try:
        program = schemathesis_environment().command("schemathesis")
    except MissingPart as missing:
        leave_out("schemathesis", str(missing), "a package index that pip reaches")
    for place in ("r.yaml", "r.db"):
        with PipestatManager(results_file_path=tmp_path / place, pipeline_name="p") as psm:
            # Short names, which are also made up for requests.
            psm.report_many({f"{i}": {"0": i, "a": [i, {"b": None}]} for i in range(30)})
            psm.set_status("failed", "0")
    server = serve("r.yaml", "r.db")
    done = subprocess.run(
        [
            *(program, "run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json"),
            *("-H", f"Authorization:Bearer {TOKEN}", "--checks", CHECKS, "--warnings", "off"),
            # They never end.
            *("--exclude-path-regex", "/events$"),
            *("--phases", "coverage,fuzzing" if FULL else "fuzzing"),
            *("--max-examples", "100" if FULL else "5"),
        ],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    described = server.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/stores/{store}/records" in described
    assert "/filtered_table_contents/" in described
