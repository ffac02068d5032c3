"""Whether names are those of layers, where no frame around the rows says so.

A row of a name and milliseconds may be anything: a timer, an option, a ping. Without a header, a title or a
total around them, rows are a profile only where their names are such as TensorRT and exporters give.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# What only TensorRT writes into a name: fusions, reformats, unnamed layers, subgraphs, generated kernels.
_OWN = re.compile(
    r" \+ | \|\| |PWN\(|\(Unnamed Layer\*|(?:in|out)put reformatter \d|Reformatting CopyNode|\{ForeignNode\["
    r"|__my[el]|_myl\d|^\{.+,.+\}$|(?:copy finish|to nvm|from nvm)$|QuantizeLinear|\]-\[aten_ops"
)
_KIND = (
    r"conv(?:olution)?(?:2d|3d)?|deconv|depthwise|pointwise|separable|relu6?|leaky|prelu|sigmoid|swish|silu|gelu"
    r"|clip|pool(?:ing)?|avg_?pool|max_?pool|bn|batch_?norm(?:alization)?|layer_?norm|softmax"
    r"|fc|dense|gemm|matmul|innerproduct|concat|eltwise|shuffle|permute|upsample|resize_?nearest|flatten|stem|dw|pw"
)
# A kind of layer as a word of the name: 'conv1', 'block1/dw', 'Conv_12', 'res2a_relu'.
_LAYER = re.compile(rf"(?:^|[^a-z])(?:{_KIND})(?![a-z])", re.IGNORECASE)
_PLACED = re.compile(r"\d|/|\.")


def is_layer(name: str) -> bool:
    """Say whether *name* alone reads like a layer's."""
    return bool(_OWN.search(name) or _LAYER.search(name))


def are_layers(names: Collection[str]) -> bool:
    """Say whether most of *names* are names of layers, at least one of two or more.

    >>> are_layers(["conv1", "conv2 + relu2", "fc"]), are_layers(["decode", "resize", "inference"])
    (True, False)
    """
    if len(names) < 2:
        return False
    own = sum(1 for name in names if _OWN.search(name))
    layers = sum(1 for name in names if _LAYER.search(name))
    placed = sum(1 for name in names if _PLACED.search(name) or _OWN.search(name))
    return own * 3 >= len(names) or (layers * 2 >= len(names) and placed * 2 >= len(names))
