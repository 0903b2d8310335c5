"""The command line `pipestat-spec` (docs/cli.md).

One module per command or group of commands; only the one that is called is imported, and
only its parser is built (docs/adr/0003). stdout carries data, stderr messages.
"""

from __future__ import annotations

import os
import sys

# Nothing else is imported before `run` can tell an interrupt, typing neither.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, TextIO

__all__ = ["main", "run"]

DONE, FAILED, USAGE = 0, 1, 2
# What a shell reports for a process that SIGINT or SIGPIPE ended.
INTERRUPTED, BROKEN_PIPE = 130, 141


def run() -> NoReturn:
    """Run the command line of this process and exit."""
    code = INTERRUPTED
    # Also before the command begins, and after its end, an interrupt is no fault to be traced.
    try:
        import gc

        # A command makes little garbage: collecting it would cost more than it frees.
        gc.set_threshold(100_000, 50, 50)
        # Data is UTF-8 whatever the locale says.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure") and stream.encoding.lower() != "utf-8":
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        code = main(sys.argv[1:])
        if _nothing_waits():
            _flush(sys.stderr)
            # Taking the interpreter apart takes as long as the report did.
            os._exit(code)
    except KeyboardInterrupt:
        pass
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 refused or failed, 2 usage, 3 not good."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run_command(arguments)
        _flush(sys.stdout)
        return code
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        from pipestat_spec.cli.messages import interrupted

        interrupted()
        return INTERRUPTED


def _flush(stream: TextIO | None) -> None:
    if stream is not None:  # the caller may have closed it
        stream.flush()


def _run_command(arguments: list[str]) -> int:
    from pipestat_spec.cli.dispatch import dispatch
    from pipestat_spec.cli.messages import error, forward_warnings
    from pipestat_spec.errors import PipestatError

    debug = "--debug" in arguments
    try:
        with forward_warnings():
            return dispatch(arguments)
    except SystemExit as leaving:  # argparse: --help, --version, usage errors
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except BrokenPipeError:
        raise
    except (PipestatError, OSError, Exception) as failure:  # noqa: BLE001
        if debug:
            import traceback

            traceback.print_exc()
        else:
            error(failure)
        return FAILED


def _nothing_waits() -> bool:
    """Tell whether the process may end here: it is ours, and no other code than ours has run."""
    import atexit

    program = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    if os.path.basename(program) not in ("pipestat-spec", "__main__.py"):
        return False
    threads = sys.modules.get("threading")
    if threads is not None and threads.active_count() > 1:
        return False
    # Registered functions, such as those that measure coverage; where nobody can tell, wait.
    if getattr(atexit, "_ncallbacks", lambda: 1)():
        return False
    loading = sys.modules.get("pipestat_spec.plugins.loading")
    return loading is None or loading.only_built_in()


def _drop_output() -> None:
    # The interpreter flushes stdout once more at its end, which would complain.
    from contextlib import suppress

    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
