"""Sizes that a user gives to the open axes of an ONNX file's inputs: ``--shape NAME=1x3x224x224``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import onnx

from harness.errors import BadOptionError

Shapes = Mapping[str, tuple[int, ...]]

_SIZES = re.compile(r"[1-9]\d{0,8}(?:x[1-9]\d{0,8})*\Z", re.ASCII)


def read_shapes(values: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Read the values of the option, a tensor name to its sizes.

    :raises BadOptionError: one is no name and sizes, or a name comes twice

    >>> read_shapes(["x=1x3x224x224"])
    {'x': (1, 3, 224, 224)}
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for value in values:
        name, _, sizes = value.rpartition("=")
        if not name or _SIZES.match(sizes) is None:
            raise BadOptionError(f"--shape {value}: expected NAME=SIZES with whole numbers, as x=1x3x224x224")
        if name in shapes:
            raise BadOptionError(f"--shape {value}: '{name}' was given a shape before")
        shapes[name] = tuple(int(size) for size in sizes.split("x"))
    return shapes


def printed(sizes: Sequence[int | str]) -> str:
    """Sizes as the option takes them: ``1x3x224x224``; ``?`` is open and without a name."""
    return "x".join(str(size) for size in sizes) or "a scalar"


def input_shapes(model: onnx.ModelProto) -> dict[str, tuple[int | str, ...]]:
    """Return what the file says of each input: sizes, names of open axes, ``?`` where one has no name."""
    initializers = {tensor.name for tensor in model.graph.initializer}
    return {
        value.name: tuple(
            axis.dim_value if axis.dim_value > 0 else axis.dim_param or "?"
            for axis in value.type.tensor_type.shape.dim
        )
        for value in model.graph.input
        if value.name not in initializers
    }


def check_shape(name: str, sizes: tuple[int, ...], said: Sequence[int | str], file: str) -> None:
    """Hold a shape of the user against what the file says of that input.

    :raises BadOptionError: another rank, or another size than one that the file fixes
    """
    option = f"--shape {name}={printed(sizes)}"
    if len(sizes) != len(said):
        raise BadOptionError(
            f"{option}: {file} has '{name}' as {printed(said)}: {len(said)} sizes are needed"
        )
    for axis, (size, known) in enumerate(zip(sizes, said, strict=True)):
        if isinstance(known, int) and size != known:
            raise BadOptionError(
                f"{option}: {file} has '{name}' as {printed(said)}: axis {axis} is fixed at {known}"
            )


def check_names(shapes: Shapes, files: Mapping[str, Mapping[str, Sequence[int | str]]]) -> None:
    """Hold the names that were given shapes against the inputs of all files.

    :param files: file name to what it says of each input
    :raises BadOptionError: a name is no input of any
    """
    known = {name for inputs in files.values() for name in inputs}
    for name, sizes in shapes.items():
        if name not in known:
            inputs = "; ".join(
                f"{file} has " + ", ".join(f"{key} {printed(said)}" for key, said in found.items())
                for file, found in files.items()
            )
            raise BadOptionError(f"--shape {name}={printed(sizes)}: no input is called '{name}': {inputs}")
