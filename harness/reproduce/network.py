"""The network of a stored run with its weights: a registered one, or the file that its user names again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.analysis.groups import BuildGroup
from harness.errors import NetworkNeededError, NetworkTreatmentError
from harness.networks.base import NetworkFamily, is_tensorflow
from harness.networks.graph import Graph
from harness.networks.input_shapes import read_shapes
from harness.networks.user_onnx import onnx_family
from harness.networks.user_tensorflow import tensorflow_family

UNKNOWN = "unknown"


def network_of(
    group: BuildGroup, families: Mapping[str, NetworkFamily], file: Path | None, shapes: Sequence[str] = ()
) -> Graph:
    """Return the network that the builds of *group* are of.

    :param families: registered networks, by name; :param file: that holds it, None for a registered one
    :param shapes: as ``--shape`` takes them
    :raises NetworkNeededError: it is not known here, or another one than was measured
    """
    cell = group.cell
    treatment = cell.treatment
    if treatment.batch is None:
        raise NetworkTreatmentError(f"{cell.id}: nobody states the batch that it was measured at")
    relu6 = treatment.relu6 if treatment.relu6 != UNKNOWN else "clip"
    family = families.get(cell.network) if file is None else _own(cell.network, file, shapes)
    if family is None:
        raise NetworkNeededError(
            f"network '{cell.network}' is a file of its user's, and a bundle keeps no weights: "
            "name the file with --network"
        )
    graph = family.graph(batch=treatment.batch, relu6=relu6)
    if group.digest not in (graph.digest, UNKNOWN):
        where = f"'{cell.network}' here" if file is None else str(file)
        raise NetworkNeededError(
            f"{where} is another network than the one that was measured (digest {graph.digest[:14]}, "
            f"measured {group.digest[:14]}): name the right file with --network"
        )
    return graph


def _own(name: str, file: Path, shapes: Sequence[str]) -> NetworkFamily:
    made = tensorflow_family if is_tensorflow(file) else onnx_family
    family = made(name, file, read_shapes(shapes))
    family.check()
    return family
