"""What a builder log says of the engine itself: its layers, and kernels that layers name by tactic id alone.

Taken from the small document that a run leaves beside the log, else from what was read of the log, else from
the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import msgspec

from harness.attribution.joining import KernelNames, tactic_key
from harness.evidence.records import EngineLayer, Evidence, Tactic
from harness.runtimes.tensorrt.builder_log import PRINTED, READ, read_log
from harness.store.documents.base import read_document, schema_of, write_document
from harness.store.documents.builder_log import BuilderLog, LoggedLayer
from harness.store.documents.engine_log import EngineLog, NamedKernel

KEPT = "engine_log.json"


class _Logged(msgspec.Struct, frozen=True):
    """A tactic of ``builder_log.json`` without what attribution has no use for."""

    runner: str | None
    tactic: str
    tactic_id: str | None
    kernel: str | None


class _Log(msgspec.Struct, frozen=True, tag_field="schema", tag=schema_of(BuilderLog)):
    tactics: tuple[_Logged, ...] = ()
    engine_layers: tuple[EngineLayer, ...] = ()


_DECODER = msgspec.json.Decoder(_Log)


class _Names(Protocol):
    @property
    def runner(self) -> str | None: ...
    @property
    def tactic(self) -> str: ...
    @property
    def tactic_id(self) -> str | None: ...
    @property
    def kernel(self) -> str | None: ...


@dataclass(frozen=True)
class OfEngine:
    """What a log says of the engine: its layers as listed, and the kernels that it names."""

    layers: tuple[EngineLayer, ...] = ()
    kernels: tuple[NamedKernel, ...] = ()

    def with_kernels(self, layers: Iterable[EngineLayer]) -> tuple[EngineLayer, ...]:
        """Return *layers* with the kernels that the log names where they do not."""
        names = KernelNames(Evidence(tactics=tuple(_tactic(one) for one in self.kernels)))
        return tuple(replace(x, kernel=names.find(x)) if names_by_id(x) else x for x in layers)


def names_by_id(layer: EngineLayer) -> bool:
    """Say whether the kernel of *layer* is known by the id of a tactic alone."""
    return not layer.kernel and tactic_key(layer.tactic) is not None


def read_of_engine(evidence: Path, version: str | None) -> OfEngine:
    """Return what the builder log in the folder *evidence* says of the engine, nothing where there is none.

    :param version: of TensorRT, for logs that do not print it
    :raises InputError: it is torn, or no builder log
    """
    if (evidence / KEPT).is_file():
        kept = read_document(evidence / KEPT, EngineLog)
        layers = msgspec.convert(kept.engine_layers, tuple[EngineLayer, ...], from_attributes=True)
        return OfEngine(layers, kept.kernels)
    try:
        read = _DECODER.decode((evidence / READ).read_bytes())
        return OfEngine(read.engine_layers, named(read.tactics))
    except (OSError, msgspec.MsgspecError):
        log = read_log(evidence, version)  # says what is wrong with it
        return OfEngine(log.engine_layers, named(log.tactics))


def keep_of_engine(evidence: Path, version: str | None, described: Sequence[EngineLayer] | None) -> None:
    """Leave what the builder log says of the engine beside it, once; nothing where it has nothing to add.

    :param described: the layers as the engine lists them, None where it does not
    :raises InputError: it is torn, or no builder log
    """
    if (evidence / KEPT).is_file() or not any((evidence / name).is_file() for name in (PRINTED, READ)):
        return
    if described is not None and not any(names_by_id(layer) for layer in described):
        return
    found = read_of_engine(evidence, version)
    listed = found.layers if described is None else ()
    ids = {tactic_key(layer.tactic) for layer in described or listed if names_by_id(layer)}
    kernels = tuple(one for one in found.kernels if one.tactic_id in ids)
    layers = msgspec.convert(listed, tuple[LoggedLayer, ...], from_attributes=True)
    write_document(evidence / KEPT, EngineLog(kernels=kernels, engine_layers=layers))


def named(tactics: Sequence[_Names]) -> tuple[NamedKernel, ...]:
    """Return the kernels that *tactics* name, each once, in the order in which they are named last."""
    last = dict.fromkeys(
        (one.runner, key, one.kernel)
        for one in reversed(tactics)
        if one.kernel and (key := one.tactic_id or tactic_key(one.tactic))
    )
    return tuple(
        NamedKernel(runner=runner, tactic_id=key, kernel=name) for runner, key, name in reversed(last)
    )


def _tactic(one: NamedKernel) -> Tactic:
    return Tactic("", one.runner, None, one.tactic_id, one.tactic_id, one.kernel, None)
