"""The interpreter that travels: cut to what a worker needs, and starting anywhere."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UnavailableError, UsageError
from harness.pack.interpreter import ask, choose, copy_tree

HERE = sys.version_info[:2]


def test_a_range_is_met_by_a_python_of_this_machine() -> None:
    found = choose([((3, 8), (3, 99)), (HERE, HERE)], None)
    assert found.minor == HERE
    assert found.name == f"python{HERE[0]}.{HERE[1]}"


def test_versions_that_no_single_python_fits_are_refused() -> None:
    with pytest.raises(UnavailableError, match="one pack for each group"):
        choose([((3, 8), (3, 9)), ((3, 11), (3, 12))], None)


def test_a_range_of_which_nothing_is_here_says_what_to_do() -> None:
    with pytest.raises(UnavailableError, match="--python"):
        choose([((3, 98), (3, 99))], None)


def test_a_wish_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for wish in (Path(sys.executable), tmp_path / "nothing"):
        with pytest.raises(UsageError, match=r"Python 3\.98 to 3\.99"):
            choose([((3, 98), (3, 99))], wish)
    assert ask(tmp_path / "nothing") is None


def test_the_tree_starts_at_another_place_with_its_own_libraries(tmp_path: Path) -> None:
    python = ask(sys.executable)
    assert python is not None
    copy_tree(python, tmp_path / "first")
    tree = (tmp_path / "first").rename(tmp_path / "moved")
    program = (
        "import ctypes, hashlib, json, lzma, sqlite3, ssl, sys; "
        "print(sys.prefix); print(open('/proc/self/maps').read())"
    )
    done = subprocess.run(
        [str(tree / "bin" / python.name), "-B", "-S", "-c", program],
        env={"PYTHONHOME": str(tree), "LD_LIBRARY_PATH": str(tree / "lib")},
        capture_output=True,
        text=True,
        check=True,
    )
    prefix, _, maps = done.stdout.partition("\n")
    assert prefix == str(tree)
    # Nothing of the original may be needed: it is not there on the host.
    assert str(python.stdlib) not in maps
    names = {path.name for path in (tree / "lib" / python.name).iterdir()}
    assert not names & {"test", "idlelib", "ensurepip", "__pycache__"}
    assert not list((tree / "lib").glob("libc.so*"))
