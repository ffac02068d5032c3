"""Libraries that are compiled where a loader asks for one: they answer what they were told to."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from harness.environments import c_library, venv
from harness.environments.c_library import answering, compile_library
from harness.errors import UnavailableError
from harness.runtimes.tensorflow import cuda
from harness.runtimes.tftrt.runtime import TFTRT

compiled = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@compiled
def test_each_function_returns_its_number(tmp_path: Path) -> None:
    library = compile_library(tmp_path / "libasked.so.5", answering({"major": 5, "whole": 5105}))
    loaded = ctypes.CDLL(str(library))
    assert (loaded.major(), loaded.whole()) == (5, 5105)
    assert not hasattr(loaded, "createInferBuilder")


@compiled
def test_what_the_compiler_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"refused the placeholder of libbad\.so: "):
        compile_library(tmp_path / "libbad.so", "no C at all")


def test_without_a_compiler_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c_library.shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError, match=r"of libx\.so; install gcc, or take another$"):
        compile_library(tmp_path / "libx.so", "", otherwise="take another")


@compiled
def test_the_loader_of_a_virtual_environment_finds_a_stub_of_tensorrt_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LD_LIBRARY_PATH", "/before")
    said = venv.loader_variables(TFTRT(), "1.15.0", tmp_path / "venv")
    folder, before = said["LD_LIBRARY_PATH"].split(os.pathsep)
    assert before == "/before"
    assert ctypes.CDLL(str(Path(folder) / "libnvinfer.so.5")).getInferLibVersion() == 5105


def test_the_loader_is_told_the_folders_of_tensorrt_and_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    packages = tmp_path / "lib" / "python3.10" / "site-packages"
    packages.mkdir(parents=True)
    said = venv.loader_variables(TFTRT(), "2.14.1", tmp_path)
    assert said["LD_LIBRARY_PATH"].split(os.pathsep) == [str(packages / name) for name in cuda.FOLDERS]
