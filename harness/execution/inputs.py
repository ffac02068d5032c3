"""What the workers of a run are given: network packages, ONNX files, input tensors, the reference."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from harness.errors import NetworkTreatmentError, UnsupportedOpError
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.networks.graph import FloatArray, Graph
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_check import doubt_of
from harness.networks.onnx_export import to_onnx
from harness.networks.package import write_package
from harness.networks.reference import reference_outputs
from harness.networks.user_onnx import write_own_onnx
from harness.runtimes.base import Runtime


@dataclass(frozen=True)
class NetworkInputs:
    """The files of one network, batch and ReLU6 form, and what must come out of it."""

    graph: Graph
    folder: Path
    network: Path
    weights: Path
    inputs: Path
    reference: Mapping[str, FloatArray]

    def onnx(self, opset: int) -> Path:
        """Return the network as ONNX, made once.

        A user's own file is written anew with its weights inside and its batch set.
        """
        if "onnx" in self.graph.meta:
            target = self.folder / "network-own.onnx"
            if not target.exists():
                write_own_onnx(self.graph, target)
            return target
        target = self.folder / f"network-{opset}.onnx"
        if not target.exists():
            onnx.save(to_onnx(self.graph, opset), str(target))
        return target


class InputStore:
    """Makes each network's files once a run.

    :param folder: where they go; :param families: networks by name; :param seed: of the input tensors
    """

    def __init__(self, folder: Path, families: Mapping[str, NetworkFamily], seed: int) -> None:
        self._folder, self._families, self._seed = folder, families, seed
        self._made: dict[tuple[str, int, str], NetworkInputs] = {}
        self._in_doubt: dict[tuple[str, int, str], str] = {}

    def get(self, cell: Cell) -> NetworkInputs:
        """Return the inputs of *cell*.

        :raises UsageError: the network cannot have this batch or ReLU6 form, or its reference is in doubt
        """
        treatment = cell.treatment
        if treatment.batch is None:
            raise NetworkTreatmentError(f"{cell.id}: a cell to be measured needs a batch")
        key = (cell.network, treatment.batch, treatment.relu6)
        if key in self._in_doubt:
            raise UnsupportedOpError(self._in_doubt[key])
        if key not in self._made:
            try:
                self._made[key] = self._make(cell, treatment.batch)
            except UnsupportedOpError as error:
                self._in_doubt[key] = str(error)
                raise
        return self._made[key]

    def _make(self, cell: Cell, batch: int) -> NetworkInputs:
        graph = self._families[cell.network].graph(batch=batch, relu6=cell.treatment.relu6)
        folder = self._folder / f"{cell.network}-{cell.treatment.relu6}-b{batch}"
        folder.mkdir(parents=True)
        network, weights = write_package(graph, folder)
        tensors = probe_inputs(graph, self._seed)
        np.savez(folder / "inputs.npz", allow_pickle=False, **tensors)
        reference = reference_outputs(graph, tensors)
        if doubt := doubt_of(graph, tensors, reference):
            raise UnsupportedOpError(f"network '{cell.network}': {doubt}")
        return NetworkInputs(
            graph=graph,
            folder=folder,
            network=network,
            weights=weights,
            inputs=folder / "inputs.npz",
            reference=reference,
        )


def needs_onnx(runtime: Runtime, cell: Cell) -> bool:
    """Say whether *cell*'s worker reads an ONNX file: asked for, or all that its runtime reads."""
    return cell.treatment.source == "onnx" or runtime.reads_onnx


def place(source: Path, folder: Path, name: str) -> Path:
    """Put *source* into *folder* as *name*: a hard link where the file systems allow, else a copy."""
    target = folder / name
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target
