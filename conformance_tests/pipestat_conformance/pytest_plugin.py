"""The pytest plugin: reports of the classes that `suite` makes.

Every pytest run where the package is installed imports this module, so it imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["REPORT_OPTION", "pytest_addoption"]

REPORT_OPTION = "--conformance-report"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("conformance", "conformance with pipestat-spec")
    group.addoption(
        REPORT_OPTION,
        metavar="DIR",
        default=None,
        help="write the reports and badges of conformance classes to DIR/NAME-OF-THE-CLASS",
    )
