"""A verdict's words, its JSON, and which of its layers carry the change."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.analysis.table import Change, State
from harness.analysis.verdict import LayerChange, Verdict, cell_message, jsonable, verdict_message

PLAIN = Verdict(
    "relu6", "mobilenet_v2", "fp32-b1", "tensorrt", "8.6.0", "gpu-a", "reduced", "0.500 times", "cell-new"
)
PAIR = replace(
    PLAIN,
    state=State.PRESENT,
    change=Change.REDUCED,
    effect=0.5,
    interval=(0.4, 0.6),
    builds=(5, 4),
    smallest_detectable=0.08,
    against="8.5.3.1",
    against_cell="cell-old",
)


@pytest.mark.parametrize(
    ("word", "alarm"),
    [
        ("removed", True),
        ("reduced", True),
        ("regressed", True),
        ("invalid", True),
        ("unsupported", True),
        ("unchanged", False),
        ("indeterminate", False),
    ],
)
def test_an_alarm_is_an_answer_to_a_pair(word: str, alarm: bool) -> None:
    assert replace(PAIR, verdict=word).alarm is alarm
    assert not replace(PLAIN, verdict=word).alarm, "a side alone raises none"


@pytest.mark.parametrize(
    ("ends", "about"),
    [
        ((1.005, 1.015), True),
        ((0.985, 0.995), True),
        ((1.0101, 1.0199), True),  # wholly above what is material, but not by the interval that decides
        ((0.999, 1.015), False),
        ((1.005, 1.0201), False),
        ((0.9799, 0.995), False),
        ((1.01, 1.01), False),
        (None, False),
    ],
)
def test_about_material_is_what_is_surely_there_and_surely_under_twice_that(
    ends: tuple[float, float] | None, about: bool
) -> None:
    latency = replace(PAIR, verdict="indeterminate", change=None, interval=ends, evidence={"material": 0.01})
    assert latency.about_material is about
    cost = replace(
        latency,
        interval=None,
        difference=0.0,
        difference_interval=None if ends is None else (ends[0] - 1, ends[1] - 1),
    )
    assert cost.about_material is about
    assert not replace(latency, verdict="unchanged").about_material
    assert not replace(latency, evidence={}).about_material


def test_carriers_are_what_moved_as_the_whole_did() -> None:
    layers = (
        LayerChange("less", 0.4, 0.1, 0.001, changed=True),
        LayerChange("more", 0.1, 0.3, 0.001, changed=True),
        LayerChange("noise", 0.3, 0.2, 0.4),
        LayerChange("gone", 0.2, None, 0.001, changed=True),
    )
    assert [x.name for x in replace(PAIR, layers=layers).carriers] == ["less", "gone"]
    assert [x.name for x in replace(PAIR, layers=layers, effect=1.2).carriers] == ["more"]
    assert replace(PAIR, layers=layers, effect=None).carriers == ()
    assert replace(PAIR, layers=layers, effect=1.0).carriers == ()


@pytest.mark.parametrize(
    ("old", "new", "difference"), [(0.25, 1.0, 0.75), (None, 1.0, 1.0), (0.25, None, -0.25)]
)
def test_a_side_without_a_layer_counts_as_nothing(
    old: float | None, new: float | None, difference: float
) -> None:
    assert LayerChange("x", old, new).difference_ms == difference


def test_a_run_that_ended_before_the_cell_did_not_try_it() -> None:
    assert replace(PLAIN, evidence={"status": "interrupted"}).unmeasured
    assert not replace(PLAIN, evidence={"status": "failed"}).unmeasured
    assert not PLAIN.unmeasured


def test_the_subject_is_network_and_treatment() -> None:
    assert PLAIN.subject == "mobilenet_v2-fp32-b1"


def test_one_line_says_all_that_is_known() -> None:
    layers = (
        LayerChange("a", 0.125, 0.0625, changed=True),
        LayerChange("b", None, 0.5, changed=True),
        LayerChange("stayed", 4.0, 4.001),
        LayerChange("c", 0.5, None, changed=True),
        LayerChange("d", 1.0, 0.5, changed=True),
    )
    accepted = {"reason": "known", "expires": "2027-03-31"}
    assert verdict_message(replace(PAIR, layers=layers, accepted=accepted)) == (
        "relu6 of mobilenet_v2 fp32-b1 on tensorrt 8.6.0 against 8.5.3.1 (gpu-a): reduced: 0.500 times; "
        "builds 5 and 4; a change of 8.0 % could have been shown; "
        "layers: a 0.1250 -> 0.0625 ms, b - -> 0.5000 ms, c 0.5000 -> - ms; "
        "accepted until 2027-03-31: known"
    )


def test_a_line_leaves_out_what_is_not_there() -> None:
    bare = replace(PAIR, interval=None, builds=(0, 0), smallest_detectable=None, host="")
    assert verdict_message(bare) == (
        "relu6 of mobilenet_v2 fp32-b1 on tensorrt 8.6.0 against 8.5.3.1: reduced: 0.500 times; "
        "effect 0.500 times, no interval"
    )
    assert "builds" not in verdict_message(replace(PAIR, against=None)), "of a side alone there is no pair"
    one = tuple(LayerChange(name, 0.125, 0.0625, changed=True) for name in "ab")
    assert "; layers: a 0.1250 -> 0.0625 ms" in verdict_message(replace(PAIR, layers=one), layers=1)
    assert ", b " not in verdict_message(replace(PAIR, layers=one), layers=1)
    assert "layers" not in verdict_message(replace(PAIR, layers=one), layers=0)


def test_of_a_cell_as_a_whole_no_bottleneck_is_named() -> None:
    said = cell_message(replace(PAIR, verdict="unsupported", reason="no GPU"))
    assert said == "mobilenet_v2 fp32-b1 on tensorrt 8.6.0 (gpu-a): unsupported: no GPU"


def test_its_name_is_that_of_its_question_and_no_other() -> None:
    answered = replace(PAIR, effect=0.9, verdict="unchanged", change=Change.UNCHANGED, builds=(9, 9))
    assert answered.name == PAIR.name, "more builds may answer the same question otherwise"
    others = [
        replace(PAIR, **{field: "other"})
        for field in ("kind", "cell", "against", "against_cell", "host", "group")
    ]
    assert len({one.name for one in (PAIR, *others)}) == 1 + len(others)
    assert re.fullmatch("relu6-[a-z2-7]{6}", PAIR.name)


def test_what_can_be_reproduced_is_a_change_between_versions() -> None:
    assert PAIR.can_be_reproduced
    assert not replace(PAIR, change=Change.UNCHANGED).can_be_reproduced
    assert not replace(PAIR, kind="aa").can_be_reproduced
    assert not replace(PAIR, against_cell=None).can_be_reproduced


def test_its_json_is_what_it_holds() -> None:
    layers = (LayerChange("a", 0.5, None, 0.01, changed=True),)
    full = replace(PAIR, layers=layers, evidence={"x": (1,)}, accepted={"reason": "r", "expires": "e"})
    found = json.loads(json.dumps(full.as_json(), allow_nan=False))
    assert found == {
        "name": full.name,
        "bottleneck": "relu6",
        "network": "mobilenet_v2",
        "treatment": "fp32-b1",
        "runtime": "tensorrt",
        "version": "8.6.0",
        "host": "gpu-a",
        "state": "present",
        "change": "reduced",
        "verdict": "reduced",
        "effect": 0.5,
        "interval": [0.4, 0.6],
        "builds": [5, 4],
        "smallest_detectable": 0.08,
        "reason": "0.500 times",
        "layers": [{"name": "a", "old_ms": 0.5, "new_ms": None, "q": 0.01, "changed": True}],
        "evidence": {"x": [1]},
        "against": "8.5.3.1",
        "against_cell": "cell-old",
        "kind": "version",
        "cell": "cell-new",
        "group": "",
        "accepted": {"reason": "r", "expires": "e"},
        "difference": None,
        "difference_interval": None,
        "measured": None,
        "settles": None,
        "since": None,
        "confirmed": None,
    }


def test_numbers_that_json_does_not_have_become_null() -> None:
    endless = replace(PAIR, effect=math.inf, interval=(0.0, math.inf), smallest_detectable=math.nan)
    found = endless.as_json()
    assert (found["effect"], found["interval"], found["smallest_detectable"]) == (None, [0.0, None], None)
    assert PLAIN.as_json()["interval"] is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(ANYTHING)
def test_whatever_evidence_holds_becomes_json_once_and_for_all(value: Any) -> None:
    made = jsonable(value)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert jsonable(made) == made


def test_what_json_has_stays_what_it_is() -> None:
    given = {"a": [1, 2.5, "x", True, None], 7: frozenset({3})}
    assert jsonable(given) == {"a": [1, 2.5, "x", True, None], "7": [3]}
    assert jsonable(Change.REDUCED) == "reduced"
    assert jsonable(b"raw") == "b'raw'"


def test_a_layer_of_which_no_probability_is_known_has_not_changed() -> None:
    plain = LayerChange("a", 1.0, 2.0)
    assert (plain.q, plain.changed) == (None, False)
    made = replace(PAIR, layers=(plain,)).as_json()["layers"]
    assert made == [{"name": "a", "old_ms": 1.0, "new_ms": 2.0, "q": None, "changed": False}]


def test_the_json_form_has_every_field_as_it_stands() -> None:
    full = replace(
        PAIR,
        state=State.PRESENT,
        change=Change.REGRESSED,
        effect=1.1,
        interval=(1.0, 1.2),
        builds=(3, 4),
        smallest_detectable=0.02,
        group="b",
        accepted={"reason": "known", "expires": "2027-01-01"},
        difference=0.1,
        difference_interval=(0.05, 0.15),
        measured="side by side",
        settles="about 2 more builds a side",
        confirmed=True,
        since="2026-11-01",
    )
    said = full.as_json()
    for name in set(Verdict.__struct_fields__) - {"layers", "evidence"}:
        value = getattr(full, name)
        assert said[name] == (list(value) if isinstance(value, tuple) else value), name
