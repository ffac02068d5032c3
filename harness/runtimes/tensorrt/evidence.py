"""Reading of what the TensorRT worker left in a build folder.

``evidence/profile_samples.json`` is the worker's own: raw samples of each layer by position. The other files
are as TensorRT and trtexec write them, and are read by the readers of those formats.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from harness.errors import DamagedBundleError
from harness.evidence.reader import read_file
from harness.evidence.record import Record
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.runtimes.recorded import read_recorded
from harness.runtimes.tensorrt.builder_log import keep_what_is_read, read_log
from harness.runtimes.tensorrt.engine_log import keep_of_engine, names_by_id, read_of_engine
from harness.store.documents.base import read_document
from harness.store.documents.profile import read_profile_runs
from harness.store.documents.result import Result

SAMPLES = "profile_samples.json"
LAYERS = "layers.json"
FORMATS = "formats.json"


def read_folder(folder: Path) -> Evidence:
    """Return the evidence of one build; what was not written is empty.

    Engine layers come from the engine's own description, or from the builder log where there is none:
    before TensorRT 8.2, and where a build was not measured.

    :raises InputError: a file is torn
    """
    evidence = folder / "evidence"
    facts = read_facts(folder / "result.json")
    if "files" in facts:  # imported: the files are somebody else's, in whatever format
        return read_recorded(folder)
    if (evidence / FORMATS).is_file():
        # Many builds, one log: the layers of each are beside it, read by format.
        return Evidence(facts=facts)
    version = _version(facts)
    log = read_log(evidence, version)
    described = _record(evidence / LAYERS, version)
    layers = described.engine_layers if described else log.engine_layers
    return replace(
        _profiled(evidence, layers, facts),
        tactics=log.tactics,
        skipped_runners=log.skipped_runners,
        warnings=(*log.warnings, *(described.warnings if described else ())),
        combinations=log.combinations,
    )


def read_engine(folder: Path) -> Evidence:
    """Return :func:`read_folder` without what the builder tried, each layer with its kernel.

    :raises InputError: a file is torn
    """
    evidence = folder / "evidence"
    facts = read_facts(folder / "result.json")
    if "files" in facts or (evidence / FORMATS).is_file():
        return read_folder(folder)
    version = _version(facts)
    described = _record(evidence / LAYERS, version)
    layers = described.engine_layers if described else ()
    if described is None or any(names_by_id(layer) for layer in layers):
        log = read_of_engine(evidence, version)
        layers = log.with_kernels(layers if described else log.layers)
    return _profiled(evidence, layers, facts)


def _profiled(evidence: Path, layers: Sequence[EngineLayer], facts: Mapping[str, object]) -> Evidence:
    times = read_samples(evidence / SAMPLES) if (evidence / SAMPLES).is_file() else ()
    return Evidence(
        layers=tuple(layers),
        times=times,
        iterations=len(times[0].samples_ms) if times else None,
        facts=facts,
        profile=read_profile_runs(evidence),
    )


def keep_engine(folder: Path) -> None:
    """Leave what :func:`read_engine` takes from the builder log beside it.

    :raises InputError: a file is torn
    """
    evidence, facts = folder / "evidence", read_facts(folder / "result.json")
    if "files" in facts or (evidence / FORMATS).is_file():
        return
    described = _record(evidence / LAYERS, _version(facts))
    keep_of_engine(evidence, _version(facts), described.engine_layers if described else None)


def _version(facts: Mapping[str, object]) -> str | None:
    return str(facts.get("tensorrt") or "") or None


def publish_folder(folder: Path) -> None:
    """Put what is read of the builder log in its place; what somebody else recorded is left as it is.

    :raises InputError: the log is torn
    """
    facts = read_facts(folder / "result.json")
    if "files" not in facts:
        keep_engine(folder)
        keep_what_is_read(folder / "evidence", _version(facts))


def _record(path: Path, version: str | None) -> Record | None:
    return read_file(path, tensorrt=version) if path.is_file() else None


def read_facts(path: Path) -> Mapping[str, object]:
    """Return ``facts`` of a ``result.json``, empty where there is none.

    :raises InputError: the file is torn
    """
    return read_document(path, Result).facts if path.is_file() else {}


class _Samples(msgspec.Struct, frozen=True):
    """Raw samples of a layer, ms."""

    name: str
    ms: tuple[float, ...]


class _Profile(msgspec.Struct, frozen=True):
    layers: tuple[_Samples, ...]


_PROFILE = msgspec.json.Decoder(_Profile)


def read_samples(path: Path) -> tuple[LayerTime, ...]:
    """Return one row for each layer, by position, with its raw samples in milliseconds.

    :raises InputError: the file is torn
    """
    try:
        layers = _PROFILE.decode(path.read_bytes()).layers
        return tuple(_row(position, one.name, one.ms) for position, one in enumerate(layers))
    except (OSError, ValueError) as error:  # msgspec's errors, and a layer without a sample, are the latter
        raise DamagedBundleError(path, f"not a profile of the worker: {error}") from None


def _row(position: int, name: str, samples: tuple[float, ...]) -> LayerTime:
    return LayerTime(
        position=position,
        name=name,
        total_ms=sum(samples),
        average_ms=statistics.fmean(samples),
        median_ms=statistics.median(samples),
        samples_ms=samples,
        iterations=len(samples),
    )
