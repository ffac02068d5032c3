"""``networks/*.json``: the structure of a network, as :mod:`harness.networks.package` writes and reads it.

That room lies below the store, and workers read the same file with the standard library: the type says what
all of them keep to.
"""

from __future__ import annotations

from typing import Any

from harness.store.documents.base import Document, Part


class NetworkOp(Part, frozen=True, kw_only=True):
    """A source op.

    :param kind: ``conv``, ``clip`` ...; :param op_class: ``pointwise``, ``depthwise`` ...
    :param inputs: names of tensors, constants first to last; :param output: the tensor that it makes
    :param attributes: of its kind: strides, padding, bounds ...
    :param weights: role (``kernel``, ``bias`` ...) to key of the weights' archive
    """

    name: str
    kind: str
    op_class: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    weights: dict[str, str]


class Network(Document, frozen=True, kw_only=True, tag="trtmatrix.network/1"):
    """A network without its weights.

    :param digest: over structure and weights; :param relu6: ``clip`` or ``relu_sub``
    :param batch: images a run
    :param inputs, outputs: names of tensors; :param shapes: of every tensor, NCHW
    :param ops: in an order in which they can run
    """

    name: str
    digest: str
    relu6: str
    batch: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    ops: tuple[NetworkOp, ...]
