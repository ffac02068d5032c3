"""How an ONNX file is measured by somebody who has a runtime and not the harness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.matrix.treatment import Treatment


@dataclass(frozen=True)
class Asked:
    """What is to be measured.

    :param side: ``old`` or ``new``; :param python: that the version was measured with (``3.11``), or nothing
    :param file: name of the ONNX file, its batch fixed
    :param inputs, outputs: layout and type of each (``hwc fp32``), as in the network that it was cut from
    """

    side: str
    version: str
    treatment: Treatment
    file: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    python: str = ""


@dataclass(frozen=True)
class Outside:
    """What somebody types.

    :param setup: lines that make what the command needs; :param command: the one that measures
    :param files: name to text of files that the command needs beside the ONNX file
    :param note: what somebody must know who runs it, as sentences
    """

    command: str
    setup: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def typed_note(asked: Asked) -> str:
    """Return what to know of a command that takes types as the file has them, empty where they are FP32."""
    if asked.treatment.precision == "fp32":
        return ""
    return (
        f"`{asked.file}` holds FP32 tensors, and this version takes types as the file has them: "
        f"convert it to {asked.treatment.precision.upper()} first, or the command measures FP32."
    )
