"""Tensor formats in memory: where each element lies, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes.tensorrt.worker.layouts import byte_size, pack, physical_shape, unpack
from harness.worker.errors import UnsupportedError

FORMATS = ("LINEAR", "CHW2", "CHW4", "CHW16", "CHW32", "HWC", "HWC8", "HWC16")


@given(
    layout=st.sampled_from(FORMATS),
    shape=st.tuples(*(st.integers(1, n) for n in (3, 40, 4, 4))),
    kind=st.sampled_from(["fp32", "fp16", "int8"]),
)
def test_what_is_packed_comes_back(layout: str, shape: tuple[int, ...], kind: str) -> None:
    values = np.random.default_rng(0).integers(-100, 100, shape).astype(np.float32)
    raw = pack(values, layout, kind).reshape(-1).view(np.uint8)
    assert raw.nbytes == byte_size(shape, layout, kind)
    np.testing.assert_array_equal(unpack(raw, shape, layout, kind), values)


def test_each_element_lies_where_the_format_says() -> None:
    """Offsets of (c, h, w) in an image of 5 x 2 x 3, by the formulas of NvInferRuntime.h."""
    channels, height, width = 5, 2, 3
    values = np.arange(1, channels * height * width + 1, dtype=np.float32).reshape(1, channels, height, width)
    chw4, hwc8 = pack(values, "CHW4", "fp32").reshape(-1), pack(values, "HWC8", "fp32").reshape(-1)
    for c in range(channels):
        for h in range(height):
            for w in range(width):
                value = values[0, c, h, w]
                assert chw4[(((c // 4) * height + h) * width + w) * 4 + c % 4] == value
                assert hwc8[(h * width + w) * 8 + c] == value
    assert hwc8.size == height * width * 8
    assert np.count_nonzero(hwc8) == values.size  # the padding is zero


def test_int8_is_rounded_to_its_grid_and_kept_inside() -> None:
    values = np.array([0.0, 0.26, -0.26, 99.0, -99.0], dtype=np.float32).reshape(1, 5, 1, 1)
    raw = pack(values, "LINEAR", "int8", scale=0.5)
    assert raw.reshape(-1).tolist() == [0, 1, -1, 127, -127]
    back = unpack(raw.reshape(-1).view(np.uint8), values.shape, "LINEAR", "int8", scale=0.5)
    assert back.reshape(-1).tolist() == [0.0, 0.5, -0.5, 63.5, -63.5]


@pytest.mark.parametrize("layout", ["DHWC8", "DLA_LINEAR", "CDHW32"])
def test_formats_of_other_ranks_and_devices_are_refused(layout: str) -> None:
    with pytest.raises(UnsupportedError, match="tensor format"):
        physical_shape((1, 3, 2, 2), layout)


def test_a_vector_has_no_channels_to_split() -> None:
    with pytest.raises(UnsupportedError, match="four axes"):
        physical_shape((2, 8), "HWC8")
