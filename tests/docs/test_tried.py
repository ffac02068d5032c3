"""The page of those who tried: its answers to a post in a forum are what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest

from harness.cli import main
from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/tried-as-a-new-user.md"
TEXT = PAGE.read_text(encoding="utf-8")

SIZES = (112, 56, 56, 28, 28, 28, 14, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7)
"""Of the images of each block; times below grow with them."""
CHANNELS = (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
LOGITS = "Logits/Conv2d_1c_1x1/Conv2D"
BEFORE, BEHIND = (1, 2, 3, 6), (1, 3)
"""Blocks whose depthwise convolution has a reformat."""


def _rows(*, pytorch: bool) -> list[tuple[str, float]]:
    """Return layers and milliseconds, made up, with names of TensorFlow or of a PyTorch export."""
    number = 0

    def name(scope: str, op: str, activation: bool = False, add: bool = False) -> str:
        nonlocal number
        first = number
        number += 1 + activation + add
        if pytorch:
            return f"Conv_{first}" + f" + Clip_{first + 1}" * activation + f" + Add_{first + 1}" * add
        return f"{scope}/{op}" + f" + {scope}/Relu6" * activation + f" + {scope.rpartition('/')[0]}/add" * add

    rows = [(name("Conv", "Conv2D", activation=True), 0.021)]
    for block, (size, channels) in enumerate(zip(SIZES, CHANNELS, strict=True)):
        scope = "expanded_conv" + f"_{block}" * (block > 0)
        if block:
            rows.append((name(f"{scope}/expand", "Conv2D", activation=True), 0.012 + size * channels * 4e-7))
        own = name(f"{scope}/depthwise", "depthwise", activation=True)
        if block in BEFORE:
            rows.append((f"Reformatting CopyNode for Input Tensor 0 to {own}", 0.009 + size * 1e-4))
        rows.append((own, 0.014 + size * 2e-4))
        if block in BEHIND:
            rows.append((f"Reformatting CopyNode for Output Tensor 0 to {own}", 0.008 + size * 1e-4))
        again = block > 0 and CHANNELS[block - 1] == channels
        rows.append((name(f"{scope}/project", "Conv2D", add=again), 0.01 + size * 1e-5))
    rows.append((name("Conv_1", "Conv2D", activation=True), 0.014))
    last = [f"GlobalAveragePool_{number}", f"Conv_{number + 1}"]
    return [*rows, *zip(last if pytorch else ["Logits/AvgPool", LOGITS], (0.005, 0.009), strict=True)]


def _post(rows: list[tuple[str, float]]) -> str:
    """Return a post that quotes what ``trtexec --dumpProfile`` of TensorRT 8 prints."""
    total = sum(ms for _, ms in rows)
    lines = [("Layer", "Time (ms)", "Avg. Time (ms)", "Time %")]
    lines += [(n, f"{ms * 2210:.2f}", f"{ms:.4f}", f"{100 * ms / total:.1f}") for n, ms in rows]
    lines += [("Total", f"{total * 2210:.2f}", f"{total:.4f}", "100.0")]
    quoted = "> [11/02/2021-14:31:07] [I] "
    table = [f"{quoted}{name:<100} {a:>10} {b:>16} {c:>9}" for name, a, b, c in lines]
    head = "Hi all, my depthwise layers look slow (TensorRT 8.0.1). Here is what trtexec says:\n"
    return "\n".join([head, f"{quoted}=== Profile (2210 iterations ) ===", *table, "\nReformats? Thanks!\n"])


@pytest.mark.parametrize("pytorch", [False, True], ids=["tensorflow", "pytorch"])
def test_a_post_is_answered_whatever_its_layers_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, pytorch: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("post.txt").write_text(_post(_rows(pytorch=pytorch)), encoding="utf-8")
    network = "mobilenet_v2"
    if pytorch:
        model = to_onnx(MobileNetV2(calibrated=False, name="own").graph(), 13)
        for number, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{number}"
        network = "own.onnx"
        onnx.save(model, network)
    assert main(["import", "post.txt", "--out", "r", "--tensorrt", "8.0.1", "--network", network]) == 0
    said = capsys.readouterr().out
    (shown,) = re.findall(r"^```console\n(  .*?)^```", TEXT, re.M | re.S)
    for line in shown.splitlines():
        assert line in said, said
