"""A runtime that computes with NumPy, op by op."""

import json
from collections.abc import Sequence
from pathlib import Path

from harness.attribution.engine import AttributedEngine, KernelFamily, LayerRole
from harness.attribution.fused import Claim, assemble
from harness.environments.needs import WorkerSource
from harness.errors import InputError
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.matrix.cell import Cell
from harness.matrix.treatment import BATCH, PRECISION, RELU6, TreatmentField
from harness.networks.graph import Graph
from harness.runtimes.base import Runtime

WORKER = Path(__file__).with_name("worker")
OWN = TreatmentField("precision", ("single", "double"), "single", meaning="of the sums that acme makes")
FAMILIES = {"matmul": KernelFamily.GEMM}


class Acme(Runtime):
    """Version 1.0 multiplies twice where once would do."""

    name = "acme"
    device = "cpu"
    environments = ("cellar",)
    worker = WorkerSource("acme_trtmatrix.worker", WORKER)
    # Its own precision has the name of a common field: matrix files call it acme_precision.
    treatment_fields = (PRECISION, BATCH, RELU6, OWN)

    def known_versions(self) -> Sequence[str]:
        """Return both."""
        return ("1.0", "2.0")

    def unsupported(self, cell: Cell) -> str | None:
        """Refuse what is not there."""
        if cell.version not in self.known_versions():
            return f"there is no acme {cell.version}"
        return None if cell.treatment.precision == "fp32" else "acme knows fp32 only"

    def read(self, folder: Path) -> Evidence:
        """Read the times that the worker left."""
        path = folder / "evidence" / "ops.json"
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            facts = json.loads((folder / "result.json").read_text(encoding="utf-8"))["facts"]
        except (OSError, ValueError) as error:
            raise InputError(path, f"cannot be read: {error}") from None
        return Evidence(
            layers=tuple(EngineLayer(at, row["name"], row["kind"]) for at, row in enumerate(rows)),
            times=tuple(
                LayerTime(at, row["name"], median_ms=row["median_ms"]) for at, row in enumerate(rows)
            ),
            facts=facts,
        )

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Give each layer the op of its name."""

        def claim(layer: EngineLayer) -> Claim:
            family = FAMILIES.get(str(layer.type), KernelFamily.POINTWISE)
            return Claim(LayerRole.COMPUTE, family, (layer.name,) if graph is not None else (), "name")

        return assemble(graph, evidence, claim)
