"""The built-in bottleneck rules, registered as a third party registers its own."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.rules.base import Rule
from harness.distribution import hookimpl


@hookimpl
def trtmatrix_bottlenecks() -> Sequence[Rule]:
    """Return the five rules, in the order of the board; they are loaded where they are asked for."""
    from harness.analysis.rules.depthwise import DepthwiseRule
    from harness.analysis.rules.formats import FormatsRule
    from harness.analysis.rules.pointwise import PointwiseRule
    from harness.analysis.rules.reformat import ReformatRule
    from harness.analysis.rules.relu6 import Relu6Rule

    return (PointwiseRule(), DepthwiseRule(), ReformatRule(), Relu6Rule(), FormatsRule())
