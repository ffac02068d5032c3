"""TensorFlow's files, read without TensorFlow: a frozen GraphDef, or the folder of a SavedModel.

Of TensorFlow's messages only the fields that are needed are declared; what else a file holds is skipped.
Source: ``tensorflow/core/framework/*.proto`` and ``tensorflow/core/protobuf/*.proto``, unchanged since 1.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped,unused-ignore]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]

from harness.errors import TensorflowModelError, UnreadableFileError, WrongFormatError

SAVED_MODEL = "saved_model.pb"

FREEZE = (
    "freeze the model and give --network the frozen.pb that this writes: docs/how-to/tensorflow-network.md"
)
"""What to do about a model that is not frozen."""

_FIELDS = {
    "Dim": "size:1:int64",
    "Shape": "dim:2:*Dim unknown_rank:3:bool",
    "Tensor": "dtype:1:int32 shape:2:Shape content:4:bytes half:13:*int32 float:5:*float double:6:*double"
    " int:7:*int32 int64:10:*int64 bool:11:*bool",
    "List": "i:3:*int64",
    "Attribute": "list:1:List s:2:bytes i:3:int64 f:4:float b:5:bool type:6:int32 shape:7:Shape"
    " tensor:8:Tensor",
    "Attr": "key:1:string value:2:Attribute",
    "Node": "name:1:string op:2:string input:3:*string attr:5:*Attr",
    "Graph": "node:1:*Node",
    "TensorInfo": "name:1:string",
    "Named": "key:1:string value:2:TensorInfo",
    "Signature": "inputs:1:*Named outputs:2:*Named",
    "NamedSignature": "key:1:string value:2:Signature",
    "MetaInfo": "tags:4:*string",
    "MetaGraph": "info:1:MetaInfo graph:2:Graph signatures:5:*NamedSignature",
    "SavedModel": "version:1:int64 meta_graphs:2:*MetaGraph",
}
"""Message to its fields, ``name:number:type``; a star: repeated. A map is its entries, key and value."""

_PACKAGE = "trtmatrix.tensorflow"
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 19: "<f2"}
_VALUES = {1: "float", 2: "double", 3: "int", 9: "int64", 10: "bool", 19: "half"}
_LARGEST = 2**28
FLOAT = 1
"""The number of float32 among TensorFlow's types."""


@dataclass(frozen=True)
class TensorflowModel:
    """What a file or folder holds.

    :param nodes: messages of nodes, in the file's order
    :param outputs: names of tensors that a signature gives as outputs; empty where there is none
    """

    path: Path
    nodes: tuple[Any, ...]
    outputs: tuple[str, ...] = ()


@cache
def message(name: str) -> Any:
    """Return the class of the message called *name* here (``Graph``, ``SavedModel``)."""
    found = _pool().FindMessageTypeByName(f"{_PACKAGE}.{name}")
    return message_factory.GetMessageClass(found)


@cache
def _pool() -> Any:
    """Return the messages; a process with TensorFlow in it has them in the default pool, too."""
    file = descriptor_pb2.FileDescriptorProto(name="trtmatrix.proto", package=_PACKAGE, syntax="proto3")
    for key, fields in _FIELDS.items():
        made = file.message_type.add(name=key)
        for said in fields.split():
            field, number, kind = said.split(":")
            plain = kind.lstrip("*")
            label = "LABEL_REPEATED" if plain != kind else "LABEL_OPTIONAL"
            entry = made.field.add(name=field, number=int(number), label=label)
            if plain in _FIELDS:
                entry.type, entry.type_name = entry.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
            else:
                entry.type = getattr(entry, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def load(path: Path) -> TensorflowModel:
    """Read the frozen GraphDef or SavedModel at *path*.

    :raises InputError: it cannot be read, is none of these, or is not frozen
    """
    if path.is_dir() or path.name == SAVED_MODEL:
        return _saved_model(path if path.is_dir() else path.parent)
    graph = _parsed(path, "Graph", "GraphDef")
    if not graph.node:
        raise WrongFormatError(path, "not a GraphDef: it holds no node")
    return TensorflowModel(path, tuple(graph.node))


def _parsed(path: Path, name: str, called: str) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error.strerror}") from None
    try:
        return message(name).FromString(data)
    except DecodeError as error:
        raise WrongFormatError(path, f"not a {called}: {str(error).splitlines()[0].lower()}") from None


def _saved_model(folder: Path) -> TensorflowModel:
    path = folder / SAVED_MODEL
    if not path.is_file():
        raise UnreadableFileError(folder, f"is no SavedModel: it holds no {SAVED_MODEL}")
    found = _parsed(path, "SavedModel", "SavedModel").meta_graphs
    if not found:
        raise WrongFormatError(path, "not a SavedModel: it holds no graph")
    graph = next((one for one in found if "serve" in one.info.tags), found[0])
    if any(folder.glob("variables/*.index")):
        raise TensorflowModelError(folder, f"holds variables: {FREEZE}")
    signatures = {entry.key: entry.value for entry in graph.signatures}
    if not signatures:
        return TensorflowModel(path, tuple(graph.graph.node))
    if "serving_default" not in signatures and len(signatures) > 1:
        names = ", ".join(sorted(signatures))
        raise TensorflowModelError(
            folder, f"has the signatures {names} and none called serving_default, which is the one measured"
        )
    signature = signatures.get("serving_default") or next(iter(signatures.values()))
    outputs = [entry.value.name for entry in sorted(signature.outputs, key=lambda entry: entry.key)]
    return TensorflowModel(path, tuple(graph.graph.node), tuple(outputs))


def attribute(node: Any, name: str) -> Any:
    """Return the message of attribute *name* of *node*; an empty one where it is not said."""
    return next((entry.value for entry in node.attr if entry.key == name), message("Attribute")())


def array(tensor: Any) -> np.ndarray:
    """Return the constant that the message *tensor* holds.

    The last of its values fills what is left of the shape, as TensorFlow writes arrays of one value.

    :raises ValueError: values and shape do not fit, or a type that is not read
    """
    if tensor.dtype not in _DTYPES:
        raise ValueError(f"a constant of TensorFlow's type {tensor.dtype} is not read")
    shape = [dim.size for dim in tensor.shape.dim]
    if any(size < 0 for size in shape) or tensor.shape.unknown_rank or math.prod(shape) > _LARGEST:
        raise ValueError(f"a constant has no possible shape: {shape}")
    kind = np.dtype(_DTYPES[tensor.dtype])
    if tensor.content:
        return np.frombuffer(tensor.content, kind).reshape(shape)
    held = getattr(tensor, _VALUES[tensor.dtype])
    bits = np.dtype("<u2") if tensor.dtype == 19 else kind
    values = np.array(held, bits).view(kind) if len(held) else np.zeros(1, kind)
    if len(values) > math.prod(shape):
        raise ValueError(f"a constant of shape {shape} has {len(values)} values")
    if len(values) == math.prod(shape):
        return values.reshape(shape)
    filled = np.full(math.prod(shape), values[-1], kind)
    filled[: len(values)] = values
    return filled.reshape(shape)
