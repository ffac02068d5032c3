"""What the runtimes of the CPU have in common: Pythons that have wheels, NumPy, what a cell may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.environments.needs import RuntimeNeeds
from harness.errors import DamagedBundleError
from harness.matrix.cell import Cell
from harness.matrix.treatment import BATCH, BATCH_MODE, PRECISION, RELU6, SOURCE, TENSOR_FORMAT
from harness.runtimes.outside import Asked, Outside
from harness.versions import parse

if TYPE_CHECKING:
    from harness.evidence.records import Evidence

Release = tuple[int, int]
Bounds = tuple[Release, Release]

# The last NumPy 1 works with every version of both runtimes; NumPy 2 came too late for the older ones, which
# import with it and fail at their first use. Newer Pythons have NumPy 2 only, but also newer versions only.
_NUMPY = ((3, 14), "2.3.5"), ((3, 13), "2.1.3"), ((3, 9), "1.26.4"), ((3, 8), "1.24.4"), ((3, 7), "1.21.6")
_OLDEST_NUMPY = "1.19.5"

_CPU_TREATMENT: Mapping[str, tuple[str, ...]] = {
    "precision": ("fp32",),
    "tensor_format": ("linear",),
    "source": ("auto", "onnx"),
    "batch_mode": ("auto", "explicit"),
}

CPU_FIELDS = (PRECISION, BATCH, RELU6, TENSOR_FORMAT, SOURCE, BATCH_MODE)
"""The fields of treatments that a CPU runtime knows: of caches, graphs and copies it has none."""


def numpy_for(python: Release) -> str:
    """Return the requirement of a NumPy that *python* has wheels of and the runtimes work with."""
    version = next((version for lowest, version in _NUMPY if python >= lowest), _OLDEST_NUMPY)
    return f"numpy=={version}"


@dataclass(frozen=True)
class Wheels:
    """Which Pythons have wheels of which version.

    :param since: first version of a range to its lowest and highest Python, oldest first
    """

    since: Mapping[str, Bounds]

    def pythons(self, version: str) -> Bounds | None:
        """Return the bounds of the range that *version* lies in, None for older and unreadable ones."""
        asked = parse(version)
        found = None
        for first, bounds in self.since.items():
            since = parse(first)
            if asked is not None and since is not None and asked >= since:
                found = bounds
        return found


def refused(cell: Cell, more: Mapping[str, Sequence[str]]) -> str | None:
    """Return why a CPU runtime cannot run *cell*, None where it can.

    :param more: field of the treatment to values that this runtime honours beside the common ones
    """
    for field, common in _CPU_TREATMENT.items():
        value = getattr(cell.treatment, field)
        if value not in common and value not in more.get(field, ()):
            return f"{cell.runtime} on the CPU has no {field.replace('_', ' ')} '{value}'"
    return None


MEASURE = "measure.py"
"""What the script is called where it goes, ``alone.py`` here."""


def outside(runtime: RuntimeNeeds, asked: Asked) -> Outside:
    """Return the lines that measure with a virtual environment of one version, and the script for it."""
    place = asked.side
    python = parse(asked.python)
    pair = (python.release[0], python.release[1]) if python and len(python.release) > 1 else (3, 11)
    needs = " ".join(runtime.requirements(asked.version, pair))
    variables = "".join(f"{name}={value} " for name, value in runtime.environment_variables.items())
    return Outside(
        command=f"{variables}{place}/bin/python {MEASURE} {runtime.name} {asked.file}",
        setup=(f"python{pair[0]}.{pair[1]} -m venv {place} && {place}/bin/pip install --no-deps {needs}",),
        files={MEASURE: Path(__file__).with_name("alone.py").read_text(encoding="utf-8")},
    )


def with_facts(folder: Path, read: Callable[[int], Evidence]) -> Evidence:
    """Return what *read* finds, given the number of warm-up runs in the profile, with the worker's facts.

    :raises InputError: ``result.json`` is missing or torn
    """
    from harness.store.documents.base import read_document
    from harness.store.documents.result import Result

    path = folder / "result.json"
    facts = read_document(path, Result).facts
    try:
        warmup = int(facts.get("profile_warmup", 0))
    except (ValueError, TypeError) as error:
        problem = f"not a result of the worker: {error}"
        raise DamagedBundleError(path, problem, where="facts.profile_warmup") from None
    return replace(read(warmup), facts=facts)
