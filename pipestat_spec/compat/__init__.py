"""The drop-in: looper, and pipelines that say `import pipestat`, run on this package.

    from pipestat_spec.compat import install_as_pipestat

    install_as_pipestat()
    from pipestat import PipestatManager

`python -m pipestat_spec.compat looper run` does the same for a program, and for the Python
processes that it starts (docs/migrating.md). Nothing else in the package knows of the drop-in.
"""

from pipestat_spec.compat.importing import install_as_pipestat

__all__ = ["install_as_pipestat"]
