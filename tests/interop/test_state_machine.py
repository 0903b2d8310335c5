"""Random operations on the memory and the YAML backend, side by side with a dictionary."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.record import RecordKey
from tests.interop.dictionary_model import Model, frozen
from tests.interop.yaml_traps import STRINGS

# Few names, so that operations meet.
RESULTS = ["reads", "a: b"]
SAMPLES = ["s1", "s1_x", "../é"]
PROJECTS = ["cohort"]
STATUSES = ["running", "completed", "failed", "waiting", "partial"]

texts = st.sampled_from(STRINGS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
# Values that are easily taken for one another, so that changes from one to the other occur.
twins: st.SearchStrategy[Any] = st.sampled_from(
    [0, 0.0, -0.0, False, None, "", [], {}, 1, 1.0, True, "1", [1], [True]]
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
values = st.integers(0, 2).flatmap(lambda one: [twins, scalars, nested][one])
reports = st.dictionaries(st.sampled_from(RESULTS), values, max_size=3)
samples = st.sampled_from(SAMPLES)
keys = st.tuples(st.just("sample"), samples) | st.tuples(
    st.just("project"), st.sampled_from(PROJECTS)
)


def read(file: Path) -> Any:
    """Read a file with another parser, the fast one: test_yaml_parsers.py has more of them."""
    return yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


class Backends(RuleBasedStateMachine):
    """Every store gets the same operations; after each all of them are as the model says."""

    def __init__(self) -> None:
        super().__init__()
        logging.getLogger("pipestat_spec").setLevel(logging.ERROR)
        self.folder = Path(tempfile.mkdtemp(prefix="pipestat-spec-"))
        self.model = Model()
        self.times: dict[tuple[str, str, str], tuple[Any, Any, int]] = {}
        self.memory = PipestatManager(backend="memory", pipeline_name="p")
        self.yaml: dict[str, PipestatManager] = {}

    @initialize()
    def open(self) -> None:
        self.reopen()

    def teardown(self) -> None:
        shutil.rmtree(self.folder)
        logging.getLogger("pipestat_spec").setLevel(logging.NOTSET)

    def stores(self, level: str) -> list[tuple[str, PipestatManager]]:
        """Return the stores that have the level, by name."""
        yaml_stores = self.yaml.items() if level == "sample" else [("levels", self.yaml["levels"])]
        return [("memory", self.memory), *yaml_stores]

    def file(self, layout: str) -> Path:
        return self.folder / layout / "results.yaml"

    @rule(key=keys, values=reports, history=st.booleans())
    def report(self, key: tuple[str, str], values: dict[str, Any], history: bool) -> None:
        for _, psm in self.stores(key[0]):
            answer = psm.report(values, key[1], level=key[0], history_enabled=history)
            assert isinstance(answer, list)
            assert len(answer) == len(values)
        self.model.report(key, values, history=history)

    @rule(key=keys, values=reports)
    def report_without_overwriting(self, key: tuple[str, str], values: dict[str, Any]) -> None:
        conflict = self.model.would_conflict(key, values)
        for _, psm in self.stores(key[0]):
            answer = psm.report(values, key[1], level=key[0], force_overwrite=False)
            assert (answer is False) is conflict
        if not conflict:
            self.model.report(key, values, history=True)

    @rule(values=st.dictionaries(samples, reports, max_size=4))
    def report_many(self, values: dict[str, dict[str, Any]]) -> None:
        for _, psm in self.stores("sample"):
            psm.report_many(values)
        for name, results in values.items():
            self.model.report(("sample", name), results, history=True)

    @rule(key=keys, values=reports, bad=st.sampled_from([float("nan"), 2**63, "\0", {1: 2}, b"x"]))
    def refused_report(self, key: tuple[str, str], values: dict[str, Any], bad: Any) -> None:
        for _, psm in self.stores(key[0]):
            with pytest.raises(PipestatError):
                psm.report({**values, "bad": bad}, key[1], level=key[0])

    @rule(key=keys, result=st.sampled_from(RESULTS))
    def remove_result(self, key: tuple[str, str], result: str) -> None:
        removed = self.model.remove_result(key, result)
        for _, psm in self.stores(key[0]):
            assert psm.remove(key[1], result, level=key[0]) is removed

    @rule(key=keys)
    def remove_record(self, key: tuple[str, str]) -> None:
        removed = self.model.remove_record(key)
        for name, psm in self.stores(key[0]):
            assert psm.remove(key[1], level=key[0]) is removed
            self.times.pop((name, *key), None)

    @rule(key=keys, status=st.sampled_from(STATUSES), message=st.none() | texts)
    def set_status(self, key: tuple[str, str], status: str, message: str | None) -> None:
        for _, psm in self.stores(key[0]):
            psm.set_status(status, key[1], level=key[0], message=message)
        self.model.set_status(key, status, message)

    @rule(key=keys)
    def clear_status(self, key: tuple[str, str]) -> None:
        removed = self.model.clear_status(key)
        for _, psm in self.stores(key[0]):
            assert psm.clear_status(key[1], level=key[0]) == removed

    @rule()
    def reopen(self) -> None:
        for layout in ("records", "levels"):
            if layout in self.yaml:
                self.yaml[layout].close()
            self.yaml[layout] = PipestatManager(
                results_file_path=self.file(layout), pipeline_name="p", layout=layout
            )

    @rule(width=st.sampled_from([40, 80, 4000]), flow=st.sampled_from([None, True, False]))
    def another_program_rewrites_the_files(self, width: int, flow: bool | None) -> None:
        for layout in ("records", "levels"):
            if self.file(layout).exists():
                document = read(self.file(layout))
                text = yaml.dump(
                    document, Dumper=yaml.CSafeDumper, width=width, default_flow_style=flow
                )
                self.file(layout).write_text(text)

    @rule(limit=st.integers(1, 5), result=st.sampled_from(RESULTS))
    def page_through(self, limit: int, result: str) -> None:
        for _, psm in self.stores("sample"):
            for where, wanted in (
                (None, self.model.names("sample")),
                (f'"{result}" is not null', self.with_value(result)),
            ):
                met: list[str] = []
                cursor = None
                while True:
                    page = psm.select_records(limit=limit, cursor=cursor, where=where)
                    assert page["total_size"] == len(wanted)
                    met += [record["record_identifier"] for record in page["records"]]
                    cursor = page["next_page_token"]
                    if cursor is None:
                        break
                assert met == wanted

    def with_value(self, result: str) -> list[str]:
        return sorted(
            name
            for (level, name), record in self.model.records.items()
            if level == "sample" and record.results.get(result) is not None
        )

    @invariant()
    def every_store_is_as_the_model_says(self) -> None:
        for level in ("sample", "project"):
            if not self.yaml:
                continue
            for name, psm in self.stores(level):
                assert [r["record_identifier"] for r in psm.iter_records(level=level)] == (
                    self.model.names(level)
                )
                assert psm.count_records(level) == len(self.model.names(level))
                for identifier in self.model.names(level):
                    self.compare(name, psm, (level, identifier))

    def compare(self, name: str, psm: PipestatManager, key: tuple[str, str]) -> None:
        wanted = self.model.records[key]
        found = psm.store.get(RecordKey(*key))  # type: ignore[arg-type]
        assert frozen(dict(found.results)) == frozen(wanted.results)
        assert (found.status, found.status_message) == (wanted.status, wanted.message)
        history = psm.store.history(found.key)
        # Results replaced by one change share its time, so their order among themselves is open.
        for result in RESULTS:
            assert [frozen(entry.value) for entry in history if entry.result == result] == [
                frozen(value) for replaced, value in wanted.history if replaced == result
            ]
        assert len(history) == len(wanted.history)
        times = [entry.time for entry in history]
        assert times == sorted(times)
        assert found.created is not None
        assert found.modified is not None
        assert found.created <= found.modified
        created, modified, changes = self.times.get((name, *key), (found.created, None, -1))
        assert found.created == created
        if changes == wanted.changes:
            assert found.modified == modified
        elif modified is not None:
            assert found.modified > modified
        self.times[name, *key] = (found.created, found.modified, wanted.changes)

    @invariant()
    def other_parsers_read_the_same(self) -> None:
        for layout in self.yaml:
            if self.file(layout).exists():
                inside = read(self.file(layout))["p"]
                by_level = inside if layout == "levels" else {"sample": inside}
                for level, records in by_level.items():
                    assert sorted(records) == self.model.names(level)
                    for name, record in records.items():
                        record.pop("meta", None)
                        assert frozen(record) == frozen(self.model.records[level, name].results)

    @invariant()
    def nothing_else_is_in_the_folder(self) -> None:
        for layout in self.yaml:
            if self.file(layout).parent.exists():
                names = {path.name for path in self.file(layout).parent.iterdir()}
                flags = {name for name in names if name.endswith(".flag")}
                assert names - flags <= {
                    "results.yaml", ".results.yaml.lock", ".results.yaml.status"
                }  # fmt: skip
                levels = ("sample", "project") if layout == "levels" else ("sample",)
                statuses = [
                    r.status for (level, _), r in self.model.records.items() if level in levels
                ]
                assert len(flags) == sum(status is not None for status in statuses)


TestBackends = Backends.TestCase
# The same examples at every run, unless the full number is asked for.
_FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
TestBackends.settings = settings(
    max_examples=600 if _FULL else 40,
    stateful_step_count=40,
    deadline=None,
    derandomize=not _FULL,
    database=None,
    # Shrinking takes minutes; a failure of the usual run is the same at the next one.
    phases=tuple(Phase) if _FULL else (Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
