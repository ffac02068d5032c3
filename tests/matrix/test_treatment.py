"""The table of treatment fields: what runtimes bring, what a cell of each has, and reading it back."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.matrix.cell import Cell, Treatment
from harness.matrix.expand import expand
from harness.matrix.file import read_matrix
from harness.matrix.treatment import COMMON, PRECISION, SOURCE, TreatmentField, treatment_table

TILES = TreatmentField("tiles", None, 1, "{}tiles", "tiles a layer", most=8)
OWN_PRECISION = TreatmentField("precision", ("high", "low"), "high", meaning="of acme's arithmetic")
TABLE = treatment_table({"acme": (PRECISION, OWN_PRECISION, TILES), "other": COMMON})

MATRIX = """
schema = "trtmatrix.matrix/1"
[[versions]]
runtime = "acme"
versions = ["1"]
[[versions]]
runtime = "other"
versions = ["2"]
[[block]]
networks = ["small"]
"""


def cells(folder: Path, block: str) -> list[Cell]:
    path = folder / "matrix.toml"
    path.write_text(MATRIX + block, encoding="utf-8")
    runtimes = {"acme": ("venv",), "other": ("venv",)}
    return expand(
        read_matrix(path, TABLE), networks=["small"], runtimes=runtimes, environments=["venv"], table=TABLE
    )


def test_the_record_and_the_table_have_the_same_fields_and_defaults() -> None:
    said = {item.name: item.default for item in fields(Treatment) if not item.name.startswith("own")}
    assert said == {item.name: item.default for item in COMMON}


def test_a_name_that_is_taken_gets_the_runtime_s_in_front() -> None:
    assert [item.name for item in TABLE.by_runtime["acme"]] == ["precision", "acme_precision", "tiles"]
    assert [item.name for item in TABLE.fields] == [*(c.name for c in COMMON), "acme_precision", "tiles"]


def test_two_runtimes_that_differ_about_a_name_both_get_their_own() -> None:
    other = TreatmentField("tiles", ("few", "many"), "few")
    table = treatment_table({"acme": (TILES,), "brand": (other,)})
    assert {item.name for item in table.fields[len(COMMON) :]} == {"acme_tiles", "brand_tiles"}
    shared = treatment_table({"acme": (TILES,), "brand": (TILES,)})
    assert [item.name for item in shared.fields[len(COMMON) :]] == ["tiles"]


def test_a_key_of_a_block_is_no_field() -> None:
    table = treatment_table({"acme": (TreatmentField("networks", None, "one"),)})
    assert table.fields[-1].name == "acme_networks"


def test_each_runtime_s_cells_have_its_own_fields_and_no_others(tmp_path: Path) -> None:
    acme, other = cells(tmp_path, "")
    assert dict(acme.treatment.own) == {"acme_precision": "high", "tiles": 1}
    assert acme.id == "small-fp32-b1-clip-acme-1"
    assert other.treatment.own == ()


def test_what_is_asked_for_stands_in_the_id_and_multiplies_only_who_knows_it(tmp_path: Path) -> None:
    found = cells(tmp_path, 'tiles = [1, 4]\nacme_precision = ["high", "low"]')
    assert [cell.id for cell in found if cell.runtime == "acme"] == [
        "small-fp32-b1-clip-acme-1",
        "small-fp32-b1-clip-4tiles-acme-1",
        "small-fp32-b1-clip-acme_precision_low-acme-1",
        "small-fp32-b1-clip-acme_precision_low-4tiles-acme-1",
    ]
    reasons = [TABLE.unknown(cell.treatment, "other") for cell in found if cell.runtime == "other"]
    assert reasons[0] is None
    assert reasons[1] == "other knows no treatment 'tiles' (asked for: '4')"
    assert all(reasons[1:])


def test_a_common_field_that_a_runtime_does_not_know_is_named() -> None:
    assert TABLE.unknown(Treatment(precision="fp16"), "acme") is None
    assert TABLE.unknown(Treatment(source="onnx"), "acme") == (
        "acme knows no treatment 'source' (asked for: 'onnx')"
    )


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("tiles = [9]", "key 'tiles': expected a whole number from 1 to 8"),
        ('acme_precision = ["middle"]', "key 'acme_precision': unknown value 'middle'"),
        ('tile = ["4"]', "unknown key 'tile'; did you mean 'tiles'"),
        ("tiles = []", "key 'tiles': is empty"),
        ('source = ["uff"]', "key 'source': unknown value 'uff'"),
    ],
)
def test_own_fields_are_checked_as_the_common_ones(tmp_path: Path, block: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        cells(tmp_path, block)


def test_uff_is_read_from_old_bundles() -> None:
    old = Treatment.from_json({"source": "uff"})
    assert (old.source, old.label) == ("uff", "fp32-b1-clip-from_uff")
    assert SOURCE.values is not None
    assert "uff" not in SOURCE.values


@given(
    st.lists(
        st.builds(
            TreatmentField,
            st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True),
            st.none(),
            st.sampled_from(["a", "b"]),
            st.sampled_from(["", "{}", "with_{}", "x-{}-y"]),
        ),
        unique_by=lambda item: item.name,
        max_size=4,
    ),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=4, max_size=4),
    st.sampled_from(["", "aa"]),
)
def test_a_cell_is_read_back_with_its_id_where_the_plugin_is_absent(
    brought: list[TreatmentField], values: list[str], repeat: str
) -> None:
    table = treatment_table({"acme": brought})
    names = [item.name for item in table.by_runtime["acme"]]
    asked = Treatment(own=tuple(zip(names, values, strict=False)))
    cell = Cell("small", table.fitted(asked, "acme"), "acme", "1.0", "venv", repeat)
    back = Cell.from_json(cell.as_json())
    assert back == cell
    assert (back.id, back.subject) == (cell.id, cell.subject)


@pytest.mark.parametrize("value", [True, None, 1.5, ["a"]])
def test_a_field_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="a treatment's acme_mode"):
        Treatment.from_json({"acme_mode": value})
