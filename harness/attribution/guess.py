"""The accounting class of an engine layer whose source ops are unknown: from its type, shape and name.

Used where no network is given. What the engine says of the layer (filter, groups) decides before names do.
"""

from __future__ import annotations

import re

from harness.attribution.names import LayerName
from harness.evidence.records import EngineLayer
from harness.networks.graph import OpClass

_BY_TYPE = (
    (re.compile(r"depthwise", re.I), OpClass.DEPTHWISE),
    (re.compile(r"pool", re.I), OpClass.POOLING),
    (re.compile(r"softmax|^activation$", re.I), OpClass.ACTIVATION),
    (re.compile(r"fullyconnected|matrixmultiply|matmul|^gemm$", re.I), OpClass.DENSE),
    (re.compile(r"^(elementwise|scale|unary)$", re.I), OpClass.ELEMENTWISE),
)
# Of a layer's parts the first that says convolution decides; the names are those of TF-slim, Keras and ONNX.
_BY_PART = (
    (re.compile(r"depthwise|(^|[/._])dw([/._]|$)", re.I), OpClass.DEPTHWISE),
    (re.compile(r"pointwise|(^|/)(expand|project)(/|$)|1x1|(^|[/._])pw([/._]|$)", re.I), OpClass.POINTWISE),
    (re.compile(r"conv", re.I), OpClass.CONVOLUTION),
    (re.compile(r"pool", re.I), OpClass.POOLING),
    (re.compile(r"(^|[/._])(matmul|gemm|dense|fc)", re.I), OpClass.DENSE),
    (re.compile(r"(^|[/._])add(v2)?([/._]|$)", re.I), OpClass.ELEMENTWISE),
)
_ACTIVATION_PART = re.compile(
    r"(^|[/._\s])(relu\d*|clip|sub\d*|sigmoid|softmax|hardswish|swish|lrelu|elu)(_\d+|:\d+)?$"
    r"|\[(Activation|Constant)\]$",
    re.I,
)
# Myelin shortens the operations of its kernels: minimum and maximum together are a clip.
_MYELIN = (
    (re.compile(r"__myl_\w*(Conv)", re.I), OpClass.CONVOLUTION),
    (re.compile(r"__myl_\w*Mea", re.I), OpClass.POOLING),
    (re.compile(r"__myl_(?!\w*(Mul|Sum|Gemm|Resh|Tran|Add))\w*(Max|Min|Relu|Sig)", re.I), OpClass.ACTIVATION),
    (re.compile(r"__myl_(Cas)?(Add|Mul|Sub)(Cas)?_", re.I), OpClass.ELEMENTWISE),
)


def is_activation_name(part: str) -> bool:
    """Say whether *part* is what an activation, or a piece of one, is called."""
    return _ACTIVATION_PART.search(part) is not None


def guess_class(layer: EngineLayer, name: LayerName) -> str:
    """Return the accounting class of *layer*, ``unknown`` where nothing tells."""
    if (shaped := _by_shape(layer)) is not None:
        return shaped.value
    for pattern, found in _BY_TYPE:
        if layer.type and pattern.search(layer.type):
            return found.value
    if name.parts and all(map(is_activation_name, name.parts)):
        return OpClass.ACTIVATION.value
    for pattern, found in _MYELIN:
        if pattern.match(layer.name):
            return found.value
    for pattern, found in _BY_PART:
        if any(pattern.search(part) for part in name.parts if not is_activation_name(part)):
            return found.value
    if layer.type and "conv" in layer.type.lower():
        return OpClass.CONVOLUTION.value
    if layer.type and layer.type.lower().startswith("pointwise"):
        return OpClass.ELEMENTWISE.value
    return "unknown"


def _by_shape(layer: EngineLayer) -> OpClass | None:
    kernel, groups = layer.attributes.get("kernel"), layer.attributes.get("groups", 1)
    if not isinstance(kernel, list | tuple) or (layer.type and "pool" in layer.type.lower()):
        return None
    if isinstance(groups, int) and groups > 1:
        maps = layer.attributes.get("out_maps")
        return OpClass.DEPTHWISE if maps in (None, groups) else OpClass.CONVOLUTION
    return OpClass.POINTWISE if list(kernel) == [1, 1] else OpClass.CONVOLUTION
