"""What ``trtmatrix import`` says of each build: what the files tell, and what would tell the rest."""

from __future__ import annotations

from pathlib import Path

from harness.attribution.adoption import adoption
from harness.attribution.engine import AttributedEngine
from harness.attribution.findings import depthwise_sentence
from harness.matrix.cell import UNKNOWN
from harness.recordings.recording import Imported
from harness.written import number_of


def summary(done: Imported, out: Path) -> list[str]:
    """Return the lines of one build, recorded in *out*."""
    engine = done.engine
    which = "" if done.number is None else f", engine {done.number} of the files"
    lines = [f"{done.cell.id}: build {done.build} recorded in {out}{which}"]
    timed = sum(layer.time_ms is not None for layer in engine.layers)
    what = "a part of a profile" if engine.partial else "a whole profile" if timed else "no profile"
    lines.append(f"  {number_of(len(engine.layers), 'layer')}, {what}, {engine.total_ms:.3f} ms in all")
    if done.latency is not None:
        lines.append(f"  {done.latency[0]:.6g} ms: {done.latency[1]} of the printed summary, no samples")
    lines += [f"  {line}" for line in _network(done)]
    if depthwise := depthwise_sentence(engine, done.findings):
        lines.append(f"  {depthwise}")
    if not engine.partial:
        lines.extend(f"  {line}" for line in _counts(engine))
    if engine.partial or engine.graph is None:
        lines.extend(f"  {line}" for block in done.findings for line in block.sentences())
    return lines


def _network(done: Imported) -> list[str]:
    """Return what is known of the network, and what would make more of it known."""
    engine, name = done.engine, done.cell.network
    if engine.graph is None:
        known = "the network is unknown" if name == UNKNOWN else f"'{name}' is none of 'list networks'"
        return [
            f"{known}: nothing is attributed to source ops",
            "which convolutions are depthwise or 1x1, the file that was built would say: "
            "import again into a new folder with --network model.onnx",
        ]
    if engine.total_ms <= 0:
        return []
    lines = [f"{engine.unattributed_ms:.3f} ms not attributed to source ops"]
    if engine.unattributed_ms > engine.total_ms / 2:
        lines.append(
            f"most layers have other names than the ops of '{name}': the file that was built ties them "
            "(import again into a new folder with --network model.onnx), or an alias map (--aliases)"
        )
    return lines


def _counts(engine: AttributedEngine) -> list[str]:
    """Return what stands beside a verdict, of a whole engine."""
    counts = adoption(engine)
    kernels, moved = counts.pointwise, counts.reformats
    lines = []
    if kernels.total and kernels.unknown == kernels.total:
        lines.append(
            f"1x1 convolutions: {kernels.total}; on which kernels is not in these files, "
            "--exportLayerInfo or a verbose log of the build would say"
        )
    elif kernels.total:
        lines.append(
            f"1x1 convolutions: {kernels.on_any_gemm} of {kernels.total} on a GEMM kernel, "
            f"{kernels.on_gemm_as_conv1x1} on gemm_as_conv1x1, {kernels.unknown} unknown"
        )
    return [
        *lines,
        f"reformats: {moved.executed} executed, {moved.time_ms:.3f} ms; "
        f"{number_of(moved.no_ops, 'layer is a no-op', 'layers are no-ops')}",
        f"activations on their own: {counts.activations}, {counts.activations_ms:.3f} ms",
    ]
