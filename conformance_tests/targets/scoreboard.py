"""Runs the suite on every implementation there is and writes docs/scoreboard.md.

    python conformance_tests/targets/scoreboard.py [--only NAME ...] [--write-only]

On two cores that other work shared, memory took 160 seconds, YAML 615 (`records`) and 263
(`levels`), LMDB 153, Go 290; plan an hour and more for all. Each run says in the end how long it
took. The reports stay in `build/scoreboard`; with `--only` the others are
taken from there, with `--write-only` all of them.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import known_failures  # noqa: E402
from pipestat_conformance.verdicts import EXECUTED  # noqa: E402

from tests.conformance.clients import javascript_client, r_client  # noqa: E402
from tests.environments import (  # noqa: E402
    environments_folder,
    go_command,
    install_command,
    reference_environment,
)
from tests.sql.servers import PostgresServer, wheel_programs  # noqa: E402

# ruff: noqa: T201

DOCUMENT = REPOSITORY / "docs" / "scoreboard.md"
REPORTS = REPOSITORY / "build" / "scoreboard"
# Stands for the address of the server that is started for the run.
POSTGRESQL = "{postgresql}"
HARNESS = Path(__file__).with_name("reference_harness.py")
# Longer than the harness waits for pipestat.
_PATIENT = ["--timeout", "300"]
EMITTER_HARNESS = REPOSITORY / "tests" / "emitter" / "conformance_harness.py"
PROFILES = (
    *("emitter", "reader", "core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers", "yaml-layout", "sql-layout"),
)
# What a store that only differs in its layout is judged on.
_LEVELS = [name for name in PROFILES if name != "reader" and not name.endswith("-layout")]


@dataclass(frozen=True)
class Target:
    """One column: a title, and how the suite is run on it (`python` None: with this one)."""

    name: str
    title: str
    arguments: Sequence[str]
    python: Path | None = None


def targets() -> Iterator[Target]:
    """Yield the targets; what they need is made first."""
    yield Target("memory", "memory", ["--backend", "memory"])
    yield Target("yaml-records", "YAML, `records`", ["--backend", "yaml"])
    levels = json.dumps({"path": "{tmp}/results.yaml", "layout": "levels"})
    profiles = [word for name in _LEVELS for word in ("--profile", name)]
    yield Target(
        "yaml-levels", "YAML, `levels`", ["--backend", "yaml", "--store", levels, *profiles]
    )
    yield Target("sqlite", "SQLite", ["--backend", "sql"])
    yield Target(
        "postgresql",
        "PostgreSQL",
        ["--backend", "sql", "--store", json.dumps({"url": POSTGRESQL, "schema": "{unique}"})],
    )
    yield Target(
        "lmdb",
        "LMDB example",
        ["--backend", "lmdb", "--store", '{"path": "{tmp}/lmdb"}'],
        environments_folder() / "third-party" / "bin" / "python",
    )
    yield Target("go", "Go example", ["--exec", str(REPORTS / "pipestat-go")])
    clients = REPORTS / "clients"
    shutil.rmtree(clients, ignore_errors=True)
    yield Target("r", "R client", ["--exec", r_client(clients).command])
    yield Target("javascript", "JavaScript client", ["--exec", javascript_client(clients).command])
    emitter = shlex.join([sys.executable, str(EMITTER_HARNESS)])
    yield Target("emitter", "`pipestat-emit`", ["--exec", emitter])
    yield Target(
        "reference", "pipestat 0.13.1", ["--exec", reference_command(), "--quick", *_PATIENT]
    )
    claim = ["--claim", "concurrent-writers"]
    trials = [word for n in (2, 8) for word in ("--vector", f"trial.writers.*.n{n}")]
    yield Target(
        "reference-trials",
        "pipestat 0.13.1",
        ["--exec", reference_command(*claim), *trials, *_PATIENT],
    )


def reference_command(*arguments: str) -> str:
    """Return the command of the harness; hashes, and so the order of sets, stay the same."""
    python = reference_environment("reference-bare").python
    return shlex.join(["env", "PYTHONHASHSEED=0", str(python), str(HARNESS), *arguments])


def prepare(target: Target) -> None:
    """Make what a target is run with."""
    if target.name == "go":
        source = REPOSITORY / "examples" / "other_language"
        build = [str(go_command()), "build", "-o", target.arguments[1], "."]
        subprocess.run(build, cwd=source, check=True)
    elif target.python is not None and not target.python.exists():
        folder = target.python.parents[1]
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        example = REPOSITORY / "examples" / "third_party_backend"
        projects = (REPOSITORY, REPOSITORY / "conformance_tests", example)
        editable = [text for project in projects for text in ("--editable", str(project))]
        subprocess.run(install_command(target.python, "development", *editable), check=True)


def run(target: Target) -> None:
    """Run the suite on a target and leave its report."""
    prepare(target)
    python = str(target.python or sys.executable)
    with database_server(target) as url:
        arguments = [argument.replace(POSTGRESQL, url) for argument in target.arguments]
        command = [python, "-m", "pipestat_conformance", "run", *arguments]
        done = subprocess.run([*command, "--report", str(REPORTS / target.name)], cwd=REPOSITORY)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{target.name}: no verdict")


@contextmanager
def database_server(target: Target) -> Iterator[str]:
    """Give the URL of an empty database, on a server that ends with the run."""
    if target.name != "postgresql":
        yield ""
        return
    server = PostgresServer(wheel_programs())
    try:
        yield server.url(server.new_database())
    finally:
        server.stop()


def load(name: str) -> dict[str, Any]:
    """Return the report of a target."""
    report: dict[str, Any] = json.loads((REPORTS / name / "report.json").read_text("utf-8"))
    return report


# The document


def document(columns: Mapping[str, Mapping[str, Any]], trials: Mapping[str, Any]) -> str:
    """Return the text, from the reports by title and that of the reference's trials."""
    first = next(iter(columns.values()))
    digests = {report["vectors"]["digest"] for report in (*columns.values(), trials)}
    if len(digests) > 1:
        raise SystemExit("the reports are about different sets of vectors; run all of them")
    return "".join(
        (
            "# Scoreboard\n\n",
            f"{first['vectors']['count']} vectors for pipestat-spec {first['spec']} "
            f"(`{first['vectors']['digest'][:12]}`), and the trials with processes.\n"
            "`python conformance_tests/targets/scoreboard.py` writes this page.\n\n",
            "A cell says how many of the vectors and trials passed, of those that were run. "
            "✓ means conformance:\nall of them passed. In an empty cell the profile is not "
            "claimed.\n\n",
            *table(columns, profile_cell, trials),
            "\nThe next table counts rules of the [specification](../spec/README.md). "
            "A rule counts as obeyed when\nevery vector that tests it passes.\n\n",
            *table(columns, rule_cell, trials),
            "\n",
            about_the_reference(),
            trial_text(trials),
            "## Why pipestat 0.13.1 fails\n\n",
            *reference_section(known_failures.listed()),
        )
    )


def table(columns: Mapping[str, Any], cell: Any, trials: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of profiles by target."""
    yield f"| Profile | {' | '.join(columns)} |\n|---{'|---:' * len(columns)}|\n"
    for profile in PROFILES:
        cells = [
            # Its writers are tried in a run of their own.
            cell(trials if (report["target"]["name"], profile) == _TRIED else report, profile)
            for report in columns.values()
        ]
        if any(cells):
            yield f"| {profile} | {' | '.join(cells)} |\n"


_TRIED = ("pipestat", "concurrent-writers")


def profile_cell(report: Mapping[str, Any], profile: str) -> str:
    """Return how many vectors of a profile pass."""
    found = report["profiles"].get(profile, {})
    counts = found.get("counts", {})
    total = sum(counts.get(verdict, 0) for verdict in EXECUTED)
    if not total:
        return ""
    if found["outcome"] == "conformant":
        return f"✓ {total}"
    return f"{counts.get('pass', 0)} of {total}"


def rule_cell(report: Mapping[str, Any], profile: str) -> str:
    """Return how many rules of a profile are obeyed; a rule may belong to several profiles."""
    if report["profiles"].get(profile, {}).get("outcome", "not-run") == "not-run":
        return ""
    verdicts = [
        rule["verdict"]
        for rule in report["requirements"]
        if profile in rule["profiles"] and rule["verdict"] in EXECUTED
    ]
    if not verdicts:
        return ""
    good = verdicts.count("pass")
    return f"✓ {good}" if good == len(verdicts) else f"{good} of {len(verdicts)}"


def about_the_reference() -> str:
    """Return what the figures of the reference mean."""
    return """\
## About pipestat 0.13.1

The existing Python package was not written for this specification, and claims nothing. It is here
because it has many files and users, and because readers want to know the differences in detail. The
[harness](../conformance_tests/targets/reference_harness.py) is small. It helps pipestat if it can:

- It opens the store again for every operation, so it reads nothing stale.
- It adds the `pipeline_name` and the descriptions that pipestat requires to a schema.
- It returns times in the specified form.
- When pipestat returns False, it counts this as the right error.

A profile counts as claimed when the documentation of pipestat describes it. Many vectors fail for a
reason that is not their subject: they use a schema or a file in the published form, which pipestat
does not read. Conversions of values are optional and are not counted.

"""


def trial_text(trials: Mapping[str, Any]) -> str:
    """Return what the trials with several writers found."""
    lines = [
        f"| {failure['id'].removeprefix('trial.writers.')} | {failure['message']} |\n"
        for failure in trials["failures"]
    ]
    return (
        "These trials failed with two and with eight writers at once (`.n2`, `.n8`). The figures "
        "differ from\nrun to run.\n\n| Trial | Outcome |\n|---|---|\n" + "".join(lines) + "\n"
    )


def reference_section(found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the table of reasons, the most frequent first."""
    yield "| Vectors | Reason |\n|---:|---|\n"
    for reason, ids in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"| {len(ids)} | {reason} |\n"
    yield (
        "\n[The file of known failures]"
        "(../conformance_tests/targets/pipestat-0.13.1.known-failures.yaml) lists each of them. "
        "The tests\ncheck that exactly these vectors fail.\n"
    )


def main() -> int:
    """Run what was asked for and write the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="run this target")
    parser.add_argument("--write-only", action="store_true", help="run nothing")
    parsed = parser.parse_args()
    REPORTS.mkdir(parents=True, exist_ok=True)
    found = list(targets())
    for target in found:
        if not parsed.write_only and (parsed.only is None or target.name in parsed.only):
            print(f"== {target.name}", flush=True)
            run(target)
    *columns, trials = ((target.title, load(target.name)) for target in found)
    DOCUMENT.write_text(document(dict(columns), trials[1]), "utf-8")
    print(DOCUMENT.relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main())
