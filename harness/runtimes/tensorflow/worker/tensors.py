"""Tensors of the graph that is being written, and the order that their axes are in.

A network package is NCHW throughout. In a graph of NHWC images lie with the channels last; what comes behind
a transposition or a reshape of the network's own has the axes as the package says.
"""

from typing import Any, List, Sequence, Tuple

import numpy

from .library import tf1

TO_LAST = (0, 2, 3, 1)
TO_FIRST = (0, 3, 1, 2)


class Held(object):
    """A tensor of the graph.

    :param last: whether its channels lie last, where the package has them second
    """

    def __init__(self, tensor: Any, last: bool) -> None:
        self.tensor, self.last = tensor, last


def last_of(array: Any) -> Any:
    """Return the image *array* (N, C, H, W) as (N, H, W, C)."""
    return numpy.ascontiguousarray(array.transpose(TO_LAST))


def first_of(array: Any) -> Any:
    """Return the image *array* (N, H, W, C) as (N, C, H, W)."""
    return numpy.ascontiguousarray(array.transpose(TO_FIRST))


def laid(held: Held, last: bool, name: str) -> Held:
    """Return *held* with its channels *last* or second, by a node under *name* where they are not."""
    if held.last == last or len(held.tensor.shape) != 4:
        return held
    order, ending = (TO_LAST, "to_nhwc") if last else (TO_FIRST, "to_nchw")
    return Held(tf1.transpose(held.tensor, list(order), name="{}/{}".format(name, ending)), last)


def spatial(pair: Sequence[int], last: bool) -> List[int]:
    """Return *pair* (height, width) as TensorFlow wants strides and windows, for all four axes."""
    return [1] + list(pair) + [1] if last else [1, 1] + list(pair)


def same(size: int, kernel: int, stride: int) -> Tuple[int, int]:
    """Return what SAME pads before and after an axis."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
