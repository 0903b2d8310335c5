"""`pipestat.pipestat` of the drop-in: where pipestat defines its managers."""

from pipestat_spec.compat.manager import (
    PipestatDualManager,
    PipestatManager,
    ProjectPipestatManager,
    SamplePipestatManager,
)

__all__ = [
    "PipestatDualManager",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
]
