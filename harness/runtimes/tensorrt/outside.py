"""The line of trtexec that builds and times an ONNX file as a treatment says, in the options of a version.

Options by version: ``sampleOptions.cpp`` in the tags of github.com/NVIDIA/TensorRT. From 11.0 on data stay on
the device, the host spins, the engine is launched as a CUDA graph and profiled in a run of its own without
being asked; what is not wanted of these is switched off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.runtimes.outside import Asked, Outside, typed_note
from harness.versions import release_numbers

_LAYOUTS = {"linear": "chw"}
"""What trtexec calls a layout, where not as it is called here."""

_SOURCES = (("CUBLAS", (7, 2)), ("CUBLAS_LT", (7, 2)), ("CUDNN", (8, 0)))
_CORE = (("EDGE_MASK_CONVOLUTIONS", (8, 4)), ("JIT_CONVOLUTIONS", (8, 5)))

Release = tuple[int, ...]


def outside(asked: Asked) -> Outside:
    """Return the line of trtexec for what is *asked*."""
    release = release_numbers(asked.version) or (99,)
    options = [f"--onnx={asked.file}", *_formats(asked), *_precision(asked, release)]
    options += [*_builder(asked, release), *_measuring(asked, release)]
    typed = release >= (11,) or asked.treatment.typing == "strong"
    note = typed_note(asked) if typed and asked.treatment.precision != "tf32" else ""
    return Outside(" ".join(["trtexec", *options]), note=note)


def _formats(asked: Asked) -> Iterator[str]:
    """Yield the formats of inputs and outputs, where all are known."""
    for option, said in (("inputIOFormats", asked.inputs), ("outputIOFormats", asked.outputs)):
        named = [_format(one) for one in said]
        if named and all(named):
            yield f"--{option}={','.join(named)}"


def _format(said: str) -> str:
    """Return ``fp16:hwc8`` for ``hwc8 fp16``, nothing where a part is missing."""
    layout, _, kind = said.partition(" ")
    return f"{kind}:{_LAYOUTS.get(layout, layout)}" if kind else ""


def _precision(asked: Asked, release: Release) -> Iterator[str]:
    precision = asked.treatment.precision
    if precision in ("fp16", "int8") and release < (11,):
        yield f"--{precision}"
    if precision != "tf32" and release >= (7, 1):
        yield "--noTF32"
    if asked.treatment.typing == "strong" and (9,) <= release < (11,):
        yield "--stronglyTyped"


def _builder(asked: Asked, release: Release) -> Iterator[str]:
    if (6,) <= release < (8,):
        yield "--explicitBatch"
    yield "--memPoolSize=workspace:1024" if release >= (8, 4) else "--workspace=1024"
    core = _known(_CORE, release)
    libraries = _known(_SOURCES, release) if release < (11,) else []
    if asked.treatment.tactic_sources == "core" and core:
        sources = [f"-{name}" for name in libraries] + [f"+{name}" for name in core]
        yield f"--tacticSources={','.join(sources)}"
        if (8, 5) <= release < (9,):
            yield "--preview=+disableExternalTacticSourcesForCore0805"
    elif asked.treatment.tactic_sources == "all" and release >= (7, 2):
        yield f"--tacticSources={','.join(f'+{name}' for name in [*libraries, *core])}"
    if release >= (8, 2):
        yield "--profilingVerbosity=detailed"
        yield f"--exportLayerInfo={asked.side}.layers.json"


def _measuring(asked: Asked, release: Release) -> Iterator[str]:
    if release >= (6,):
        yield from ("--warmUp=500", "--duration=5")
    if (6,) <= release < (11,):
        yield "--useSpinWait"
    copies = asked.treatment.copies
    if (7, 2) <= release < (11,) and copies == "out":
        yield "--noDataTransfers"
    if release >= (11,) and copies == "in":
        yield "--includeDataTransfers"
    wanted = asked.treatment.cuda_graph == "on"
    if (6,) <= release < (11,) and wanted:
        yield "--useCudaGraph"
    if release >= (11,) and not wanted:
        yield "--noCudaGraph"
    if (7, 2) <= release < (11,):
        yield "--separateProfileRun"
    if release >= (6,):
        yield "--dumpProfile"
    yield "--verbose"


def _known(sources: Sequence[tuple[str, Release]], release: Release) -> list[str]:
    return [name for name, first in sources if release >= first]
