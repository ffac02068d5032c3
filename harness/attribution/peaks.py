"""The peaks of the device at hand: measured where they were, else tabled from data sheets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import RulesFileError

TABLE = Path(__file__).with_name("gpus.toml")
_PRECISIONS = ("fp32", "tf32", "fp16", "int8")
_GPU_FACTS = ("gpu", "gpu_name", "device_name")
_PRECISION_SETTINGS = ("precision", "INFERENCE_PRECISION_HINT")
_OTHER_NAMES = {"f32": "fp32", "f16": "fp16"}
"""What OpenVINO calls precisions."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The most a device gives.

    :param flops_per_s: FLOP/s in the precision asked for; :param bytes_per_s: of the memory, bytes/s
    :param source: how they are known, for people
    :param measured: on this device, in this run; False: from a table
    :param beaten: what ran faster than they allow, so that they are none; empty where nothing did
    """

    flops_per_s: float
    bytes_per_s: float
    source: str
    measured: bool = False
    beaten: str = ""


@cache
def _table(path: Path = TABLE) -> tuple[tuple[re.Pattern[str], Mapping[str, object]], ...]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["gpu"]
        return tuple((re.compile(entry["match"], re.I), entry) for entry in entries)
    except (tomllib.TOMLDecodeError, KeyError, re.error) as error:
        raise RulesFileError(path, f"expected [[gpu]] tables with 'match': {error}") from None


def tabled_peaks(gpu: str, precision: str) -> Peaks | None:
    """Return data-sheet peaks of the GPU called *gpu* (as NVML names it), None where none are tabled.

    :param precision: ``fp32`` (CUDA cores, TF32 off), ``tf32``, ``fp16``, ``int8``
    """
    for pattern, entry in _table():
        if pattern.search(gpu):
            flops, bandwidth = entry.get(precision), entry["bytes_per_s"]
            if not isinstance(flops, float) or not isinstance(bandwidth, float):
                return None
            return Peaks(flops, bandwidth, f"data sheet: {entry['source']}")
    return None


def measured_peaks(facts: Mapping[str, object], precision: str) -> Peaks | None:
    """Return the peaks that the worker measured (``facts["peaks"]``), None where it measured none.

    Either ``flops_per_s`` for the build's own precision, or a table ``flops_per_s`` by precision.
    """
    found = facts.get("peaks")
    if not isinstance(found, Mapping):
        return None
    flops, bandwidth = found.get("flops_per_s"), found.get("bytes_per_s")
    if isinstance(flops, Mapping):
        flops = flops.get(precision)
    if not isinstance(flops, int | float) or not isinstance(bandwidth, int | float):
        return None
    return Peaks(
        float(flops), float(bandwidth), f"measured: {found.get('how', 'by the worker')}", measured=True
    )


def beaten_peaks(facts: Mapping[str, object]) -> str:
    """Return why the peaks that were measured count for nothing, empty where they count."""
    found = facts.get("peaks")
    return str(found.get("beaten", "")) if isinstance(found, Mapping) else ""


def peaks_for(facts: Mapping[str, object], precision: str | None = None) -> Peaks | None:
    """Return the peaks of the device that *facts* are of, measured before tabled; None where unknown.

    :param precision: default: the one that the facts or the settings in them name
    """
    wanted = precision or precision_of(facts)
    if wanted not in _PRECISIONS:
        return None
    measured = measured_peaks(facts, wanted)
    if measured is not None:
        return measured
    names = [facts[key] for key in _GPU_FACTS if isinstance(facts.get(key), str)]
    return tabled_peaks(str(names[0]), wanted) if names else None


def precision_of(facts: Mapping[str, object]) -> str | None:
    """Return the precision that a build's facts state, None where they state none.

    A setting may say more behind a comma: ``fp32, the type of the model's tensors``.
    """
    if isinstance(stated := facts.get("precision"), str):
        return stated
    settings = facts.get("settings")
    for setting in settings if isinstance(settings, list | tuple) else ():
        if isinstance(setting, Mapping) and setting.get("name") in _PRECISION_SETTINGS:
            name = str(setting.get("value")).partition(",")[0].strip()
            return _OTHER_NAMES.get(name, name)
    return None
