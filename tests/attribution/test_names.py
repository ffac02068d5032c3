"""Names of engine layers, one style a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.attribution.names import LayerName, NameKind, parse_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a",)),
        ("a/b + c", ("a/b", "c")),
        ("a || b || c", ("a", "b", "c")),
        ("a + b || c", ("a", "b", "c")),
        ("PWN(a)", ("a",)),
        ("conv + PWN(act)", ("conv", "act")),
        ("PWN(a, b)", ("a", "b")),
        ("PWN(PWN(a, b), PWN(c + d))", ("a", "b", "c", "d")),
        (
            "PWN((Unnamed Layer* 2) [Constant] + X/sub1 + X/relu2, PWN(PWN(X/relu1), X))",
            ("(Unnamed Layer* 2) [Constant]", "X/sub1", "X/relu2", "X/relu1", "X"),
        ),
        ("w + QuantizeLinear_8 + Conv_12 + PWN(Clip_16)", ("w", "QuantizeLinear_8", "Conv_12", "Clip_16")),
        ("2-layer MLP: a -> b", ("a", "b")),
        ("{a,b,c}", ("a", "b", "c")),
        ("[CONVOLUTION]-[aten_ops.convolution.default]-[/features/0/0]", ("/features/0/0",)),
        ("/b1/dw/Conv + /b1/dw/Clip", ("/b1/dw/Conv", "/b1/dw/Clip")),
        ("conv(3x3) + bn[0]", ("conv(3x3)", "bn[0]")),
        ("odd ( name + b", ("odd ( name", "b")),
        ("PWN(a, PWN(b + c", ("a", "b", "c")),
    ],
)
def test_fused_names_give_their_parts(name: str, parts: tuple[str, ...]) -> None:
    found = parse_name(name)
    assert (found.kind, found.parts) == (NameKind.OPS, parts)


@given(st.text(alphabet="ab+| ,(){}[].:_PWNmylForeignNode0123456789\n", max_size=120))
def test_any_text_is_taken_apart_without_losing_order(name: str) -> None:
    found = parse_name(name)
    places = [name.find(part) for part in found.parts]
    assert all(place >= 0 for place in places)


def test_hundreds_of_parts_are_quick_to_take_apart() -> None:
    parts = tuple(f"layer_{number}/Conv2D" for number in range(2000))
    assert parse_name(" + ".join(parts), {"x"}.__contains__).parts == parts


def test_a_name_that_holds_the_separators_stays_whole() -> None:
    known = {"a + b", "c, d"}.__contains__
    assert parse_name("a + b", known).parts == ("a + b",)
    assert parse_name("a + b + e", known).parts == ("a + b", "e")
    assert parse_name("e + a + b", known).parts == ("e", "a + b")
    assert parse_name("PWN(c, d, e)", known).parts == ("c, d", "e")


@pytest.mark.parametrize(
    ("name", "pointwise"),
    [("PWN(a)", True), ("PWN(a) + PWN(b)", True), ("a + PWN(b)", False), ("a", False)],
)
def test_only_names_made_of_pwn_are_pointwise(name: str, pointwise: bool) -> None:
    assert parse_name(name).pointwise is pointwise


@pytest.mark.parametrize(
    ("name", "target", "side", "index", "boundary"),
    [
        ("a/b input reformatter 0", "a/b", "input", 0, False),
        ("a + b output reformatter 1", "a + b", "output", 1, False),
        ("Reformatting CopyNode for Input Tensor 0 to a + PWN(b)", "a + PWN(b)", "input", 0, False),
        ("Reformatting CopyNode for Output Tensor 0 to a", "a", "output", 0, False),
        ("Reformatting CopyNode for Network Input image", "image", "input", None, True),
        ("Reformatting CopyNode for Network Output logits", "logits", "output", None, True),
        (
            "block1/dw/conv + block1/dw/relu6 input r",
            "block1/dw/conv + block1/dw/relu6",
            "input",
            None,
            False,
        ),
        ("Reformatting CopyNode for something new", None, None, None, False),
    ],
)
def test_reformats_name_what_they_serve(
    name: str, target: str | None, side: str | None, index: int | None, boundary: bool
) -> None:
    assert parse_name(name) == LayerName(
        NameKind.REFORMAT, target=target, side=side, index=index, boundary=boundary
    )


@pytest.mark.parametrize(
    ("name", "kind", "parts", "region"),
    [
        ("{ForeignNode[a...b]}", NameKind.FOREIGN, ("a", "b"), None),
        ("{ForeignNode[w + a...b + c]}", NameKind.FOREIGN, ("w", "c"), None),
        ("__myl_MaxMinCas_myl4_0", NameKind.MYELIN, (), 4),
        ("__mye123_myl0_5", NameKind.MYELIN, (), 0),
        ("/b1/dw/Conv_myl2_7", NameKind.OPS, ("/b1/dw/Conv",), 2),
        ("/a/Conv+/a/Clip_myl2_7", NameKind.OPS, ("/a/Conv+/a/Clip",), 2),
        ("dummy_shape_call__mye99_myl0_1", NameKind.MYELIN, (), None),
        ("mixed/concat copy", NameKind.COPY, ("mixed/concat",), None),
    ],
)
def test_subgraphs_and_copies(name: str, kind: NameKind, parts: tuple[str, ...], region: int | None) -> None:
    assert parse_name(name) == LayerName(kind, parts, region=region)
