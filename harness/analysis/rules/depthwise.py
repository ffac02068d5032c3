"""Depthwise convolutions: little arithmetic, much time."""

from __future__ import annotations

from harness.analysis.rules.base import Cost, Rule
from harness.analysis.rules.convolutions import convolution_cost
from harness.attribution.roofline import time_and_flop_shares
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation


class DepthwiseRule(Rule):
    """Cost: time of depthwise convolutions above their roofline bound. Evidence: share of the arithmetic."""

    name = "depthwise"
    title = "depthwise convolutions"
    searches = False

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the cost in *build*, None without layer times or with too much unattributed."""
        kind = OpClass.DEPTHWISE.value
        shares = (None, None) if build.engine is None else time_and_flop_shares(build.engine, [kind])[kind]
        # the share of time stands beside it already
        evidence = {"flop_share": shares[1]}
        return convolution_cost(build, OpClass.DEPTHWISE, evidence)
