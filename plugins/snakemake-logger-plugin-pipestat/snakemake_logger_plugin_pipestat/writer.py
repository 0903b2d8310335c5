"""A thread that stores what is new, so that a slow store delays neither Snakemake nor others.

All loggers of a run share one thread; waiting for a database there would hold up every one of
them. While a write is under way, what is new gathers, and the next write stores all of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipestat_spec.errors import PipestatError
from pipestat_spec.models.record import RecordKey
from snakemake_logger_plugin_pipestat.board import Standing
from snakemake_logger_plugin_pipestat.records import FoundDocument, Records, Settled
from snakemake_logger_plugin_pipestat.runs import RunFile

__all__ = ["Writer"]

# Seconds after which what could not be stored is tried again, though nothing else is new.
_AGAIN_AFTER = 30.0


class Writer:
    """Stores standings and documents of one run; `warn` is told what did not work."""

    def __init__(self, records: Records, run_file: RunFile, warn: Callable[[str], None]) -> None:
        self._records, self._run_file, self._warn = records, run_file, warn
        self._news = threading.Condition()
        self._standings: dict[RecordKey, Standing] = {}
        self._documents: list[FoundDocument] = []
        self._settled: list[Settled | None] = []
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="pipestat", daemon=True)
        self._thread.start()

    def put(
        self, standings: Mapping[RecordKey, Standing], documents: Sequence[FoundDocument] = ()
    ) -> None:
        """Store these soon: documents first, and of one record the last standing only."""
        with self._news:
            self._standings.update(standings)
            self._documents.extend(documents)
            self._news.notify()

    def mend(self, settled: Settled | None) -> None:
        """Look after the records that killed runs left behind, before anything else."""
        with self._news:
            self._settled.append(settled)
            self._news.notify()

    def close(self) -> bool:
        """Store what is left; return whether all is stored."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()
        return not (self._standings or self._documents)

    def _work(self) -> None:
        first = True
        while True:
            with self._news:
                self._news.wait_for(
                    lambda: self._closing or self._standings or self._documents or self._settled
                )
                closing = self._closing
                standings, self._standings = self._standings, {}
                documents, self._documents = self._documents, []
                settled, self._settled = self._settled, []
            for plan in settled:
                self._attempt(self._mend, plan)
            if first and documents:
                # A new file gets the layout that its first records need, and those are known
                # from the plan; a document speaks of one of them.
                self._attempt(self._records.save, standings)
            first = first and not standings
            stored = not documents or self._attempt(self._ingest, documents)
            saved = not standings or self._attempt(self._records.save, standings)
            with self._news:
                # What could not be stored is tried again with what comes next, after a while,
                # and at the end.
                more = self._closing or self._standings or self._documents or self._settled
                if not stored:
                    self._documents = documents + self._documents
                if not saved:
                    self._standings = {**standings, **self._standings}
                if closing:
                    return
                if not ((stored and saved) or more):
                    self._news.wait(_AGAIN_AFTER)

    def _attempt(self, action: Callable[[Any], None], subject: Any) -> bool:
        try:
            action(subject)
        except PipestatError as error:
            self._warn(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - the thread has to live
            self._warn(f"{type(error).__name__}: {error}")
            return False
        return True

    def _ingest(self, documents: Sequence[FoundDocument]) -> None:
        for problem in self._records.ingest(documents):
            self._warn(f"not ingested: {problem}")

    def _mend(self, settled: Settled | None) -> None:
        for left in self._run_file.left():
            for problem in self._records.mend(left, settled):
                self._warn(f"not ingested: {problem}")
            if settled is not None:
                left.forget()
        if settled is not None:
            for problem in self._records.recall(settled):
                self._warn(f"not ingested: {problem}")
