"""A rule on dense layers, with a section of the report."""

from statistics import median

from harness.analysis.rules.base import Cost, Rule, RuleSection
from harness.analysis.rules.carriers import cost_of, timed_engine
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation, RunObservation


class DenseRule(Rule):
    """Cost: time of the dense layers."""

    name = "acme_dense"
    title = "dense layers"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the time of matrix products, None without layer times."""
        engine = timed_engine(build)
        if engine is None:
            return None
        layers = [layer for layer in engine.layers if layer.op_class == OpClass.DENSE]
        return cost_of(engine, layers, {"dense_layers": len(layers)})

    def section(self, run: RunObservation) -> RuleSection | None:
        """Return the dense time of each cell that has one."""
        rows = []
        for seen in run.cells:
            costs = [cost.milliseconds for build in seen.good if (cost := self.cost(build)) is not None]
            if costs:
                rows.append((seen.cell.id, f"{median(costs):.4f}"))
        return RuleSection(
            "Dense layers by acme",
            ("The median over builds of the time that matrix products take.",),
            ("cell", "ms"),
            tuple(rows),
        )
