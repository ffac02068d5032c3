"""A tensor format that a build tried at the network's inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from harness.attribution.engine import AttributedEngine


@dataclass(frozen=True)
class FormatTrial:
    """One tensor format tried at the network's inputs and outputs, in a build of its own.

    :param name: ``LINEAR``, ``HWC8`` ...; :param io_type: ``fp16`` ...
    :param accepted: the engine has it at every input and output; reformats behind it are in ``engine``
    :param reason: why not, one line
    :param latency_ms: median GPU time of the format's own pass, None where it was not accepted
    :param graph_ms: the same as one CUDA graph, None where it was not measured
    :param difference: largest of its outputs to those of the first accepted format, over the largest of these
    :param engine: its engine layers with their times
    """

    name: str
    io_type: str
    accepted: bool
    reason: str = ""
    latency_ms: float | None = None
    graph_ms: float | None = None
    difference: float | None = None
    engine: AttributedEngine | None = None
