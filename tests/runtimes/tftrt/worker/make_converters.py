"""The words of TF-TRT's converters, read from wheels of TensorFlow without running them.

    pip download --no-deps --only-binary=:all: --python-version 3.6 --implementation cp \\
        --platform manylinux1_x86_64 -d WHEELS tensorflow==1.13.1  # tensorflow-gpu before 1.10
    python tests/runtimes/tftrt/worker/make_converters.py WHEELS/*.whl \\
        > tests/data/runtimes/tftrt/converters.json
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PLACES = {
    "tensorflow/contrib/tensorrt/python/trt_convert.py": "tensorflow.contrib.tensorrt",
    "tensorflow/python/compiler/tensorrt/trt_convert.py": "tensorflow.python.compiler.tensorrt.trt_convert",
}
NAMES = ("create_inference_graph", "TrtGraphConverter", "TrtGraphConverterV2")


def converters(wheel: Path) -> dict[str, dict[str, list[str]]]:
    """Return module to the converters that *wheel* has in it, each with the words that it takes."""
    found: dict[str, dict[str, list[str]]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            place = next((module for path, module in PLACES.items() if name.endswith(path)), None)
            if place is not None:
                found[place] = dict(_defined(ast.parse(archive.read(name))))
    return {place: calls for place, calls in found.items() if calls}


def _defined(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in NAMES:
            yield node.name, [one.arg for one in node.args.args]
        if isinstance(node, ast.ClassDef) and node.name in NAMES:
            (made,) = [
                one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"
            ]
            yield node.name, [one.arg for one in made.args.args][1:]


def main(words: Sequence[str]) -> None:
    """Print the converters of all wheels named."""
    found = {path.name.split("-")[1]: converters(path) for path in map(Path, words)}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
