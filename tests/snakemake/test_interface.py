"""The plugin as Snakemake's interface wants it, and cheap where it is not enabled."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase
from snakemake_interface_logger_plugins.tests import TestLogHandlerBase
from snakemake_logger_plugin_pipestat import LogHandler, LogHandlerSettings

from tests.environments import PythonEnvironment

_IMPORTED = """
import json, sys
import snakemake_interface_logger_plugins.base, snakemake_interface_logger_plugins.settings
before = set(sys.modules)
import snakemake_logger_plugin_pipestat
print(json.dumps(sorted(set(sys.modules) - before)))
"""


class TestPlugin(TestLogHandlerBase):
    """Snakemake's own tests of a logger plugin."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PIPESTAT_RESULTS_FILE", "results.yaml")

    def get_log_handler_cls(self) -> type[LogHandlerBase]:
        return LogHandler

    def get_log_handler_settings(self) -> LogHandlerSettingsBase:
        return LogHandlerSettings()

    def _create_handler(self) -> LogHandlerBase:
        handler = super()._create_handler()
        self.handlers.append(handler)
        return handler

    @pytest.fixture(autouse=True)
    def _closed(self):
        self.handlers: list[LogHandlerBase] = []
        yield
        for handler in self.handlers:
            handler.close()
            handler.close()
        assert not logging.getLogger("snakemake.logging").filters

    def test_an_event_that_makes_no_sense_is_told_and_raises_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        handler = self._create_handler()
        record = self._create_event_record("job_info")  # type: ignore[arg-type]
        handler.emit(record)
        assert "pipestat: AttributeError" in caplog.text


def test_a_start_imports_nothing_else(snakemake: PythonEnvironment, tmp_path: Path) -> None:
    assert snakemake.script(_IMPORTED, cwd=tmp_path) == ["snakemake_logger_plugin_pipestat"]
