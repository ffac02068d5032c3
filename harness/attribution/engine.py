"""The engine of one build: which source op spent what, on which kernel, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from harness.attribution.wiring import Edge, edges_between
from harness.evidence.records import TensorInfo
from harness.networks.graph import Graph


class LayerRole(StrEnum):
    """What an engine layer is there for."""

    COMPUTE = "compute"
    REFORMAT = "reformat"  # changes layout or type, executes
    NO_OP = "no_op"  # listed, never executes: costs nothing
    UNKNOWN = "unknown"


class KernelFamily(StrEnum):
    """Kinds of kernels, the same words for every runtime."""

    GEMM_AS_CONV1X1 = "gemm_as_conv1x1"
    GEMM = "gemm"
    IMPLICIT_GEMM = "implicit_gemm"
    DIRECT = "direct"
    FFT = "fft"
    WINOGRAD = "winograd"
    DEPTHWISE = "depthwise"
    DEPTHWISE_SEPARABLE = "depthwise_separable"  # a depthwise and the 1x1 convolution behind it as one kernel
    REFORMAT = "reformat"
    NO_OP = "no_op"
    POINTWISE = "pointwise"  # elementwise work: activations, sums
    POOLING = "pooling"
    REDUCE = "reduce"
    SOFTMAX = "softmax"
    MYELIN = "myelin"
    SHUFFLE = "shuffle"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AttributedLayer:
    """An engine layer with its time, kernel family and source ops.

    :param op_class: accounting class: that of the heaviest source op (by FLOPs) for compute layers that
        carry ops, ``reformat`` for reformats, ``no_op``, ``unknown`` for the unattributed
    :param time_ms: median of the profile, None where the layer has no profile row
    :param source_ops: names, in network order; empty for reformats, no-ops and the unattributed
    :param shares: source op name to the part of :attr:`time_ms` it carries (sums to 1)
    :param before, after: for reformats, the source ops on either side
    :param standalone_activation: carries activation ops only (an activation that runs on its own)
    :param attributed_by: how the source ops were found: ``name``, ``metadata``, ``tensors``, ``subgraph``,
        ``structure``, ``order``; empty where there are none
    :param at_edge: a reformat of the network's own input or output
    :param inputs, outputs: the tensors it reads and writes, where the runtime lists them
    """

    position: int
    name: str
    type: str | None
    kernel: str | None
    tactic: str | None
    family: KernelFamily
    role: LayerRole
    op_class: str
    time_ms: float | None
    source_ops: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    input_formats: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ()
    standalone_activation: bool = False
    attributed_by: str = ""
    at_edge: bool = False
    inputs: tuple[TensorInfo, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()


@dataclass(frozen=True)
class AttributedEngine:
    """All engine layers of one build, attributed.

    :param graph: the network, None where it is unknown (then nothing is attributed)
    :param total_ms: sum of the layer times (never a latency)
    :param unattributed_ms: time of compute layers without source ops
    :param partial: layers are a part of the network: no shares of the whole
    :param batch_known: False where the graph was made for a batch that nobody stated: no FLOPs and bounds
    """

    layers: tuple[AttributedLayer, ...]
    graph: Graph | None
    total_ms: float
    unattributed_ms: float
    partial: bool = False
    batch_known: bool = True

    _counted: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def time_of_class(self) -> Mapping[str, float]:
        """Return op class to milliseconds; a fused layer counts whole for the class of its heaviest op."""
        return self._class_times

    def time_of_op(self) -> Mapping[str, float]:
        """Return source op name to milliseconds."""
        return self._op_times

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """What flows from layer to layer, by their tensors, else by their source ops."""
        return edges_between(self.layers, self.graph)

    @cached_property
    def by_role(self) -> Mapping[LayerRole, Sequence[AttributedLayer]]:
        """The layers by what they are there for, in their order; a role that none has is missing."""
        roles: dict[LayerRole, list[AttributedLayer]] = {}
        for layer in self.layers:
            roles.setdefault(layer.role, []).append(layer)
        return roles

    @cached_property
    def _class_times(self) -> Mapping[str, float]:
        times: dict[str, float] = {}
        for layer in self.layers:
            times[layer.op_class] = times.get(layer.op_class, 0.0) + (layer.time_ms or 0.0)
        return times

    @cached_property
    def _op_times(self) -> Mapping[str, float]:
        times: dict[str, float] = {}
        for layer in self.layers:
            ms = layer.time_ms or 0.0
            for name, share in layer.shares.items():
                times[name] = times.get(name, 0.0) + share * ms
        return times

    def layer_of_op(self) -> Mapping[str, AttributedLayer]:
        """Return source op name to the engine layer that carries it (the heaviest, where several do)."""
        return self._carriers

    @cached_property
    def _carriers(self) -> Mapping[str, AttributedLayer]:
        found: dict[str, AttributedLayer] = {}
        for layer in self.layers:
            for name in layer.source_ops:
                if name not in found or (layer.time_ms or 0.0) > (found[name].time_ms or 0.0):
                    found[name] = layer
        return found
