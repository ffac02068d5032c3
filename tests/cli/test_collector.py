"""The collector of cycles is off while a run is read and judged, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from harness.cli.collector import no_search_for_cycles


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_before(on: bool) -> None:
    was_on = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with no_search_for_cycles():
            assert not gc.isenabled()
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()
