"""What the Python processes of a program find that `python -m pipestat_spec.compat` started.

Their Python need not have pipestat_spec, and may be older: then they get the pipestat that is
installed there.
"""

from __future__ import annotations

import os
import sys


def _leave() -> tuple[str, list[str]]:
    """Take this module, and its folder, out of the way of the package that it stands for."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    del sys.modules["pipestat"]
    return folder, [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]


def _give() -> None:
    folder, others = _leave()
    try:
        from pipestat_spec.compat import install_as_pipestat
    except ImportError as error:
        sys.path[:] = others
        sys.path_importer_cache.pop(folder, None)
        sys.stderr.write(
            f"warning: {sys.executable} has no pipestat_spec ({error}); the pipestat that is "
            "installed there is used\n"
        )
    else:
        install_as_pipestat()
    # The import under way ends with what stands in sys.modules.
    __import__("pipestat")


_give()
