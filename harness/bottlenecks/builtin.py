"""The built-in bottleneck rules, registered as a third party registers its own."""

from __future__ import annotations

from collections.abc import Sequence

from harness import hookimpl
from harness.bottlenecks.base import Rule
from harness.bottlenecks.depthwise import DepthwiseRule
from harness.bottlenecks.formats import FormatsRule
from harness.bottlenecks.pointwise import PointwiseRule
from harness.bottlenecks.reformat import ReformatRule
from harness.bottlenecks.relu6 import Relu6Rule


@hookimpl
def trtmatrix_bottlenecks() -> Sequence[Rule]:
    """Return the five rules, in the order of the board."""
    return (PointwiseRule(), DepthwiseRule(), ReformatRule(), Relu6Rule(), FormatsRule())
