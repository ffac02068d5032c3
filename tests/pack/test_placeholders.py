"""Libraries that are named and not there: found, replaced, and refusing every call."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.pack.libraries import Missing, missing_libraries, needed, shared_objects
from harness.pack.placeholders import compile_placeholder, source_text, version_script

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("objdump") is None, reason="needs a C compiler and binutils"
)

LIBRARY = "int make_gone(void) { return 42; }\nconst char *gone_ErrorString(void) { return 0; }\n"
USER = (
    "int make_gone(void); const char *gone_ErrorString(void);\n"
    "int use(void) { return make_gone(); }\nconst char *said(void) { return gone_ErrorString(); }\n"
)


def _cc(*arguments: object) -> None:
    subprocess.run(["cc", "-shared", "-fPIC", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with a library that names libgone.so.8 (symbols under a version node), which is not in it."""
    (tmp_path / "gone.c").write_text(LIBRARY)
    (tmp_path / "use.c").write_text(USER)
    (tmp_path / "gone.map").write_text("libgone.so.8 { global: *; };\n")
    real = tmp_path / "real"
    real.mkdir()
    script = f"-Wl,--version-script={tmp_path / 'gone.map'}"
    _cc("-o", real / "libgone.so", tmp_path / "gone.c", "-Wl,-soname,libgone.so.8", script)
    folder = tmp_path / "wheels" / "package"
    folder.mkdir(parents=True)
    _cc("-o", folder / "libuser.so.1", tmp_path / "use.c", f"-L{real}", "-lgone", "-Wl,--no-as-needed", "-lm")
    (folder / "not_a_library.so").write_text("text")
    return tmp_path / "wheels"


def test_a_named_library_that_is_not_there_is_found_with_its_versioned_symbols(wheels: Path) -> None:
    (found,) = missing_libraries(shared_objects(wheels))
    assert found == Missing(
        "libgone.so.8", {"libgone.so.8": ("gone_ErrorString", "make_gone")}, ("libuser.so.1",)
    )


def test_libraries_of_the_host_and_those_present_are_not_missing(wheels: Path) -> None:
    shutil.copy(wheels.parent / "real" / "libgone.so", wheels / "libgone.so.8")
    assert missing_libraries(shared_objects(wheels)) == []
    assert needed(wheels / "package" / "libuser.so.1") == ("libgone.so.8",)


def test_a_placeholder_satisfies_the_loader_and_refuses_every_call(wheels: Path) -> None:
    (found,) = missing_libraries(shared_objects(wheels))
    user = wheels / "package" / "libuser.so.1"
    with pytest.raises(OSError, match=r"libgone\.so\.8"):
        ctypes.CDLL(str(user))
    placeholder = compile_placeholder(found, wheels / "placeholders")
    # Loaded first under its soname, it is what the loader takes for the other's need. All symbols are bound
    # at once (RTLD_NOW), so a wrong version node would fail here.
    ctypes.CDLL(str(placeholder), mode=ctypes.RTLD_GLOBAL)
    loaded = ctypes.CDLL(str(user))
    assert loaded.use() == 1
    loaded.said.restype = ctypes.c_char_p
    assert b"placeholder" in loaded.said()


def test_nodes_of_two_releases_stand_in_one_script() -> None:
    missing = Missing("libx.so.1", {"X_1": ("a",), "X_2": ("b", "c")}, ())
    assert version_script(missing) == "X_1 { global: a; local: *; };\nX_2 { global: b; c; };\n"
    assert source_text(missing).count("return 1;") == 3


def test_a_library_of_which_no_symbol_is_wanted_still_gets_a_placeholder(tmp_path: Path) -> None:
    path = compile_placeholder(Missing("libempty.so.1", {}, ("x",)), tmp_path)
    assert missing_libraries([path]) == []
    assert ctypes.CDLL(str(path)).trtmatrix_placeholder


def test_without_a_compiler_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="--libraries real"):
        compile_placeholder(Missing("libx.so.1", {}, ()), tmp_path)


def test_without_binutils_the_message_says_what_to_install(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = shared_objects(wheels)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="install binutils"):
        missing_libraries(objects)
