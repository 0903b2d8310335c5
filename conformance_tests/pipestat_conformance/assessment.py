"""From the results of vectors to the verdicts of requirements, profiles and a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipestat_conformance.catalogue import Requirement
from pipestat_conformance.claims import PROFILES
from pipestat_conformance.run import Run
from pipestat_conformance.verdicts import EXECUTED, Conclusion, ExitCode, Result, Verdict, worst

__all__ = ["counts", "exit_code", "outcome", "profile_outcomes", "requirement_verdicts"]


def requirement_verdicts(
    results: Iterable[Result], catalogue: Mapping[str, Requirement]
) -> dict[str, Verdict]:
    """Return the verdict of each requirement: the worst of its vectors."""
    found: dict[str, list[Verdict]] = {}
    for result in results:
        for id in result.requirements:
            found.setdefault(id, []).append(result.verdict)
    verdicts: dict[str, Verdict] = {}
    for id in dict.fromkeys([*catalogue, *found]):
        requirement = catalogue.get(id)
        untestable = requirement is not None and requirement.testability == "untestable"
        verdicts[id] = Verdict.UNTESTABLE if untestable else worst(found.get(id, ()))
    return verdicts


def counts(results: Iterable[Result]) -> dict[str, int]:
    """Return how many results have each verdict, those without left out."""
    found = Counter(result.verdict for result in results)
    return {verdict.value: found[verdict] for verdict in Verdict if found[verdict]}


def _binding(result: Result, catalogue: Mapping[str, Requirement]) -> bool:
    """Tell whether conformance depends on a result: one of its requirements is a MUST."""
    known = [catalogue[id] for id in result.requirements if id in catalogue]
    return not known or any(requirement.binding for requirement in known)


def _judge(results: Sequence[Result], catalogue: Mapping[str, Requirement]) -> Conclusion:
    verdicts = {result.verdict for result in results if _binding(result, catalogue)}
    if Verdict.ERROR in verdicts:
        return Conclusion.ERROR
    if verdicts & {Verdict.FAIL, Verdict.XPASS}:
        return Conclusion.NOT_CONFORMANT
    if not verdicts & set(EXECUTED):
        return Conclusion.ERROR
    return Conclusion.KNOWN_FAILURES if Verdict.XFAIL in verdicts else Conclusion.CONFORMANT


def profile_outcomes(run: Run, catalogue: Mapping[str, Requirement]) -> dict[str, Conclusion]:
    """Return what came of each profile; one without an executed vector is an error."""
    outcomes: dict[str, Conclusion] = {}
    for name in PROFILES:
        own = [result for result in run.results if result.profile == name]
        executed = any(result.verdict in EXECUTED for result in own)
        if name not in run.judged or (run.options.select and not executed):
            outcomes[name] = Conclusion.NOT_RUN
        else:
            outcomes[name] = _partial(run, _judge(own, catalogue))
    return outcomes


def _partial(run: Run, outcome: Conclusion) -> Conclusion:
    conformant = outcome is Conclusion.CONFORMANT
    return Conclusion.SELECTION if conformant and run.options.select else outcome


def outcome(run: Run, catalogue: Mapping[str, Requirement]) -> Conclusion:
    """Return what came of the run; a broken harness outweighs all else."""
    whole = _judge(run.results, catalogue)
    if whole is Conclusion.ERROR:
        return whole
    if whole is Conclusion.NOT_CONFORMANT or run.complaints:
        return Conclusion.NOT_CONFORMANT
    if Conclusion.ERROR in profile_outcomes(run, catalogue).values():
        return Conclusion.ERROR
    return _partial(run, whole)


def exit_code(outcome: Conclusion, accept_known: bool = False) -> ExitCode:
    """Return the exit code of a run; known failures are no conformance unless accepted."""
    if outcome is Conclusion.ERROR:
        return ExitCode.ERROR
    if outcome in (Conclusion.CONFORMANT, Conclusion.SELECTION):
        return ExitCode.CONFORMANT
    if outcome is Conclusion.KNOWN_FAILURES and accept_known:
        return ExitCode.CONFORMANT
    return ExitCode.NOT_CONFORMANT
