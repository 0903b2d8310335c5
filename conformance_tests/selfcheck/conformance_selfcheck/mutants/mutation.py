"""What a mutant is, and the ways to make one in a few lines.

A mutant is a correct implementation with one fault. It is named after the function or
class that makes the fault, says in its docstring what is wrong, and lists the rules that
it breaks: the verdict of each of these has to be `fail`, through both drivers.

    @operation("PS-RES-014", on="remove")
    def remove_does_nothing(call): ...            # may change arguments, answer, store

    @backend("PS-GUA-006")
    class CachedAndNeverStored(SnapshotBackend): ...

    @opening("PS-SCH-014")
    def status_section_ignored(schema, settings): ...
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.memory import SnapshotBackend
from pipestat_conformance.targets.operations import Session, StoreSession
from pipestat_conformance.targets.target import PluginTarget, Target
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.faulty_memory import FaultyMemory
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.store import Store

__all__ = [
    "REGISTRY",
    "Call",
    "Fault",
    "Mutant",
    "MutantTarget",
    "backend",
    "each_scalar",
    "inner_target",
    "kebab",
    "opening",
    "operation",
    "register",
]


@dataclass(frozen=True)
class Mutant:
    """One faulty implementation.

    `on` is the backend it is made of. `trials` are the trials that show what no vector can.
    """

    name: str
    title: str
    breaks: tuple[str, ...]
    on: str
    make: Callable[[], Target]
    trials: tuple[str, ...] = ()


REGISTRY: dict[str, Mutant] = {}


def register(
    maker: Any,
    breaks: tuple[str, ...],
    make: Callable[[str], Target],
    on: str = "memory",
    trials: tuple[str, ...] = (),
) -> None:
    """Enter a mutant, named after the function or class that makes the fault."""
    name = kebab(maker.__name__)
    title = " ".join((maker.__doc__ or "").split("\n\n")[0].split())
    if name in REGISTRY:
        raise ValueError(f"two mutants are called {name!r}")
    if not breaks or not title:
        raise ValueError(f"the mutant {name!r} has no requirement, or no docstring")
    REGISTRY[name] = Mutant(name, title, breaks, on, lambda: make(name), trials)


def kebab(name: str) -> str:
    """Return `SomeName` or `some_name` as `some-name`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).replace("_", "-").lower()


@dataclass
class Call:
    """One operation that is asked of a mutant."""

    op: str
    args: dict[str, Any]
    session: MutantSession

    def go(self, **changed: Any) -> Any:
        """Make the operation as it has to be made, with some arguments changed."""
        return self.ask(self.op, **{**self.args, **changed})

    def ask(self, op: str, **args: Any) -> Any:
        """Make another operation, as it has to be made."""
        return StoreSession.perform(self.session, op, args)

    @property
    def store(self) -> Store:
        return self.session.store

    @property
    def memory(self) -> dict[str, Any]:
        """What the mutant remembers while the store is open."""
        return self.session.memory

    @property
    def level(self) -> str:
        level: str = self.args.get("level", "sample")
        return level

    @property
    def key(self) -> RecordKey:
        default = self.store.settings.project_name if self.level == "project" else ""
        return RecordKey(self.level, self.args.get("record", default))  # type: ignore[arg-type]

    @property
    def current(self) -> Record | None:
        """The record that the operation is about, as it is stored."""
        return self.store.backend.read(self.key)

    @property
    def path(self) -> Path:
        """The path of the results file, as the store was opened."""
        return Path(self.session.place["path"])

    @property
    def values(self) -> dict[str, Any]:
        """A copy of the values of a report."""
        found: dict[str, Any] = copy.deepcopy(self.args.get("values", {}))
        return found


Fault = Callable[[Call], Any]


class MutantSession(StoreSession):
    """A session whose operations may be made by a fault."""

    def __init__(
        self,
        store: Store,
        fault: Fault,
        ops: tuple[str, ...],
        opening: Opening,
        place: Mapping[str, Any],
    ) -> None:
        super().__init__(store)
        self.opening = opening
        self.place = place
        self.memory: dict[str, Any] = {}
        self._fault = fault
        self._ops = ops

    def perform(self, op: str, args: Mapping[str, Any]) -> Any:
        if self._ops and op not in self._ops:
            return super().perform(op, args)
        return self._fault(Call(op, copy.deepcopy(dict(args)), self))


def _all_right(call: Call) -> Any:
    return call.go()


def _as_given(opening: Opening, store: Mapping[str, Any]) -> Opening:  # noqa: ARG001
    return opening


@dataclass
class MutantTarget(Target):
    """A target with a fault in its operations, in what it is opened with, or inside."""

    name: str
    inner: PluginTarget
    fault: Fault = _all_right
    ops: tuple[str, ...] = ()
    opening: Callable[[Opening, Mapping[str, Any]], Opening] = _as_given
    extra_claims: tuple[str, ...] = field(default=())

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
        claimed = {*self.inner.capabilities(store, folder), *self.extra_claims}
        return tuple(sorted(claimed))

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        return self.inner.profiles(capabilities)

    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        changed = self.opening(opening, store)
        opened = self.inner.open_store(store, changed, folder)
        return MutantSession(opened, self.fault, self.ops, opening, store)

    def close(self) -> None:
        self.inner.close()


def inner_target(on: str) -> PluginTarget:
    """Return the correct implementation that a mutant is made of."""
    target = find_target(on)
    assert isinstance(target, PluginTarget)
    return target


def operation(
    *breaks: str,
    on: str = "",
    backend: str = "memory",
    trials: tuple[str, ...] = (),
    also_claims: tuple[str, ...] = (),
) -> Callable[[Fault], Fault]:
    """Make a mutant of a function that makes the operations named in `on` (none: all)."""

    def enter(fault: Fault) -> Fault:
        def make(name: str) -> Target:
            inner = inner_target(backend)
            return MutantTarget(name, inner, fault, tuple(on.split()), extra_claims=also_claims)

        register(fault, breaks, make, backend, trials)
        return fault

    return enter


def backend(
    *breaks: str, trials: tuple[str, ...] = (), also_claims: tuple[str, ...] = ()
) -> Callable[[type[SnapshotBackend]], type[SnapshotBackend]]:
    """Make a mutant of a faulty variant of the in-memory backend."""

    def enter(kind: type[SnapshotBackend]) -> type[SnapshotBackend]:
        def make(name: str) -> Target:
            inner = FaultyMemory(kind=kind)
            return MutantTarget(name, inner, extra_claims=also_claims)

        register(kind, breaks, make, "memory", trials)
        return kind

    return enter


SchemaFault = Callable[[Any, dict[str, Any]], Any]


def opening(*breaks: str, backend: str = "memory") -> Callable[[SchemaFault], SchemaFault]:
    """Make a mutant of a function from schema and settings to the schema that is used.

    Both are copies; the settings may be changed in place.
    """

    def enter(fault: SchemaFault) -> SchemaFault:
        def changed(opening: Opening, store: Mapping[str, Any]) -> Opening:
            settings = {**copy.deepcopy(dict(opening.settings)), "store": store}
            schema = fault(copy.deepcopy(opening.schema), settings)
            del settings["store"]
            return Opening(schema, settings)

        def make(name: str) -> Target:
            return MutantTarget(name, inner_target(backend), opening=changed)

        register(fault, breaks, make, backend)
        return fault

    return enter


def each_scalar(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the value with every scalar in it changed; keys stay."""
    if isinstance(value, dict):
        return {key: each_scalar(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [each_scalar(item, change) for item in value]
    return change(value)
