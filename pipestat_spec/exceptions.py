"""The error tree under the name that pipelines import it by: `pipestat_spec.exceptions`."""

from pipestat_spec.errors import *  # noqa: F403
from pipestat_spec.errors import __all__ as __all__
