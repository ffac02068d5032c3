"""Pointwise (1x1) convolutions: most of the arithmetic, and on TensorRT 5 a convolution like any other."""

from __future__ import annotations

from harness.bottlenecks.base import Cost
from harness.bottlenecks.convolutions import convolution_cost, layers_of_class
from harness.layers.observation import BuildObservation
from harness.layers.picture import KernelFamily
from harness.networks.graph import OpClass

_GEMM = {KernelFamily.GEMM, KernelFamily.GEMM_AS_CONV1X1}


class PointwiseRule:
    """Cost: time of 1x1 convolutions above their roofline bound. Evidence: who runs them."""

    name = "pointwise"
    title = "1x1 convolutions"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times or with too much unattributed."""
        layers = layers_of_class(build, OpClass.POINTWISE)
        evidence: dict[str, object] = {
            "on_any_gemm": sum(layer.family in _GEMM for layer in layers),
            "on_gemm_as_conv1x1": sum(layer.family is KernelFamily.GEMM_AS_CONV1X1 for layer in layers),
            "kernel_unknown": sum(layer.family is KernelFamily.UNKNOWN for layer in layers),
        }
        return convolution_cost(build, OpClass.POINTWISE, evidence)
