"""What TensorFlow's ops on images become: convolutions, poolings, and what is folded into them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.networks.builder import same_padding
from harness.networks.graph import OpKind
from harness.networks.graphdef import attribute
from harness.networks.graphdef_nodes import Tensor, laid_last
from harness.networks.graphdef_reading import Reading, UnreadableNodeError


def _window(
    at: Reading, image: Tensor, kernel: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the pads and the height and width of the output of a window op."""
    before = image.pads or (0, 0, 0, 0)
    sizes = [image.image[1] + before[0] + before[2], image.image[2] + before[1] + before[3]]
    padding = attribute(at.node, "padding").s
    if padding == b"SAME":
        (top, bottom), (left, right) = map(same_padding, sizes, kernel, strides)
    elif padding == b"VALID":
        top = bottom = left = right = 0
    elif padding == b"EXPLICIT":
        said = list(attribute(at.node, "explicit_paddings").list.i)
        top, bottom, left, right = said[2:6] if laid_last(at.node) else said[4:8]
    else:
        raise UnreadableNodeError(f"the padding '{padding.decode(errors='replace')}' is not known")
    around = [top, left, bottom, right]
    spatial = [
        (size + first + second - extent) // step + 1
        for size, first, second, extent, step in zip(
            sizes, (top, left), (bottom, right), kernel, strides, strict=True
        )
    ]
    if min(*around, *(size - 1 for size in spatial)) < 0:
        raise UnreadableNodeError(f"a window of {list(kernel)} does not fit into {sizes}")
    return [one + other for one, other in zip(before, around, strict=True)], spatial


def _taken(image: Tensor, value: float) -> Tensor:
    """Return *image* with its pads of *value* taken in; others stay, and are refused where it is added."""
    return replace(image, pads=None) if image.around == value else image


def conv(at: Reading) -> Tensor:
    """Read a convolution, in groups or depthwise too."""
    image, taps = at.image(), at.constant(1)
    if taps.ndim != 4:
        raise UnreadableNodeError(f"its weights have the shape {taps.shape}")
    if at.node.op == "DepthwiseConv2dNative":
        groups = taps.shape[2]
        kernel: np.ndarray = taps.transpose(2, 3, 0, 1).reshape(-1, 1, *taps.shape[:2])
    else:
        kernel = taps.transpose(3, 2, 0, 1)
        groups = image.image[0] // max(kernel.shape[1], 1)
    channels = image.image[0]
    if kernel.size == 0 or groups * kernel.shape[1] != channels or kernel.shape[0] % groups:
        raise UnreadableNodeError(f"weights of shape {taps.shape} do not fit {channels} channels")
    strides, dilations = at.pair("strides"), at.pair("dilations")
    extent = [(size - 1) * step + 1 for size, step in zip(kernel.shape[2:], dilations, strict=True)]
    pads, spatial = _window(at, image, extent, strides)
    said: dict[str, object] = {"kernel": list(kernel.shape[2:]), "strides": strides, "pads": pads}
    said |= {"groups": groups, "depthwise": groups > 1 and groups == channels}
    said |= {"dilations": dilations} if dilations != [1, 1] else {}
    size, last = (kernel.shape[0], *spatial), image.last
    return at.made.image(at.name, OpKind.CONV, [_taken(image, 0.0)], size, last, {"kernel": kernel}, **said)


def pool(at: Reading) -> Tensor:
    """Read a pooling; a mean of the whole image is a global one."""
    image, kernel, strides = at.image(), at.pair("ksize"), at.pair("strides")
    pads, spatial = _window(at, image, kernel, strides)
    size, mean = (image.image[0], *spatial), at.node.op == "AvgPool"
    if mean and tuple(kernel) == image.image[1:] and not any(pads):
        return at.made.image(at.name, OpKind.GLOBAL_AVERAGE_POOL, [image], size, image.last)
    # Zeros that a Pad put there count in a mean, and those of SAME do not: only the latter has a source op.
    if not mean:
        # Zeros are never the largest of what is not negative, so long as each window has some of it.
        inside = pads[0] < kernel[0] and pads[2] < kernel[0] and pads[1] < kernel[1] and pads[3] < kernel[1]
        zeros = image.around == 0.0 and inside and _never_negative(at, image)
        image = _taken(image, 0.0 if zeros else -math.inf)
    kind = OpKind.AVERAGE_POOL if mean else OpKind.MAX_POOL
    return at.made.image(at.name, kind, [image], size, image.last, kernel=kernel, strides=strides, pads=pads)


def _never_negative(at: Reading, image: Tensor) -> bool:
    op = at.made.ops.get(image.name)
    if op is None:
        return False
    return op.kind is OpKind.RELU or (op.kind is OpKind.CLIP and op.attributes["minimum"] == 0.0)


def pad(at: Reading) -> Tensor:
    """Read a Pad: the convolution or pooling that reads it takes it in."""
    tensor, around = at.tensor(), at.constant(1)
    rank = len(tensor.shape)
    if rank != 4 or around.shape != (4, 2) or tensor.pads is not None:
        raise UnreadableNodeError("only images are padded, once")
    rows, columns = (1, 2) if tensor.last else (2, 3)
    others = [axis for axis in range(4) if axis not in (rows, columns)]
    if around[others].any() or (around < 0).any():
        raise UnreadableNodeError(f"pads {around.tolist()}: only height and width can be padded")
    (top, bottom), (left, right) = around[rows].tolist(), around[columns].tolist()
    value = float(at.constant(2)) if len(at.values) > 2 else 0.0
    return replace(tensor, pads=(top, left, bottom, right), around=value, padded_by=at.name)


def affine(at: Reading, tensor: Tensor, scale: np.ndarray | None, shift: np.ndarray) -> Tensor:
    """Return *tensor* times *scale* plus *shift*, one a channel: in the op that writes it, if it can be."""
    made, rank = at.made, len(tensor.shape)
    channels = tensor.image[0] if rank == 4 else tensor.shape[-1]
    if rank not in (2, 4) or any(one is not None and one.shape != (channels,) for one in (scale, shift)):
        raise UnreadableNodeError(f"constants of shape {shift.shape} do not fit {tensor.shape} by channel")
    conv = made.alone(tensor, OpKind.CONV)
    if conv is not None:
        kernel, bias = made.weights[conv.weights["kernel"]], conv.weights.get("bias")
        before = made.weights[bias].astype(np.float64) if bias else np.zeros(channels)
        if scale is not None:
            made.weights[conv.weights["kernel"]] = (kernel * scale[:, None, None, None]).astype(np.float32)
            before = before * scale
        key = f"{conv.name}/bias"
        made.weights[key] = (before + shift).astype(np.float32)
        made.ops[conv.name] = replace(conv, weights={**conv.weights, "bias": key})
        return replace(tensor, name=conv.name)
    if rank == 2 and scale is None:
        return made.add(at.name, OpKind.ADD_VECTOR, [tensor], tensor.shape, {"vector": shift})
    if rank == 2:
        raise UnreadableNodeError("a product with a vector has no kind here")
    taps = (np.ones(channels) if scale is None else scale).reshape(-1, 1, 1, 1)
    said = {"kernel": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "groups": channels}
    weights, size = {"kernel": taps, "bias": shift}, tensor.image
    return made.image(
        at.name, OpKind.CONV, [tensor], size, tensor.last, weights, **said, depthwise=channels > 1
    )


def bias(at: Reading) -> Tensor:
    """Read a BiasAdd."""
    tensor = at.tensor()
    return affine(at, at.image() if len(tensor.shape) == 4 else tensor, None, at.constant(1))


def batch_norm(at: Reading) -> Tensor:
    """Read a batch norm with its statistics as constants."""
    said = attribute(at.node, "is_training")
    if said.b or not any(entry.key == "is_training" for entry in at.node.attr):
        raise UnreadableNodeError("computes statistics as in a training; freeze the graph for inference")
    scale, offset, mean, variance = (at.constant(index).astype(np.float64) for index in range(1, 5))
    if np.any(variance < 0):
        raise UnreadableNodeError("has a negative variance")
    # The message has a float, whose epsilon is that of TensorFlow's kernel.
    epsilon = attribute(at.node, "epsilon").f or 1e-4
    factor = scale / np.sqrt(variance + epsilon)
    return affine(at, at.image(), factor, offset - mean * factor)


def mean(at: Reading) -> Tensor:
    """Read a mean over height and width."""
    image, rank = at.tensor(), len(at.tensor().shape)
    wanted = [1, 2] if image.last else [2, 3]
    if rank != 4 or sorted(axis % rank for axis in at.ints(1)) != wanted:
        raise UnreadableNodeError(f"over the axes {at.ints(1)} of {image.shape} has no kind here")
    size = (image.image[0], 1, 1)
    pooled = at.made.image(at.name, OpKind.GLOBAL_AVERAGE_POOL, [image], size, image.last)
    if attribute(at.node, "keep_dims").b:
        return pooled
    name, shape = f"{at.name}/Squeeze", (image.shape[0], size[0])
    return at.made.add(name, OpKind.RESHAPE, [pooled], shape, shape=[0, size[0]])
