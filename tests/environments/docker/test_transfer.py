"""Images carried in parts: layers once, the same ids on the other side, damaged parts named, going on."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import main
from harness.environments.docker import archive
from harness.environments.docker.archive import LARGE, NoArchiveError, take_apart
from harness.environments.docker.engine import Engine
from harness.environments.docker.images import Images
from harness.environments.docker.recipes import Choice
from harness.environments.docker.settings import DockerSettings
from harness.environments.docker.transfer import Saving, brought_name, load
from harness.environments.docker.transfer_parts import INDEX, SUMS, Folder
from harness.environments.pythons import uv_binary
from harness.errors import DamagedImagesError, NoSuchFileError
from harness.store.documents.base import read_document
from harness.store.documents.plan import PackPlan
from tests.environments.confined import PlainPython, recipe
from tests.pack.wheels import composed_wheel

_PART = 1_000_000
_SHARED = 2_500_000
_NAMES = ("team/first:1", "team/second:1")


def _tar(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def two_images(docker_engine: Engine) -> Iterator[dict[str, str]]:
    """Two small images over one root file system, by name their ids."""
    api = docker_engine.client.api
    root = random.Random(7).randbytes(_SHARED)
    api.import_image_from_data(_tar(root=root), repository="team/root:1")
    ids = {}
    for name in _NAMES:
        own = random.Random(name).randbytes(200_000)
        context = _tar(Dockerfile=b"FROM team/root:1\nCOPY own /own\n", own=own)
        docker_engine.client.images.build(fileobj=io.BytesIO(context), custom_context=True, tag=name, rm=True)
        ids[name] = str(docker_engine.client.images.get(name).id)
    yield ids
    _remove(docker_engine)


def _remove(engine: Engine) -> None:
    for image in engine.client.images.list():
        for tag in image.tags:
            if tag.startswith("team/"):
                engine.client.images.remove(tag, force=True)


def _here(engine: Engine) -> dict[str, str]:
    return {tag: str(i.id) for i in engine.client.images.list() for tag in i.tags if tag in _NAMES}


def _save(engine: Engine, path: Path, *names: str) -> list[str]:
    said: list[str] = []
    saving = Saving(engine, Folder(path, _PART), said.append)
    for name in names or _NAMES:
        saving.save([name])
    return said


def test_two_images_share_their_layer_on_disk_and_have_the_same_ids_after_loading(
    docker_engine: Engine, two_images: dict[str, str], tmp_path: Path
) -> None:
    _save(docker_engine, tmp_path)
    index = Folder(tmp_path).index()
    parts = [part for content in index.contents.values() for part in content.parts]
    _remove(docker_engine)
    assert _here(docker_engine) == {}

    said: list[str] = []
    loaded = load(docker_engine, Folder(tmp_path), said.append)

    assert _here(docker_engine) == two_images
    assert {image.name: image.id for image in loaded} == two_images
    assert max(part.bytes for part in parts) == _PART
    layers = [name for a in index.archives for name in a.segments if isinstance(name, str)]
    assert len(layers) == 4
    assert len(set(layers)) == 3
    assert sum(part.bytes for part in parts) < 2 * _SHARED  # once, and not once an image
    assert load(docker_engine, Folder(tmp_path), said.append) == []
    assert said[-2:] == [f"{name} is here already" for name in _NAMES]


def test_sums_can_be_checked_without_us_and_nothing_else_lies_in_the_folder(
    docker_engine: Engine, two_images: dict[str, str], tmp_path: Path
) -> None:
    assert two_images
    _save(docker_engine, tmp_path)

    rows = [line.split("  ") for line in (tmp_path / SUMS).read_text().splitlines()]
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}

    assert {file for _, file in rows} == files - {SUMS}
    assert all(hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() == digest for digest, file in rows)


def _damage(path: Path, how: str) -> str:
    if how == "missing":
        path.unlink()
        return "is missing"
    data = path.read_bytes()
    if how == "torn":
        path.write_bytes(data[:-7])
        return f"has {len(data) - 7} of {len(data)} bytes"
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    return "has another digest than it was written with"


@pytest.mark.parametrize("how", ["missing", "torn", "changed"])
def test_a_damaged_part_is_named_nothing_is_loaded_and_the_part_alone_mends_it(
    docker_engine: Engine, two_images: dict[str, str], tmp_path: Path, how: str
) -> None:
    _save(docker_engine, tmp_path)
    _remove(docker_engine)
    part = max((tmp_path / "layers").iterdir(), key=lambda path: path.stat().st_size)
    whole = part.read_bytes()
    problem = _damage(part, how)

    with pytest.raises(DamagedImagesError) as error:
        load(docker_engine, Folder(tmp_path), lambda _line: None)

    assert f"bring 1 of its parts once more, nothing was loaded: layers/{part.name} {problem}" in str(
        error.value
    )
    assert _here(docker_engine) == {}
    part.write_bytes(whole)
    load(docker_engine, Folder(tmp_path), lambda _line: None)
    assert _here(docker_engine) == two_images


def test_a_save_goes_on_where_it_was_left_and_writes_damaged_parts_anew(
    docker_engine: Engine, two_images: dict[str, str], tmp_path: Path
) -> None:
    _save(docker_engine, tmp_path, _NAMES[0])
    (tmp_path / "layers" / "new.part000").write_bytes(b"half of a layer")
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "layers").iterdir()}

    assert _save(docker_engine, tmp_path) == ["team/first:1 is saved already", "saving team/second:1"]
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "layers").iterdir()}
    assert "new.part000" not in kept
    assert {name: time for name, time in first.items() if name != "new.part000"}.items() <= kept.items()

    part = max((tmp_path / "layers").iterdir(), key=lambda path: path.stat().st_size)
    _damage(part, "torn")
    assert _save(docker_engine, tmp_path) == ["saving team/first:1", "saving team/second:1"]
    _remove(docker_engine)
    load(docker_engine, Folder(tmp_path), lambda _line: None)
    assert _here(docker_engine) == two_images


def test_a_folder_without_index_and_a_torn_index_are_named(docker_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(NoSuchFileError, match=INDEX):
        load(docker_engine, Folder(tmp_path), lambda _line: None)
    (tmp_path / INDEX).write_text('{"archives": [')
    with pytest.raises(DamagedImagesError, match=INDEX):
        load(docker_engine, Folder(tmp_path), lambda _line: None)


_MATRIX = """schema = "trtmatrix.matrix/1"
[[versions]]
runtime = "tensorrt"
versions = ["NAME"]
environment = "docker"
[[block]]
networks = ["mobilenet_v2"]
"""


def test_the_images_of_a_matrix_travel_with_two_commands(
    docker_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "nvcr.io/nvidia/tensorrt:19.01-py3"
    if Images(docker_engine, DockerSettings(), lambda _line: None).find(name) is not None:
        pytest.skip("the real image is on this engine")
    docker_engine.client.api.import_image_from_data(_tar(root=b"x" * 100_000), repository=name)
    made = docker_engine.client.images.get(name).id
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text(_MATRIX.replace("NAME", name))
    try:
        assert main(["images", "save", "m.toml", "-o", "carried", "--part-size", "1M", "--no-build"]) == 0
        assert f"{name} {made}\n" in capsys.readouterr().out
        docker_engine.client.images.remove(name)
        assert main(["images", "load", "carried"]) == 0
        assert f"{name} {made}\n1 image loaded\n" in capsys.readouterr().out
        assert docker_engine.client.images.get(name).id == made
    finally:
        docker_engine.client.images.remove(name)


@pytest.mark.skipif(
    uv_binary() is None or any(shutil.which(name) is None for name in ("objdump", "ldd")),
    reason="needs uv and binutils",
)
def test_a_pack_brings_the_images_of_its_containers_in_the_folder_of_its_parts(
    docker_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "nvcr.io/nvidia/tensorrt:19.01-py3"
    if Images(docker_engine, DockerSettings(), lambda _line: None).find(name) is not None:
        pytest.skip("the real image is on this engine")
    root = _tar(root=random.Random(3).randbytes(_SHARED))
    docker_engine.client.api.import_image_from_data(root, repository=name)
    made = docker_engine.client.images.get(name).id
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTMATRIX_DOCKER_NO_BUILD", "1")
    for package, version in (("onnxruntime", "1.22.1"), ("numpy", "1.26.4"), ("zstandard", "0.25.0")):
        composed_wheel(package, version, {f"{package}/__init__.py": b""}, tmp_path)
    wheels = _MATRIX.replace("tensorrt", "onnxruntime").replace("NAME", "1.22.1").replace("docker", "venv")
    images = _MATRIX.replace("NAME", name).partition("\n")[2].partition("[[block")[0]
    Path("m.toml").write_text(wheels + images)
    try:
        words = ["pack", "m.toml", "-o", "pack", "--offline", "--wheels", ".", "--level", "1"]
        assert main([*words, "--part-size", "1M", "--containers"]) == 0
        out, err = capsys.readouterr()
        docker_engine.client.images.remove(name)
        assert main(["images", "load", "pack"]) == 0
        assert docker_engine.client.images.get(name).id == made
    finally:
        docker_engine.client.images.remove(name)
    assert "images to save: tensorrt 5.0.2+19.01-py3; cells in containers: 1\n" in err
    assert "images: 1 in 4 parts, 2.5 MB in all (images.json, layers); cells in containers: 1\n" in out
    assert out.endswith("trtmatrix images load DIR, then trtmatrix run MATRIX there\n")
    files = list(Path("pack").rglob("*.part*"))
    assert max(path.stat().st_size for path in files) == 1_000_000
    assert {path.parent.name for path in files} == {"pack", "layers"}
    listed = read_document(Path("pack/trtmatrix-pack.json"), PackPlan)
    assert [cell.partition("clip-")[2] for cell in listed.jobs] == ["onnxruntime-1.22.1"]
    assert [cell.partition("clip-")[2] for cell in listed.contained] == ["tensorrt-5.0.2+19.01-py3"]


def test_an_image_of_wheels_runs_on_the_other_side_without_being_made_again(
    docker_engine: Engine, tmp_path: Path
) -> None:
    plain: Any = PlainPython()
    choice, said = Choice(recipe(tmp_path), None), []  # type: Choice, list[str]
    images = Images(docker_engine, DockerSettings(), said.append)
    made = images.ready(choice, plain, "1")
    brought = brought_name("plain", "plain_python", "1")
    Saving(docker_engine, Folder(tmp_path / "carried", _PART), said.append).save([made.name], brought=brought)
    docker_engine.client.images.remove(made.name)
    said.clear()

    load(docker_engine, Folder(tmp_path / "carried"), said.append)
    try:
        there = images.ready(choice, plain, "1")
    finally:
        docker_engine.client.images.remove(brought)

    assert there.id == made.id
    assert there.source == brought
    assert said == [f"loading {made.name}"]  # neither a base nor an image was made


@st.composite
def _archives(draw: st.DrawFn) -> bytes:
    stream = io.BytesIO()
    form = draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]))
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for number in range(draw(st.integers(0, 4))):
            entry = tarfile.TarInfo(f"{number}/layer" + "r" * draw(st.sampled_from([0, 40])) + ".tar")
            entry.size = draw(st.sampled_from([0, 1, 511, 512, 513, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE]))
            entry.mtime = 1.5 if form == tarfile.PAX_FORMAT else 1  # a fraction needs a header of its own
            tar.addfile(entry, io.BytesIO(bytes([number]) * entry.size))
            folder = tarfile.TarInfo(f"folder{number}")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
    return stream.getvalue()


class _Trickle(io.BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or -1, 40_000))


def _apart(data: bytes) -> tuple[bytes, list[int]]:
    joined, sizes = bytearray(), []

    def large(chunks: Iterator[bytes]) -> None:
        content = b"".join(chunks)
        sizes.append(len(content))
        joined.extend(content)

    take_apart(_Trickle(data), joined.extend, large)
    return bytes(joined), sizes


@given(_archives())
def test_an_archive_is_put_together_again_byte_by_byte_and_its_large_files_stand_alone(data: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        large = [member.size for member in tar.getmembers() if member.size >= LARGE]

    assert _apart(data) == (data, large)


@given(_archives(), st.data())
def test_an_archive_that_ends_within_a_block_is_refused(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(1, len(data) - 1).filter(lambda n: n % 512))

    with pytest.raises(NoArchiveError):
        _apart(data[:at])


def test_sizes_beyond_a_header_are_read_in_both_forms() -> None:
    size = 9 << 30  # more than eleven octal digits hold
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        entry = tarfile.TarInfo("layer.tar")
        entry.size = size
        header = entry.tobuf(form)
        found = []

        def large(chunks: Iterator[bytes], found: list[int] = found) -> None:
            found.append(len(next(chunks)))
            raise StopAsyncIteration

        with pytest.raises(StopAsyncIteration):
            take_apart(io.BytesIO(header + bytes(2 << 20)), lambda _data: None, large)
        assert found == [1 << 20]
    assert archive._pax_size(b"20 size=9663676416\n") == size
    with pytest.raises(NoArchiveError):
        take_apart(io.BytesIO(b"no archive at all" * 100), lambda _data: None, lambda _chunks: None)
