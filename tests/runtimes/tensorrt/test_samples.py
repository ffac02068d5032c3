"""A worker's profile as rows, and what is said of one that is none."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.runtimes.tensorrt.evidence import read_samples

TIMES = st.lists(st.floats(0.0, 1e3), min_size=1, max_size=9)


@given(layers=st.lists(st.tuples(st.text(max_size=20), TIMES), max_size=6))
def test_a_row_is_what_its_samples_say(
    tmp_path_factory: pytest.TempPathFactory, layers: list[tuple[str, list[float]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "profile_samples.json"
    rows = [{"name": name, "ms": ms} for name, ms in layers]
    path.write_text(json.dumps({"runs": 3, "layers": rows}), encoding="utf-8")
    found = read_samples(path)
    assert [(row.position, row.name, list(row.samples_ms)) for row in found] == [
        (position, name, ms) for position, (name, ms) in enumerate(layers)
    ]
    for row, (_, ms) in zip(found, layers, strict=True):
        assert (row.total_ms, row.average_ms, row.median_ms) == (sum(ms), fmean(ms), median(ms))
        assert row.iterations == len(ms)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"layers": 1}', r"expected `array`, got `int` - at `\$\.layers`"),
        ('{"runs": 3}', "missing required field `layers`"),
        ('{"layers": [{"name": "a", "ms": ["x"]}]}', r"at `\$\.layers\[0\]\.ms\[0\]`"),
        ('{"layers": [{"name": "a", "ms": []}]}', "data point"),
        ('{"layers": [', "truncated"),
        ("\xff", "not a profile of the worker"),
    ],
)
def test_a_profile_that_is_none_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "profile_samples.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=f"(?i){said}") as caught:
        read_samples(path)
    assert caught.value.path == str(path)
