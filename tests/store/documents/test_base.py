"""Documents are read strictly: what is wrong is named with file and path, what is old is converted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError, OtherReleaseError
from harness.store.documents.base import (
    Document,
    Part,
    as_json,
    document_of,
    json_text,
    read_document,
    write_document,
)
from harness.store.files import read_json, write_json


class Leaf(Part, frozen=True, kw_only=True):
    name: str
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class Tree(Document, frozen=True, kw_only=True, tag="test.tree/2"):
    EARLIER: ClassVar[Any] = {
        "test.tree/1": lambda old: {"leaves": [{"name": name} for name in old["names"]]},
        "": lambda old: {"height": old["h"]},
    }

    leaves: tuple[Leaf, ...] = ()
    height: float | None = None
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


leaves = st.builds(Leaf, name=st.text(), counts=st.dictionaries(st.text(), st.integers()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(
    st.builds(
        Tree,
        leaves=st.lists(leaves, max_size=3).map(tuple),
        height=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        facts=st.dictionaries(st.text(), json_values, max_size=3),
    )
)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, tree: Tree) -> None:
    path = tmp_path_factory.mktemp("tree") / "tree.json"
    write_document(path, tree)
    assert read_document(path, Tree) == tree
    assert next(iter(read_json(path))) == "schema"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"leaves": [{"name": "a"}, {"name": 3}]}, "tree.json: leaves[1].name: expected `str`, got `int`"),
        (
            {"leaves": [{"name": "a", "counts": {"b": 1, "c.d": "x"}}]},
            "tree.json: leaves[0].counts['c.d']: expected `int`, got `str`",
        ),
        ({"leaves": [{}]}, "tree.json: leaves[0]: object missing required field `name`"),
        ({"height": "3"}, "tree.json: height: expected `float | null`, got `str`"),
        (
            {"crown": 1},
            "tree.json: object contains unknown field `crown`; a later release may have written it",
        ),
        ({"leaves": 3}, "tree.json: leaves: expected `array`, got `int`"),
    ],
)
def test_the_bad_field_is_named(tmp_path: Path, data: dict[str, Any], said: str) -> None:
    write_json(tmp_path / "tree.json", {"schema": "test.tree/2", **data})
    with pytest.raises(InputError) as caught:
        read_document(tmp_path / "tree.json", Tree)
    assert str(caught.value) == f"{tmp_path}/{said}"


def test_the_path_is_that_of_the_element_that_is_wrong_and_of_no_other_that_looks_like_it() -> None:
    good, bad = {"name": "a", "counts": {"x": 1}}, {"name": "b", "counts": {"x": 1, "y": None}}
    data = {"schema": "test.tree/2", "leaves": [good, bad, good]}
    with pytest.raises(InputError, match=r"leaves\[1\]\.counts\['y'\]"):
        document_of(data, Tree, Path("tree.json"))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("test.tree/3", "a later release wrote it"),
        ("test.bush/2", "expected schema 'test.tree/2', found 'test.bush/2'$"),
        (["test.tree/1"], "expected schema"),
        (7, "found 7"),
    ],
)
def test_another_schema_is_refused(schema: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        document_of({"schema": schema}, Tree, Path("tree.json"))


def test_an_earlier_form_is_converted() -> None:
    old = {"schema": "test.tree/1", "names": ["a", "b"]}
    assert document_of(old, Tree, Path("tree.json")) == Tree(leaves=(Leaf(name="a"), Leaf(name="b")))
    assert document_of({"h": 2}, Tree, Path("tree.json")) == Tree(height=2.0)
    with pytest.raises(InputError, match=r"not of the form test.tree/1: 'names'"):
        document_of({"schema": "test.tree/1"}, Tree, Path("tree.json"))


def test_what_json_does_not_have_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_document(tmp_path / "tree.json", Tree(height=float("nan")))
    assert not list(tmp_path.iterdir())


def test_the_written_form_is_plain_json() -> None:
    tree = Tree(leaves=(Leaf(name="a"),))
    made = as_json(tree)
    assert made["schema"] == "test.tree/2"
    assert document_of(made, Tree, Path("tree.json")) == tree


class Plain(Document, frozen=True, kw_only=True, tag="test.plain/1"):
    name: str = ""


@pytest.mark.parametrize("schema", ["test.plain/0", "test.plain/2", None])
def test_a_document_that_never_had_another_form_is_read_in_this_one_alone(schema: str | None) -> None:
    data = {"name": "a"} if schema is None else {"schema": schema, "name": "a"}
    with pytest.raises(OtherReleaseError) as caught:
        document_of(data, Plain, Path("plain.json"))
    assert (caught.value.path, caught.value.where) == ("plain.json", "schema")
    assert "expected schema 'test.plain/1', found " in caught.value.problem
    assert document_of({"schema": "test.plain/1"}, Plain, Path("plain.json")) == Plain()


def test_text_for_people_is_indented_and_ends_in_a_line_feed() -> None:
    assert json_text(Tree(leaves=(Leaf(name="ä"),))) == (
        '{\n "schema": "test.tree/2",\n "leaves": [\n  {\n   "name": "ä",\n   "counts": {}\n  }\n ],\n'
        ' "height": null,\n "facts": {}\n}\n'
    )
    assert '"height": null' in json_text(Tree(height=float("inf"))), "JSON has no infinity"
