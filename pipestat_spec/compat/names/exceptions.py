"""`pipestat.exceptions` of the drop-in: this package's error tree."""

from pipestat_spec.errors import *  # noqa: F403
from pipestat_spec.errors import __all__ as __all__
