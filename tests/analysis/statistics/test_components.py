"""Variance components against blocks whose components are known."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.statistics.components import Components, Repetitions, build_table, components
from harness.analysis.statistics.lockstep import process_values
from harness.analysis.statistics.spreads import spread


def test_each_level_is_divided_by_its_own_repetitions() -> None:
    found = Components(build=8.0, process=4.0, cycle=64.0).variance(Repetitions(2, 2, 4))
    assert found == pytest.approx(8 / 2 + 4 / 4 + 64 / 16)
    assert Components(None, 4.0, 0.0).variance(Repetitions(1, 4)) == pytest.approx(1.0)


def test_a_build_without_some_processes_is_filled_up() -> None:
    table = build_table(np.array([1.0, 2.0, 3.0]), [[0, 2], [1]])
    assert table[0].tolist() == [1.0, 3.0]
    assert table[1, 0] == 2.0
    assert np.isnan(table[1, 1])


def test_components_are_found_again() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.02, 0.01, 0.04])
    builds = [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(8)]
    seen = []
    for _ in range(60):
        levels = np.repeat(rng.normal(0, truth[0], 8), 3) + rng.normal(0, truth[1], 24)
        table = levels + rng.normal(0, 0.1, 20)[:, None] + rng.normal(0, truth[2], (20, 24))
        found = process_values(table, clips=())
        of_builds = build_table(found.values, builds).mean(axis=1)[None, :]
        parts = components(found, builds, float(spread(of_builds).pooled))
        seen.append((parts.build, parts.process, parts.cycle))
    assert np.sqrt(np.mean(np.array(seen, dtype=np.float64), axis=0)) == pytest.approx(truth, rel=0.1)


def test_one_process_a_build_puts_all_of_it_on_the_build() -> None:
    rng = np.random.default_rng(2)
    found = process_values(rng.normal(0, 0.03, 6) + rng.normal(0, 0.01, (20, 6)))
    parts = components(found, [[i] for i in range(6)], float(np.var(found.values, ddof=1)))
    assert parts.process == 0.0
    assert parts.build == pytest.approx(np.var(found.values, ddof=1) - parts.cycle / 20)


def test_a_question_about_one_engine_has_no_builds() -> None:
    found = process_values(np.random.default_rng(3).normal(0, 0.01, (20, 6)))
    assert components(found, [[0, 1, 2], [3, 4, 5]], None).build is None
