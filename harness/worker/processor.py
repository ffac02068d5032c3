"""What the processor is, and what its vector units and its clock allow. Standard library only: the kernels of
NumPy's BLAS are chosen when NumPy is loaded, and these facts say which it must be given.
"""

import os
import platform
from typing import Dict, Mapping, Optional

CORE = "OPENBLAS_CORETYPE"
"""Variable that names the processor whose kernels OpenBLAS takes; read once, when it is loaded."""

_CORES = (("SkylakeX", "avx512f avx512bw avx512dq avx512vl fma"), ("Haswell", "avx2 fma"))
"""Kernels of OpenBLAS and the flags they need, the fastest first."""

_FLOPS_PER_CYCLE = {"SkylakeX": 64, "Haswell": 32}
"""Of one core in float32: two units, each a multiply and an add in 16 or 8 lanes."""

_HALF_AS_WIDE = "AuthenticAMD"
"""Its first processors with AVX-512 take such an instruction in two steps."""


def cpu_info(path: str = "/proc/cpuinfo") -> Dict[str, str]:
    """Return what Linux says of the first processor, empty elsewhere."""
    found = {}  # type: Dict[str, str]
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                found[name.strip()] = value.strip()
    except OSError:  # not Linux
        pass
    return found


def cpu_model(info: Mapping[str, str]) -> str:
    """Return the name of the processor, as far as it is known."""
    return info.get("model name", "") or platform.processor() or platform.machine()


def blas_core(info: Mapping[str, str]) -> Optional[str]:
    """Return the kernels of OpenBLAS that this processor can run, None where its own choice is as good.

    An OpenBLAS that is older than the processor does not know it and takes kernels that every processor of
    the architecture can run, without its wide units: a fifth of what it gives, or less.
    """
    flags = set(info.get("flags", "").split())
    for core, needed in _CORES:
        if flags.issuperset(needed.split()):
            return core
    return None


def choose_blas_core() -> None:
    """Have NumPy's BLAS take the kernels for this processor, unless the environment names some."""
    core = blas_core(cpu_info())
    if core is not None:
        os.environ.setdefault(CORE, core)


def computed_flops_per_s(info: Mapping[str, str], core: Optional[str], threads: int) -> Optional[float]:
    """Return what *threads* cores give in float32 by their units and their clock, None where unknown.

    :param core: kernels of OpenBLAS, which name the units that may be used
    """
    try:
        clock = 1e6 * float(info.get("cpu MHz", ""))
    except ValueError:
        return None
    cycle = _FLOPS_PER_CYCLE.get(core or "")
    if cycle is None or not clock > 0:
        return None
    if core == "SkylakeX" and info.get("vendor_id") == _HALF_AS_WIDE:
        cycle //= 2
    return cycle * clock * threads
