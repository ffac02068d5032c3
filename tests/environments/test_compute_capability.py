"""The table of compute capabilities: bounds as far as they are written, silence where nothing is known."""

import pytest

from harness.environments.compute_capability import capability_reason, ranges


@pytest.mark.parametrize(
    ("version", "capability"),
    [
        ("8.5.3.1", "9.0"),
        ("8.6.0", "9.0"),
        ("8.5.3.1", "5.2"),  # within "up to 8.5.3"
        ("5.1.5", "7.0"),
        ("10.4.0", "7.0"),
        ("11.0", "12.0"),
        ("5.0.0rc", "7.5"),
    ],
)
def test_a_version_within_its_bounds_may_run(version: str, capability: str) -> None:
    assert capability_reason(version, capability) is None


@pytest.mark.parametrize(
    ("version", "capability", "bound"),
    [
        ("5.1.5", "9.0", "the first that does is 8.5.0"),
        ("7.2.3", "9.0", "the first that does is 8.5.0"),
        ("8.4.3", "8.9", "the first that does is 8.5.0"),
        ("8.6.0", "5.2", "the last that does is 8.5.3"),
        ("10.5.0", "7.0", "the last that does is 10.4.0"),
        ("10.7", "12.0", "the first that does is 10.8"),
    ],
)
def test_a_version_outside_is_told_the_nearest_that_runs(version: str, capability: str, bound: str) -> None:
    reason = capability_reason(version, capability)
    assert reason is not None
    assert bound in reason
    assert capability in reason


@pytest.mark.parametrize(("version", "capability"), [("8.6.0", "99.0"), ("5.0", "12.1"), ("newest", "9.0")])
def test_nothing_is_said_where_nothing_is_known(version: str, capability: str) -> None:
    assert capability_reason(version, capability) is None


def test_every_capability_of_the_table_is_a_number() -> None:
    assert {float(capability) for capability in ranges()} >= {3.5, 7.5, 8.0, 9.0, 12.0}
