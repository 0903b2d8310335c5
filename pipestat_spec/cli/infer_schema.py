"""`infer-schema`: an output schema from the results that a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_format, add_quiet, describe_key
from pipestat_spec.models.record import LEVELS

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `infer-schema`."""
    parser.add_argument(
        "-f", "--results-file", metavar="STORE", help=describe_key("results_file_path")
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the schema there and not to stdout"
    )
    parser.add_argument("--level", choices=LEVELS, help="results of this level only")
    parser.add_argument(
        "--strict", action="store_true", help="refuse a result whose values differ in type"
    )
    parser.add_argument(
        "--pipeline-name", metavar="NAME", help="which namespace, or a new name for the only one"
    )
    add_format(parser, ("yaml", "json"))
    add_quiet(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec infer-schema -f results.yaml -o output_schema.yaml",
        "pipestat-spec infer-schema -f results.yaml --level sample --strict",
        text="Where the values of one result differ in type the most common type is taken, with a\n"
        "warning. Check the schema before use: descriptions, files and images are guesses.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.errors import NoBackendSpecifiedError
    from pipestat_spec.infer import infer_schema, schema_text
    from pipestat_spec.whole_files import replace_file

    wanted = {"level": args.level, "strict": args.strict, "pipeline_name": args.pipeline_name}
    try:
        schema = infer_schema(args.results_file, **wanted)
    except NoBackendSpecifiedError as error:
        args.parser.error(str(error))
    if args.format == "json":
        import json

        text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    else:
        text = schema_text(schema)
    if args.output is None:
        print(text, end="")
        return 0
    replace_file(args.output, text.encode())
    if not args.quiet:
        note(f"wrote {args.output}")
    return 0
