"""Pointwise (1x1) convolutions: most of the arithmetic, and on TensorRT 5 a convolution like any other."""

from __future__ import annotations

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.convolutions import convolution_cost
from harness.analysis.rules.offers import pointwise_offers
from harness.attribution.adoption import pointwise_kernels
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation


class PointwiseRule(Rule):
    """Cost: time of 1x1 convolutions above their roofline bound. Evidence: who runs them."""

    name = "pointwise"
    title = "1x1 convolutions"
    searches = False

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times or with too much unattributed."""
        evidence: dict[str, object] = {}
        if build.engine is not None:
            kernels = pointwise_kernels(build.engine)
            evidence = {
                "convolutions": kernels.total,
                "on_any_gemm": kernels.on_any_gemm,
                "on_gemm_as_conv1x1": kernels.on_gemm_as_conv1x1,
                "kernel_unknown": kernels.unknown,
            }
            if build.evidence is not None:
                evidence |= {"offers": pointwise_offers(build.engine, build.evidence)}
        return convolution_cost(build, OpClass.POINTWISE, evidence)
