"""Results that have another name in the second store, as far as their values tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from pipestat_spec.domain.comparison.values import same
from pipestat_spec.json_values import JSONValue

__all__ = ["Renames"]

# A record in which more results come and go than this is no sign of a new name.
_MOST = 200


class Renames:
    """Looks for pairs of results: wherever the one goes the other comes, with an equal value."""

    def __init__(self) -> None:
        self._gone: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._pairs: dict[str, Counter[str]] = {}
        self._kept: set[str] = set()

    def see(
        self,
        before: Mapping[str, JSONValue],
        after: Mapping[str, JSONValue],
        gone: Collection[str],
        new: Collection[str],
    ) -> None:
        """Take note of a record that both stores have; `gone` and `new` are names of results."""
        if len(gone) > _MOST or len(new) > _MOST:
            self._kept.update(gone, new)
            return
        self._gone.update(gone)
        self._new.update(new)
        for old in gone:
            if old not in self._pairs:
                candidates: Collection[str] = new
                self._pairs[old] = Counter()
            else:
                candidates = self._pairs[old]
            self._pairs[old] = Counter(
                {
                    name: self._pairs[old][name] + 1
                    for name in candidates
                    if name in new and same(before[old], after[name])
                }
            )

    def keep(self, names: Collection[str]) -> None:
        """Take note of results that a record has in both stores."""
        self._kept.update(names)

    def probable(self) -> dict[str, str]:
        """Return the new name of each result that probably got one."""
        found = {}
        for old, counts in self._pairs.items():
            fitting = [new for new, count in counts.items() if count == self._new[new]]
            if len(fitting) == 1 and counts[fitting[0]] == self._gone[old]:
                found[old] = fitting[0]
        once = Counter(found.values())
        return {
            old: new for old, new in found.items() if once[new] == 1 and not self._kept & {old, new}
        }
