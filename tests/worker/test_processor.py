"""Which kernels NumPy's BLAS is given, and what vector units and clock allow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.worker import cpu
from harness.worker.processor import (
    CORE,
    blas_core,
    choose_blas_core,
    computed_flops_per_s,
    cpu_info,
    cpu_model,
)

ROOT = Path(__file__).resolve().parents[2]
WIDE = "fpu avx avx2 fma avx512f avx512dq avx512bw avx512vl"
INTEL = {"vendor_id": "GenuineIntel", "cpu MHz": "2300.000", "flags": WIDE}


@pytest.mark.parametrize(
    ("flags", "core"),
    [
        (WIDE, "SkylakeX"),
        ("fpu avx avx2 fma avx512f", "Haswell"),
        ("fpu avx avx2 fma", "Haswell"),
        ("fpu avx avx2", None),
        ("", None),
    ],
)
def test_kernels_are_those_that_the_flags_allow(flags: str, core: str | None) -> None:
    assert blas_core({"flags": flags}) == core


def test_what_the_environment_names_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CORE, "Nehalem")
    choose_blas_core()
    assert os.environ[CORE] == "Nehalem"


def test_the_file_of_the_first_processor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A: B\n\nprocessor\t: 1\nmodel name\t: C\n")
    assert cpu_info(str(path)) == {"processor": "0", "model name": "A: B"}
    assert cpu_model(cpu_info(str(path))) == "A: B"
    assert cpu_info(str(tmp_path / "none")) == {}


@given(st.floats(100, 6000), st.integers(1, 256))
def test_units_times_clock_times_threads(mhz: float, threads: int) -> None:
    info = {**INTEL, "cpu MHz": repr(mhz)}
    assert computed_flops_per_s(info, "SkylakeX", threads) == pytest.approx(64e6 * mhz * threads)
    assert computed_flops_per_s(info, "Haswell", threads) == pytest.approx(32e6 * mhz * threads)
    halved = {**info, "vendor_id": "AuthenticAMD"}
    assert computed_flops_per_s(halved, "SkylakeX", threads) == pytest.approx(32e6 * mhz * threads)


@pytest.mark.parametrize("info", [{}, {"cpu MHz": "fast"}, {"cpu MHz": "0"}])
def test_nothing_is_computed_without_a_clock(info: dict[str, str]) -> None:
    assert computed_flops_per_s(info, "Haswell", 1) is None
    assert computed_flops_per_s(INTEL, None, 1) is None


def test_a_blas_that_does_not_use_the_units_is_replaced_by_what_they_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = {**INTEL, "cpu MHz": "1e9"}
    monkeypatch.setattr(cpu, "cpu_info", lambda: clock)
    monkeypatch.setenv(CORE, "Haswell")
    said = cpu.peaks(2)
    assert said["flops_per_s"] == pytest.approx(64e15)
    assert said["how"].startswith(
        "computed from vector units (Haswell) and clock, since the best of float32 "
    )
    monkeypatch.setattr(cpu, "cpu_info", lambda: {**INTEL, "cpu MHz": "0.001"})
    measured = cpu.peaks(1)
    assert measured["flops_per_s"] > 1e6
    assert measured["how"].startswith("best of float32 matrix products of 96x96, 192x192, 384x384 by NumPy")


def test_kernels_are_chosen_before_numpy_is_loaded() -> None:
    program = (
        "import json, sys; from harness.worker.processor import choose_blas_core; "
        "import harness.worker.serve; print(json.dumps('numpy' in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(ran.stdout) is False
