"""Python looks for cycles again after work on many objects, however that ends."""

from __future__ import annotations

import gc

import pytest

from pipestat_spec.many_objects import collection_paused


def refused() -> None:
    assert not gc.isenabled()
    raise ValueError("refused")


def test_the_collection_goes_on_afterwards() -> None:
    with pytest.raises(ValueError, match="refused"), collection_paused():
        refused()
    assert gc.isenabled()


def test_a_collection_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
