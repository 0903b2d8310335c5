"""What the list of writes in an object's metadata proves."""

from __future__ import annotations

import pytest
from pipestat_yaml.records.records import Decision
from pipestat_yaml.remote.attempts import KEPT, Attempt, find_own, is_settled, metadata_for
from pipestat_yaml.remote.object_store import StoredObject

DECISION = Decision([], None, {})


def seen(writes: str | None, version: str = "v2") -> StoredObject:
    return StoredObject(b"", version, {} if writes is None else {"pipestat-writes": writes})


BASE = seen("b a", "v1")
FOREIGN = seen(None, "v1")


@pytest.mark.parametrize(
    ("base", "found", "settled"),
    [
        # Nothing has changed, so ours is not stored (yet).
        (BASE, BASE, True),
        (None, None, True),
        (FOREIGN, FOREIGN, True),
        # Others have written, and the list reaches back to what we saw.
        (BASE, seen("d c b a"), True),
        (BASE, seen("d c b +"), True),
        (None, seen("d c"), True),
        (FOREIGN, seen("d c"), True),
        # The list was cut, or begun anew by a program that keeps none.
        (BASE, seen("d c +"), False),
        (BASE, seen("d c"), False),
        (BASE, seen(None), False),
        (None, seen("d c +"), False),
        (None, seen(None), False),
        (FOREIGN, seen(None), False),
        # Removed by somebody: ours can be stored anew.
        (BASE, None, True),
    ],
)
def test_what_a_list_without_our_id_says(
    base: StoredObject | None, found: StoredObject | None, settled: bool
) -> None:
    assert is_settled(Attempt("own", base, DECISION, unknown=True), found) is settled
    # The outcome of a put that was refused is known, whatever the list says.
    assert is_settled(Attempt("own", base, DECISION, unknown=False), found)


def test_our_own_id_is_found_among_those_of_others() -> None:
    attempts = [Attempt(name, BASE, DECISION, unknown=True) for name in ("one", "two")]
    assert find_own(attempts, seen("d c")) is None
    assert find_own(attempts, None) is None
    own = find_own(attempts, seen("d two c one"))
    assert own is not None
    assert own.id == "one"


def test_the_list_grows_and_is_cut() -> None:
    found: StoredObject | None = None
    for number in range(KEPT + 5):
        found = StoredObject(b"", None, metadata_for(found, f"id{number}"))
        ids = found.metadata["pipestat-writes"].split()
        newest = [f"id{n}" for n in range(number, -1, -1)][:KEPT]
        assert ids == (newest if number < KEPT else [*newest, "+"])


def test_metadata_of_others_leaves_less_room() -> None:
    base = StoredObject(b"", None, {"owner": "x" * 1900, "name": "é"})
    for number in range(9):
        base = StoredObject(b"", None, metadata_for(base, f"identifier{number}"))
    assert base.metadata["owner"] == "x" * 1900
    assert sum(len(k) + len(v) for k, v in base.metadata.items()) <= 2048
    ids = base.metadata["pipestat-writes"].split()
    assert (ids[0], ids[-1]) == ("identifier8", "+")
    assert 2 <= len(ids) < 9
