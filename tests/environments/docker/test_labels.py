"""What an image is called by whoever lists it."""

from __future__ import annotations

from itertools import permutations

import pytest

from harness.environments.docker.labels import name_among


@pytest.mark.parametrize("tags", list(permutations(["trtmatrix/plain:1", "team/derived:1", "a/first:2"])))
def test_an_image_of_ours_goes_by_its_own_name_whatever_others_it_was_given(tags: tuple[str, ...]) -> None:
    assert name_among(tags) == "trtmatrix/plain:1"


def test_an_image_without_a_name_of_ours_goes_by_the_one_it_has() -> None:
    assert name_among(["team/derived:1"]) == "team/derived:1"
    assert name_among([]) == ""
