"""Versions of the driver and of plugins, and command lines, where a log prints them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.cli.parse import describe
from harness.evidence.record import Record

Read = Callable[[bytes | str], Record]
SUMMARY = (
    "=== Performance summary ===\nThroughput: 812.5 qps\n"
    "GPU Compute Time: min = 1.2 ms, max = 1.3 ms, mean = 1.25 ms, median = 1.25 ms\n"
    "Total GPU Compute Time: 3 s\n"
)
SMI = "| NVIDIA-SMI 535.104.05             Driver Version: 535.104.05   CUDA Version: 12.2     |\n"
BANNER = (
    "ERROR: This container was built for NVIDIA Driver Release 510.39 or later, but\n"
    "       version 470.57.02 was detected and compatibility mode is UNAVAILABLE.\n"
)


@pytest.mark.parametrize("prefix", ["", "[03/14/2032-09:26:53] [V] [TRT] ", "app-1  | ", "> "])
@pytest.mark.parametrize(("lines", "driver"), [(SMI, "535.104.05"), (BANNER, "470.57.02")])
def test_the_driver(read: Read, lines: str, driver: str, prefix: str) -> None:
    record = read("".join(prefix + line for line in (lines + SUMMARY).splitlines(keepends=True)))
    assert record.facts.driver == driver
    assert record.as_json()["driver"] == driver
    assert f"  driver {driver}" in list(describe(record))


@pytest.mark.parametrize(
    "line",
    ["version 470.57.02 of the driver", "Driver Version: soon", "version 2 was detected", "NVIDIA-SMI"],
)
def test_no_driver(read: Read, line: str) -> None:
    assert read(f"{line}\n{SUMMARY}").facts.driver is None


def test_two_drivers_are_said(read: Read) -> None:
    record = read(SMI + BANNER + SUMMARY)
    assert record.facts.driver == "535.104.05"
    (warning,) = record.warnings
    assert warning.text == "more than one driver version in one file: 535.104.05 and 470.57.02"


def test_plugins(read: Read) -> None:
    lines = [
        "[V] [TRT] Registered plugin creator - ::GridAnchor_TRT version 1",
        "[V] [TRT] Registered plugin creator - ::NMS_TRT version 1",
        "[V] [TRT] Registered plugin creator - ::NMS_TRT version 1",
        "[V] [TRT] Plugin creator already registered - acme::Swish version 2",
        "[V] [TRT] Registered plugin creator - ::EfficientNMS_TRT version 1",
    ]
    record = read("\n".join(lines) + "\n" + SUMMARY)
    assert record.facts.plugins == (
        ("GridAnchor_TRT", "1"),
        ("NMS_TRT", "1"),
        ("Swish", "2"),
        ("EfficientNMS_TRT", "1"),
    )
    assert record.as_json()["plugins"] == [
        {"name": name, "version": version} for name, version in record.facts.plugins
    ]
    assert "  plugins: GridAnchor_TRT 1, NMS_TRT 1, Swish 2 and 1 more" in list(describe(record))


def test_versions_alone_are_no_evidence(read: Read) -> None:
    from harness.errors import InputError

    with pytest.raises(InputError, match="no output of TensorRT"):
        read(SMI)


def test_command_lines_of_runs(read: Read) -> None:
    def run(command: str) -> str:
        return f"&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # {command}\n{SUMMARY}&&&& PASSED\n"

    record = read(run("trtexec --onnx=a.onnx") + run("trtexec  --onnx=b.onnx --fp16"))
    assert record.facts.commands == {0: "trtexec --onnx=a.onnx", 1: "trtexec --onnx=b.onnx --fp16"}
    assert record.of_engine(1).facts.commands == {0: "trtexec --onnx=b.onnx --fp16"}
