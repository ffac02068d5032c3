"""Sites: wheels installed for another Python, with the CUDA libraries they name or placeholders for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.pack.libraries import Missing, shared_objects
from harness.pack.sites import PLACEHOLDERS, Wheels, cuda_requirements, install, make_site, packages
from tests.pack.wheels import composed_wheel

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("objdump") is None, reason="needs a C compiler and binutils"
)


def _library(folder: Path, soname: str, source: str, *arguments: str) -> bytes:
    (folder / "source.c").write_text(source)
    target = folder / soname
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-o",
        target,
        folder / "source.c",
        f"-Wl,-soname,{soname}",
        *arguments,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return target.read_bytes()


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    """Wheels of ``engine`` 1.0, whose library names libcudnn.so.8, and of two releases of cuDNN."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    cudnn = _library(tmp_path, "libcudnn.so.8", "int cudnnCreate(void) { return 0; }\n")
    shutil.copy(tmp_path / "libcudnn.so.8", tmp_path / "libcudnn.so")
    linked = ("-Wl,--no-as-needed", f"-L{tmp_path}", "-lcudnn")
    engine = _library(
        tmp_path, "libengine.so.8", "int cudnnCreate(void); int e(void) { return cudnnCreate(); }\n", *linked
    )
    composed_wheel("engine", "1.0", {"engine/libengine.so.8": engine}, folder, "nvidia-cudnn-cu12")
    composed_wheel("nvidia_cudnn_cu12", "8.9", {"nvidia/cudnn/lib/libcudnn.so.8": cudnn}, folder)
    composed_wheel("nvidia_cudnn_cu12", "9.1", {"nvidia/cudnn/lib/libcudnn.so.9": cudnn}, folder)
    return Wheels((3, 9), (folder,), offline=True)


def test_placeholders_stand_in_for_libraries_that_are_not_called(wheels: Wheels, tmp_path: Path) -> None:
    said: list[str] = []
    site = make_site("e", ["engine==1.0"], wheels, tmp_path / "site", real=False, say=said.append)
    assert site.placeholders == ("libcudnn.so.8",)
    assert site.packages == {"engine": "1.0"}
    assert site.library_folders() == ["engine", PLACEHOLDERS]
    assert said == ["e: installing engine==1.0"]


def test_real_libraries_come_in_the_release_that_the_soname_asks_for(wheels: Wheels, tmp_path: Path) -> None:
    site = make_site("e", ["engine==1.0"], wheels, tmp_path / "site", real=True, say=lambda _: None)
    assert site.placeholders == ()
    # The newest release that the wheel's own requirement allows is 9.1, which lacks libcudnn.so.8.
    assert site.packages == {"engine": "1.0", "nvidia_cudnn_cu12": "8.9"}
    assert site.library_folders() == ["engine", "nvidia/cudnn/lib"]


def test_libraries_that_a_requirement_states_are_left_out_where_placeholders_do(
    wheels: Wheels, tmp_path: Path
) -> None:
    wanted = ["engine==1.0", "nvidia-cudnn-cu12>=8,<9"]
    assert make_site("e", wanted, wheels, tmp_path / "a", real=False, say=lambda _: None).packages == {
        "engine": "1.0"
    }
    real = make_site("e", wanted, wheels, tmp_path / "b", real=True, say=lambda _: None)
    assert real.packages["nvidia_cudnn_cu12"] == "8.9"


def test_a_wheel_that_is_not_there_is_one_line(wheels: Wheels, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no wheels of engine==2\.0 for Python 3\.9"):
        install(["engine==2.0"], wheels, tmp_path / "site")
    assert packages(tmp_path / "site") == {}


def test_requirements_of_cuda_libraries_follow_the_sonames() -> None:
    missing = [
        Missing(name, {}, ())
        for name in ("libcublas.so.11", "libcublasLt.so.11", "libcudnn.so.8", "libx.so.1")
    ]
    assert cuda_requirements(missing, "cu11") == ["nvidia-cublas-cu11>=11,<12", "nvidia-cudnn-cu11>=8,<9"]


def test_shared_objects_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    assert shared_objects(tmp_path) == []
