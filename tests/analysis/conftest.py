"""Observations composed in code: simulated builds with known times, not measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.matrix.cell import Cell, Treatment
from harness.networks.graph import Graph, OpKind, SourceOp
from harness.observations.records import BuildObservation, CellObservation, OutputCheck, RunObservation
from harness.store.documents.manifest import Manifest


def layer(
    name: str,
    op_class: str,
    time_ms: float | None,
    *,
    family: KernelFamily = KernelFamily.UNKNOWN,
    role: LayerRole = LayerRole.COMPUTE,
    own_activation: bool = False,
    **more: object,
) -> AttributedLayer:
    ops = () if role is not LayerRole.COMPUTE else (name,)
    made = AttributedLayer(
        0, name, None, None, None, family, role, op_class, time_ms, ops, dict.fromkeys(ops, 1.0)
    )
    return replace(made, standalone_activation=own_activation, **more)


def engine(
    layers: Sequence[AttributedLayer], *, partial: bool = False, unattributed: float = 0.0
) -> AttributedEngine:
    total = sum(x.time_ms or 0.0 for x in layers)
    return AttributedEngine(tuple(layers), None, total, unattributed, partial)


def separable() -> Graph:
    """A depthwise and a 1x1 convolution, ``dw`` and ``pw``."""
    return Graph(
        "m",
        "clip",
        1,
        ("x",),
        ("z",),
        (
            SourceOp("dw", OpKind.CONV, ("x",), "y", {"groups": 8, "kernel": [3, 3]}, {"kernel": "k"}),
            SourceOp("pw", OpKind.CONV, ("y",), "z", {"groups": 1, "kernel": [1, 1]}, {"kernel": "p"}),
        ),
        {"x": (1, 8, 4, 4), "y": (1, 8, 4, 4), "z": (1, 24, 4, 4)},
        {"k": np.zeros((8, 1, 3, 3), np.float32), "p": np.zeros((24, 8, 1, 1), np.float32)},
    )


def network(times: Mapping[str, float]) -> AttributedEngine:
    """A network of one layer a class; times by bottleneck, the rest is ``other``."""
    rows = [
        layer("conv/expand", "pointwise", times.get("pointwise", 0.2), family=KernelFamily.GEMM),
        layer("conv/depthwise", "depthwise", times.get("depthwise", 0.3), family=KernelFamily.DEPTHWISE),
        layer("conv/relu6", "activation", times.get("relu6", 0.0), own_activation=True),
        layer("stem", "convolution", times.get("other", 0.5)),
    ]
    if "reformat" in times:
        rows.append(
            layer("r", "reformat", times["reformat"], role=LayerRole.REFORMAT, before=("a",), after=("b",))
        )
    return engine(rows)


def build(
    number: int,
    latency: float | None,
    times: Mapping[str, float] | None = None,
    *,
    host: str = "host-a",
    **more: object,
) -> BuildObservation:
    passes = {} if latency is None else {"latency": np.full(20, latency)}
    made = BuildObservation(number, "ok", host, passes=passes, round=number)
    return replace(made, engine=None if times is None else network(times), **more)


def cell(
    version: str,
    builds: Sequence[BuildObservation] = (),
    *,
    status: str = "measured",
    reason: str = "",
    repeat: str = "",
    runtime: str = "tensorrt",
    digest: str = "unknown",
    treatment: Treatment | None = None,
) -> CellObservation:
    made = Cell("mobilenet_v2", treatment or Treatment(), runtime, version, "venv", repeat)
    return CellObservation(made, status, reason, tuple(builds), digest)


def run(*cells: CellObservation, name: str = "run") -> RunObservation:
    return RunObservation((Path(name),), Manifest(), cells)


def noisy(
    version: str, latency: float, *, builds: int = 5, noise: float = 0.004, seed: int = 0, **more: object
) -> CellObservation:
    """A cell whose builds scatter by *noise*; the class times are given in ``times``."""
    times = more.pop("times", {})
    assert isinstance(times, Mapping)
    rng = np.random.default_rng([seed, *version.encode()])
    made = []
    for number in range(builds):
        factor = float(np.exp(rng.normal(0, noise)))
        made.append(build(number, latency * factor, {k: v * factor for k, v in times.items()}))
    return cell(version, made, **more)  # type: ignore[arg-type]


WRONG = OutputCheck(False, 0.3, 0.01, reason="largest error 0.3, allowed 0.01")


class Composer:
    """What the tests of this folder compose observations with."""

    layer = staticmethod(layer)
    engine = staticmethod(engine)
    separable = staticmethod(separable)
    network = staticmethod(network)
    build = staticmethod(build)
    cell = staticmethod(cell)
    run = staticmethod(run)
    noisy = staticmethod(noisy)
    wrong = WRONG


@pytest.fixture(scope="session")
def compose() -> Composer:
    return Composer()
