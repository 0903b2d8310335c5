"""`ingest`: store what report documents say that jobs left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import Progress, counted, error, note, warning
from pipestat_spec.cli.options import add_quiet, add_store, integer_option

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.errors import PipestatError
    from pipestat_spec.ingest import IngestReport, SourcedDocument

__all__ = ["configure"]

_EXPLANATION = """
A report document is a JSON file *.pipestat.json, or *.pipestat.jsonl with one document a
line, that any program can write: {"pipestat_report": "1.0", "record_identifier": "s1",
"results": {"reads": 1200}, "status": "completed"}. All documents are checked before any
is stored. Ingesting the same documents again changes nothing.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `ingest`."""
    parser.add_argument(
        "documents", nargs="*", metavar="FILE|DIR", help="documents, and folders to search for them"
    )
    parser.add_argument(
        "--path-prefix",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="replace the beginning of the paths of files and images; may be repeated",
    )
    parser.add_argument(
        "--no-overwrite",
        action="store_true",
        help="refuse all when a different value is stored already",
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="store the rest when something is refused, exit 1",
    )
    _add_nextflow(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec ingest -c pipestat.yaml results/",
        "pipestat-spec ingest -c pipestat.yaml --path-prefix work=/data/published work/",
        "pipestat-spec ingest -f results.yaml -s schema.yaml s1.pipestat.json s2.pipestat.json",
        "pipestat-spec ingest -c pipestat.yaml --nextflow-trace trace.txt --record '{tag}'",
        text=_EXPLANATION,
    )


def _add_nextflow(parser: CommandParser) -> None:
    group = parser.add_argument_group("Nextflow")
    group.add_argument(
        "--nextflow-trace",
        metavar="FILE",
        help="set the status of each record from its tasks in this trace; it is stronger than "
        "what the documents say",
    )
    group.add_argument(
        "--record",
        metavar="EXPRESSION",
        help="which record a task is about, from columns of the trace, such as '{tag}'",
    )
    group.add_argument("--run", metavar="NAME", dest="run_name", help="name of the run")
    group.add_argument(
        "--records",
        metavar="FILE|PATTERN",
        help="which of them are records: a file that names one at the start of each line, such as "
        "a sample sheet, or a shell pattern such as 's*'; other tasks are left out",
    )
    group.add_argument(
        "--run-exit",
        metavar="CODE",
        type=integer_option,
        help="exit code of Nextflow; if it is not 0, samples whose tasks have all finished may "
        "have more to come, and are waiting",
    )
    group.add_argument(
        "--complete-when",
        metavar="PROCESS",
        help="a sample is completed when this process has finished for it",
    )


def _verdicts(args: argparse.Namespace) -> Iterator[SourcedDocument]:
    """Return what the trace says; leaves with a usage error."""
    if args.nextflow_trace is None:
        names = ("record", "run_name", "records", "run_exit", "complete_when")
        given = [name for name in names if getattr(args, name) is not None]
        if given:
            option = "--" + given[0].removesuffix("_name").replace("_", "-")
            args.parser.error(f"{option} needs --nextflow-trace")
        if not args.documents:
            args.parser.error("nothing to ingest: give FILE, DIR or --nextflow-trace")
        return iter(())
    if args.record is None:
        args.parser.error("--nextflow-trace needs --record, such as --record '{tag}'")
    from pipestat_spec.engines.nextflow_trace import RunEnd, chosen_records, read_trace
    from pipestat_spec.engines.record_expression import parse_record_expression

    return read_trace(
        args.nextflow_trace,
        parse_record_expression(args.record),
        args.run_name,
        end=RunEnd(args.run_exit, args.complete_when),
        chosen=None if args.records is None else chosen_records(args.records),
        warn=warning,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened
    from pipestat_spec.errors import PipestatError
    from pipestat_spec.ingest import ingest
    from pipestat_spec.path_prefixes import parse_path_prefix

    verdicts = _verdicts(args)
    prefixes = [parse_path_prefix(text) for text in args.path_prefix]
    progress = _Phases(args.quiet)
    with opened(args, may_be_new=True) as found:
        try:
            report = ingest(
                found.store,
                args.documents,
                overwrite=not args.no_overwrite,
                keep_going=args.keep_going,
                path_prefixes=prefixes,
                verdicts=verdicts,
                progress=progress,
            )
        except PipestatError as failure:
            progress.done()
            return _refused(failure)
    progress.done()
    return _done(report, args.quiet)


class _Phases:
    """Counts the documents that are read and the records that are stored."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._phase = "reading"
        self._shown = Progress("reading", "document", quiet=quiet, after="nothing was stored")

    def __call__(self, phase: str, count: int) -> None:
        if phase != self._phase:
            self.done()
            self._phase = phase
            again = "call it again: what is stored stays as it is"
            self._shown = Progress(phase, "record", quiet=self._quiet, after=again)
        self._shown.reached(count)

    def done(self) -> None:
        self._shown.done()


def _refused(failure: PipestatError) -> int:
    """Name every problem on a line of its own; raises the failure again when it is the only one."""
    problems = failure.problems
    if len(problems) < 2:
        raise failure
    for problem in problems:
        note(f"refused: {problem}")
    error(f"{len(problems)} problems; nothing was ingested")
    return 1


def _done(report: IngestReport, quiet: bool) -> int:
    if not quiet:
        what = []
        if report.documents or not report.verdicts:
            what.append(counted(report.documents, "document"))
        if report.verdicts:
            what.append(f"the trace of {counted(report.verdicts, 'record')}")
        note(
            f"ingested {' and '.join(what)}: "
            f"{counted(report.changed, 'record')} changed, {report.unchanged} unchanged"
        )
    for problem in report.rejected:
        note(f"left out: {problem}")
    if report.rejected:
        error(f"{counted(len(report.rejected), 'problem')}; what they concern was left out")
    return 1 if report.rejected else 0
