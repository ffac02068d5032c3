"""A pack made on top of another one: only what is new travels, the host has the rest."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from harness.errors import InputError, UsageError
from harness.pack.build import make_pack, read_base
from harness.pack.collect import collect
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.manifest import Matrix
from harness.store.documents.plan import PackPlan, PackPython
from tests.pack.small_pack import FAMILIES, MARKS, SmallPack, unpack
from tests.pack.wheels import composed_wheel

pytestmark = MARKS


@pytest.fixture(scope="module")
def packs(small_pack: SmallPack, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of two packs on a host, the second made on top of the first, with one package more."""
    root = tmp_path_factory.mktemp("packs")
    order, options = small_pack.order, small_pack.options
    composed_wheel("besides", "1.0", {"besides.py": b"there = True\n"}, root)
    shelves = (*options.find_links, root)
    later = replace(options, base=read_base(small_pack.parts), extra=("besides",), find_links=shelves)
    make_pack(replace(order, cells=order.cells[:1]), root / "second", later, lambda _: None)
    return unpack(small_pack.parts, root / "host-1"), unpack(root / "second", root / "host-2")


def _start(pack: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(pack / "start.sh"), *more],
        cwd=pack.parent,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_what_the_first_pack_lacks_travels(packs: tuple[Path, Path]) -> None:
    first, second = packs
    assert not (second / "python.tar.gz").exists()
    listed = json.loads((second / "pack.json").read_text())
    assert listed["base"] == json.loads((first / "pack.json").read_text())["id"]
    assert sum(size for size in listed["members"].values()) < 10_000
    (site,) = (s for s in listed["sites"].values() if s["facts"])
    assert "besides.py" in site["files"]
    assert site["facts"]["packages"]["besides"] == "1.0"


def test_it_measures_with_the_python_and_the_files_of_the_first(
    packs: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = packs
    done = _start(second, "--base", str(first), "--rounds", "1", "--home", str(tmp_path / "home"))
    assert done.returncode == 0, done.stdout + done.stderr
    summary = collect(list((tmp_path / "home").iterdir()), tmp_path / "run", FAMILIES)
    assert summary.added == 1
    (build,) = Bundle.open(tmp_path / "run").builds()
    assert build.document.outputs is not None
    assert build.document.outputs.valid
    assert build.document.environment["packages"]["besides"] == "1.0"


def test_without_the_first_pack_it_says_what_is_missing(packs: tuple[Path, Path], tmp_path: Path) -> None:
    _, second = packs
    done = _start(second)
    assert done.returncode == 3
    assert "made on top of another one" in done.stderr
    other = tmp_path / "other"
    shutil.copytree(packs[0], other, ignore=shutil.ignore_patterns("sites", "store", "python"))
    document = json.loads((other / "pack.json").read_text())
    (other / "pack.json").write_text(json.dumps({**document, "id": "another"}))
    done = _start(second, f"--base={other}")
    assert done.returncode == 3
    assert "this pack goes with the pack" in done.stderr


def test_a_base_with_another_python_or_of_another_kind_is_refused(
    small_pack: SmallPack, tmp_path: Path
) -> None:
    order, options = small_pack.order, small_pack.options
    python = PackPython(name="python3.8", version="3.8.1")
    base = PackPlan(id="x", python=python, seed=0, builds=1, matrix=Matrix(), jobs={}, sites={})
    with pytest.raises(UsageError, match=r"the base pack brings Python 3\.8\.1"):
        make_pack(order, tmp_path / "out", replace(options, base=base), lambda _: None)
    listed = tmp_path / "trtmatrix-pack.json"
    listed.write_text('{"schema": "other"}')
    with pytest.raises(InputError, match="found 'other'"):
        read_base(tmp_path)
    write_document(listed, structs.replace(base, base="y"))
    with pytest.raises(UsageError, match="name that one"):
        read_base(listed)
