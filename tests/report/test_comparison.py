"""A comparison in a sentence: which is faster, by how much, or that it cannot be told."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.analysis.table import Change
from harness.analysis.verdict import LayerChange, Verdict
from harness.report.comparison import layer_rows, sentences

ONE = Verdict(
    "latency", "m", "fp32-b1-clip", "ort", "2.0", "h", "regressed", "slower", "m-2.0", against="1.0",
    change=Change.REGRESSED, effect=1.041, interval=(1.032, 1.05),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "ort 2.0 is 4.1 % slower than 1.0 (3.2 to 5.0 %)."),
        (
            {"change": Change.REDUCED, "effect": 0.8, "interval": (0.75, 0.85)},
            "ort 2.0 is 20.0 % faster than 1.0 (15.0 to 25.0 %).",
        ),
        (
            {"change": Change.UNCHANGED, "effect": 1.001, "interval": (0.994, 1.007)},
            "ort 2.0 is as fast as 1.0: the difference is under 0.7 %.",
        ),
        (
            {"change": None, "effect": 1.01, "interval": (0.98, 1.04)},
            "ort 2.0 cannot be told from 1.0: +1.0 % (\N{MINUS SIGN}2.0 % to +4.0 %).",
        ),
        (
            {
                "change": None,
                "effect": 1.01,
                "interval": (0.98, 1.04),
                "settles": "about 4 more builds a side",
            },
            "ort 2.0 cannot be told from 1.0: +1.0 % (\N{MINUS SIGN}2.0 % to +4.0 %); would be settled by "
            "about 4 more builds a side.",
        ),
        (
            {"verdict": "invalid", "reason": "outputs are wrong", "effect": None, "interval": None},
            "ort 2.0 beside 1.0: invalid: outputs are wrong.",
        ),
    ],
)
def test_a_sentence_says_how_much_and_how_sure(changes: dict[str, object], said: str) -> None:
    assert sentences([replace(ONE, **changes)]) == [said]  # type: ignore[arg-type]


def test_other_verdicts_and_versions_without_a_partner_have_no_sentence() -> None:
    assert sentences([replace(ONE, bottleneck="relu6"), replace(ONE, against=None)]) == []


def test_the_layers_that_changed_are_the_rows_by_size() -> None:
    layers = (
        LayerChange("pool", 0.2, 0.1, 0.001, changed=True),
        LayerChange("conv", 1.0, 1.5, 0.001, changed=True),
        LayerChange("still", 0.3, 0.31, 0.7),
    )
    assert layer_rows([replace(ONE, layers=layers)]) == [
        ("ort 2.0", "conv", "1.000", "1.500", "+0.500"),
        ("ort 2.0", "pool", "0.200", "0.100", "\N{MINUS SIGN}0.100"),
    ]
