"""What a run shows while it goes: the name of a test as soon as it fails, not at the end."""

from __future__ import annotations

import pytest

_REASON_WIDTH = 200


def pytest_sessionstart(session: pytest.Session) -> None:
    """Show names where there is a terminal to show them: not in a worker."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        session.config.pluginmanager.register(NamesAsTheyFail(terminal))


class NamesAsTheyFail:
    """A plugin of pytest for the process that has the terminal."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a line for a test that failed, after the letter for it."""
        terminal = self._terminal
        if not report.failed or terminal.verbosity > 0:
            return
        if terminal.currentfspath is None:  # workers write letters only, in lines of their own
            terminal.line("")
        terminal.ensure_newline()
        terminal.write("FAILED" if report.when == "call" else "ERROR", red=True)
        terminal.line(f" {report.nodeid} - {_reason(report)}")
        terminal.flush()


def _reason(report: pytest.TestReport) -> str:
    """Return why a test failed, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Without a traceback pytest marks what matters with an E, and a worker names itself first.
    marked = [line[2:].strip() for line in lines if line.startswith("E ")]
    told = [*marked, *(line for line in lines if not line.startswith("[gw")), "no reason given"][0]
    return told if len(told) <= _REASON_WIDTH else told[: _REASON_WIDTH - 3] + "..."
