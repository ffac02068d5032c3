"""``evidence/partition.json``: which nodes of a graph TF-TRT put into which TRTEngineOp."""

from __future__ import annotations

from pathlib import Path

from harness.store.documents.base import Document, Part, read_document


class PartitionNode(Part, frozen=True, kw_only=True):
    """A node inside of a segment.

    :param op: as TensorFlow calls it: ``Conv2D``
    :param data_format: ``NHWC``, ``NCHW``, None where the op has none
    """

    name: str
    op: str
    data_format: str | None = None


class OutsideNode(Part, frozen=True, kw_only=True):
    """A node that stayed outside.

    :param op, data_format: as of a node inside; :param device: that it was placed on, empty for none
    :param reason: what the converter's log says of it, None where it says nothing
    """

    name: str
    op: str
    device: str = ""
    data_format: str | None = None
    reason: str | None = None


class Segment(Part, frozen=True, kw_only=True):
    """A TRTEngineOp.

    :param precision: ``FP32``, ``FP16``, ``INT8``; None in releases that do not say
    :param static: whether the converter built its engine; None in releases that do not say
    :param engine_bytes: 0 where the engine is built at the first inference
    :param inputs: tensors that it reads; :param nodes: of the segment, constants too
    """

    name: str
    device: str = ""
    precision: str | None = None
    static: bool | None = None
    engine_bytes: int = 0
    inputs: list[str]
    nodes: list[PartitionNode]


class Partition(Document, frozen=True, kw_only=True, tag="trtmatrix.partition/1"):
    """A converted graph.

    :param segments: the TRTEngineOps in it; :param outside: all its other nodes
    """

    segments: list[Segment]
    outside: list[OutsideNode]


def read_partition(evidence: Path) -> Partition | None:
    """Return the partition in the folder *evidence*, None where a build has left none.

    :raises InputError: the file is torn
    """
    path = evidence / "partition.json"
    return read_document(path, Partition) if path.is_file() else None
