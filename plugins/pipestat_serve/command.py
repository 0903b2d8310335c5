"""`serve`: its arguments, and what happens before anything listens."""

from __future__ import annotations

from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import PipestatDependencyError, PipestatStartupError
from pipestat_spec.installing import install_hint

if TYPE_CHECKING:
    import argparse

    from pipestat_serve.settings import Settings

__all__ = ["configure"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TEXT = """
The page shows every status and result soon after it was reported. Nothing is ever written to a
store. Only who has the printed link gets in, and only from this machine unless --public is given.
A store that only a configuration names need not be there yet: the page waits for it.
"""


def configure(parser: Any) -> None:
    """Fill the parser of `serve`."""
    parser.add_argument(
        "stores",
        nargs="*",
        metavar="STORE",
        help="path or address of a store, or configuration file; default the configured store",
    )
    for strings in (("-c", "--config"), ("-f", "--results-file")):
        parser.add_argument(
            *strings, dest="more", action="append", metavar="STORE", help="the same as STORE"
        )
    parser.add_argument("-s", "--schema", metavar="FILE", help="output schema: a file or a URL")
    parser.add_argument("--status-schema", metavar="FILE", help="status schema file")
    parser.add_argument("--pipeline-name", metavar="NAME", help="one namespace; without it all")
    parser.add_argument(
        "--files",
        action="append",
        metavar="DIR",
        help="serve the files and images that records report from this folder; may be repeated",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; default 127.0.0.1"
    )
    parser.add_argument(
        "--port", type=port, default=8001, help="port; 0 takes a free one; default 8001"
    )
    parser.add_argument(
        "--public", action="store_true", help="allow a --host that other machines reach"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        metavar="NAME",
        help="name of this server in addresses, for a proxy or --public; may be repeated",
    )
    parser.add_argument(
        "--root-path", default="", metavar="PATH", help="where a proxy puts this server: /results"
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec serve results.yaml",
        "pipestat-spec serve -c pipestat.yaml --files results --open",
        "pipestat-spec serve rnaseq.yaml atac.db postgresql://me@db/lab",
        text=_TEXT,
    )


def port(text: str) -> int:
    """Return the number of a port; raises ValueError."""
    number = int(text)
    if not 0 <= number < 65536:
        raise ValueError(text)
    return number


def _run(args: argparse.Namespace) -> int:
    for package in ("fastapi", "uvicorn", "prometheus_client"):
        if find_spec(package) is None:
            raise PipestatDependencyError(
                f"serve needs the package {package}", hint=install_hint("pipestat-spec[serve]")
            )
    from pipestat_serve.served import open_stores
    from pipestat_serve.server import listen, run

    settings = _settings(args)
    arguments = {
        "schema_path": args.schema,
        "status_schema_path": args.status_schema,
        "pipeline_name": args.pipeline_name,
    }
    with ExitStack() as stack:
        stores = open_stores([*args.stores, *(args.more or ())], arguments)
        for served in stores:
            stack.enter_context(closing(served.store))
        return run(stack.enter_context(listen(settings)), stores, settings, args.open)


def _settings(args: argparse.Namespace) -> Settings:
    """Return how to serve; raises PipestatStartupError for what cannot be meant."""
    import os

    from pipestat_serve.settings import Settings

    if args.host not in _LOOPBACK and not args.public:
        raise PipestatStartupError(
            f"other machines reach the host {args.host}", hint="add --public, or leave --host out"
        )
    folders = []
    for folder in args.files or ():
        if not os.path.isdir(folder):
            raise PipestatStartupError(
                f"--files {folder}: there is no such folder", hint="correct the path"
            )
        folders.append(os.path.realpath(folder))
    root = args.root_path.strip("/")
    return Settings(
        host=args.host,
        port=args.port,
        folders=tuple(folders),
        hosts=tuple(name.lower() for name in args.allow_host or ()),
        root_path=f"/{root}" if root else "",
    )
