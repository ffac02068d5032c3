"""What a node is sent of a network is what it is measured and checked with there."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.execution.fleet import input_key
from harness.execution.inputs import InputStore
from harness.execution.sending import Sending, SentInputs, packed, unpack
from tests.execution.ground import Ground


@pytest.fixture
def sent(ground: Ground, tmp_path: Path) -> tuple[InputStore, Sending, SentInputs]:
    """The inputs of a run, what is sent of them, and what they are read back as."""
    here = InputStore(tmp_path / "here", ground.plan.families, 1)
    sending = Sending(here, ground.parts().runtimes)
    names = sending.networks(ground.cells)
    files = tmp_path / "files"
    files.mkdir()
    for digest, path in sending.files.items():
        shutil.copyfile(path, files / digest)
    return here, sending, SentInputs(tmp_path / "there", files, names)


def test_what_is_read_there_is_what_is_here(
    ground: Ground, sent: tuple[InputStore, Sending, SentInputs]
) -> None:
    here, _, there = sent
    mine, theirs = here.get(ground.cells[0]), there.get(ground.cells[0])
    assert theirs.graph.digest == mine.graph.digest
    for name in ("network", "weights", "inputs"):
        assert getattr(theirs, name).read_bytes() == getattr(mine, name).read_bytes()
    assert theirs.reference.keys() == mine.reference.keys()
    for name, values in mine.reference.items():
        np.testing.assert_array_equal(theirs.reference[name], values)
    opset = ground.parts().runtimes["onnxruntime"].onnx_opset(ground.cells[0].version)
    assert theirs.onnx(opset).read_bytes() == mine.onnx(opset).read_bytes()
    assert there.get(ground.cells[1]) is theirs, "one network is put together once"


def test_a_file_is_sent_once_however_many_cells_read_it(
    ground: Ground, sent: tuple[InputStore, Sending, SentInputs]
) -> None:
    _, sending, _ = sent
    before = dict(sending.files)
    (names,) = sending.networks([*ground.cells, *ground.cells]).values()
    assert sending.files == before
    assert set(names.values()) == set(before)


def test_a_folder_comes_out_as_it_was_packed(tmp_path: Path) -> None:
    (tmp_path / "one" / "deep").mkdir(parents=True)
    (tmp_path / "one" / "deep" / "file").write_bytes(bytes(range(256)))
    (tmp_path / "two").mkdir()
    unpack(packed(tmp_path / "one"), tmp_path / "two")
    assert (tmp_path / "two" / "deep" / "file").read_bytes() == bytes(range(256))


def test_arrays_that_would_run_code_when_read_are_not_read(
    ground: Ground, tmp_path: Path, sent: tuple[InputStore, Sending, SentInputs]
) -> None:
    _, sending, there = sent
    (names,) = sending.networks(ground.cells).values()
    weights = tmp_path / "files" / names["weights.npz"]
    np.savez(tmp_path / "weights.npz", kernel=np.array([{"a": 1}], dtype=object))
    shutil.copyfile(tmp_path / "weights.npz", weights)
    with pytest.raises(ValueError, match="allow_pickle"):
        there.get(ground.cells[0])


def test_each_network_is_put_together_in_a_folder_of_its_own(ground: Ground, tmp_path: Path) -> None:
    twice = replace(ground.cells[0], treatment=replace(ground.cells[0].treatment, batch=2))
    sending = Sending(InputStore(tmp_path / "here", ground.plan.families, 1), ground.parts().runtimes)
    names = sending.networks([ground.cells[0], twice])
    assert len(names) == 2
    (tmp_path / "files").mkdir()
    for digest, path in sending.files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        shutil.copyfile(path, tmp_path / "files" / digest)
    there = SentInputs(tmp_path / "there", tmp_path / "files", names)
    one, two = there.get(ground.cells[0]), there.get(twice)
    assert {one.folder.parent, two.folder.parent} == {tmp_path / "there"}
    assert one.folder != two.folder
    assert (one.graph.batch, two.graph.batch) == (1, 2)
    assert sorted(path.name for path in one.folder.iterdir()) == sorted(names[input_key(ground.cells[0])])
