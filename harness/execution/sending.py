"""What a node is sent to measure with: files by their digest, and what they are read back as there."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import zstandard

from harness.execution.fleet import InputKey, input_key
from harness.execution.inputs import InputStore, NetworkInputs, needs_onnx, place
from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime

GRAPH, REFERENCE = "graph.pickle", "reference.npz"


class Sending:
    """The files of a run's networks, found by digest.

    :param inputs: makes the files of a network; :param runtimes: by name: some read ONNX
    """

    def __init__(self, inputs: InputStore, runtimes: Mapping[str, Runtime]) -> None:
        self._inputs, self._runtimes = inputs, runtimes
        self._digests: dict[Path, str] = {}
        self.files: dict[str, Path] = {}

    def add(self, path: Path) -> str:
        """Return the digest of the file *path*, under which it is now in :attr:`files`."""
        if path not in self._digests:
            with path.open("rb") as opened:
                self._digests[path] = hashlib.file_digest(opened, "sha256").hexdigest()
            self.files[self._digests[path]] = path
        return self._digests[path]

    def networks(self, cells: Sequence[Cell]) -> dict[InputKey, dict[str, str]]:
        """Return name and digest of the files that workers and checks of *cells* read, by network."""
        found: dict[InputKey, dict[str, str]] = {}
        for cell in cells:
            names = found.setdefault(input_key(cell), {})
            names.update({path.name: self.add(path) for path in self._files(cell)})
        return found

    def _files(self, cell: Cell) -> Iterator[Path]:
        inputs = self._inputs.get(cell)
        yield from (inputs.network, inputs.weights, inputs.inputs)
        graph, reference = inputs.folder / GRAPH, inputs.folder / REFERENCE
        if not graph.exists():
            # The weights are in their own file, which every batch shares.
            graph.write_bytes(pickle.dumps(replace(inputs.graph, weights={})))
            np.savez(reference, allow_pickle=False, **dict(inputs.reference))
        yield from (graph, reference)
        runtime = self._runtimes[cell.runtime]
        if needs_onnx(runtime, cell):
            yield inputs.onnx(runtime.onnx_opset(cell.version))


class SentInputs(InputStore):
    """The inputs of cells from files that were sent.

    :param folder: where they are put together; :param files: where they lie by their digest
    :param sent: name to digest of the files of each network
    """

    def __init__(self, folder: Path, files: Path, sent: Mapping[InputKey, Mapping[str, str]]) -> None:
        super().__init__(folder, {}, 0)
        self._files, self._sent = files, sent
        self._read: dict[InputKey, NetworkInputs] = {}

    def get(self, cell: Cell) -> NetworkInputs:
        """Return the inputs of *cell*."""
        key = input_key(cell)
        if key not in self._read:
            folder = self._folder / str(len(self._read))
            folder.mkdir(parents=True)
            paths = {
                name: place(self._files / digest, folder, name) for name, digest in self._sent[key].items()
            }
            self._read[key] = _read(folder, paths)
        return self._read[key]


def _read(folder: Path, paths: Mapping[str, Path]) -> NetworkInputs:
    # From the harness's own driver, as the rest of the order is.
    graph = pickle.loads(paths[GRAPH].read_bytes())
    return NetworkInputs(
        graph=replace(graph, weights=_arrays(paths["weights.npz"])),
        folder=folder,
        network=paths["network.json"],
        weights=paths["weights.npz"],
        inputs=paths["inputs.npz"],
        reference=_arrays(paths[REFERENCE]),
    )


def _arrays(path: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def packed(folder: Path) -> bytes:
    """Return the files of *folder* as one compressed archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(folder, ".")
    return zstandard.ZstdCompressor(level=1).compress(archive.getvalue())


def unpack(files: bytes, folder: Path) -> None:
    """Write what was :func:`packed` into *folder*."""
    content = zstandard.ZstdDecompressor().decompress(files)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")
