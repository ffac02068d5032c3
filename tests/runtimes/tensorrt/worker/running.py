"""A stand-in whose engines run: each writes ones over its outputs, through the addresses it was given.

Imported as ``tensorrt`` inside a worker that has the libraries of ``tests/data/worker/cuda`` before it. Which
version it offers the names of, and what its engine looks like, stands in the environment variable
``STAND_IN`` (JSON: ``version``, ``io``: name to shape as the engine has it, ``refused``: formats).
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.runtimes.tensorrt.worker import surface

SAID = json.loads(os.environ["STAND_IN"])
IO = {name: tuple(shape) for name, shape in SAID["io"].items()}
NAMES = list(IO)
STREAM = 0x5157
_trt = surface.module(surface.surfaces()[SAID["version"]])
_formats = {"mask": 1, "type": "float32"}


def _write(addresses: list[int]) -> bool:
    kind, value = {"float32": (ctypes.c_float, 1.0), "float16": (ctypes.c_uint16, 0x3C00)}[_formats["type"]]
    count = 1
    for size in IO["logits"]:
        count *= size
    for index in range(count * SAID.get("batch", 1)):
        ctypes.cast(addresses[1], ctypes.POINTER(kind))[index] = value
    return True


def _report(context: Any, _arguments: tuple[Any, ...]) -> bool:
    """Tell the profiler of the inference that was enqueued last, unless the stand-in is to be silent."""
    if SAID.get("silent"):
        return False
    assert context._values["enqueue_emits_profile"] is False
    return _profile(context)


def _profile(context: Any, addresses: list[int] | None = None) -> bool:
    if "profiler" in context._values:
        for name in ("Conv/Conv2D + PWN(Conv/Relu6)", "Reformatting CopyNode", "Reformatting CopyNode"):
            context._values["profiler"].report_layer_time(name, 0.25)
    return addresses is None or _write(addresses)


def _by_name(context: Any, _arguments: tuple[Any, ...]) -> bool:
    return _write([context._values["_addresses"][name] for name in NAMES])


def _bind(context: Any, arguments: tuple[Any, ...]) -> bool:
    context._values.setdefault("_addresses", {})[arguments[0]] = arguments[1]
    return True


def _build(_builder: Any, _arguments: tuple[Any, ...]) -> Any:
    name = next(
        n for n, v in _trt.TensorFormat.__dict__.items() if 1 << v == _formats["mask"] and n.isupper()
    )
    if name in SAID.get("refused", ()):
        _log(1, f"no implementation obeys {name}")
        return None
    return b"serialized" if hasattr(_trt.Builder, "build_serialized_network") else _trt.make("ICudaEngine")


def _log(severity: int, text: str) -> None:
    for logger in _loggers:
        logger.log(severity, text)


def _format(_engine: Any, _arguments: tuple[Any, ...]) -> str:
    value = _formats["mask"].bit_length() - 1
    return "TensorFormat." + next(
        n for n, v in _trt.TensorFormat.__dict__.items() if v == value and n.isupper()
    )


_loggers: list[Any] = []
_made = surface._returning
surface.BEHAVIOUR.update(
    {
        ("Builder", "build_serialized_network"): _made(_build),
        ("Runtime", "deserialize_cuda_engine"): _made(lambda _r, _a: _trt.make("ICudaEngine")),
        ("ICudaEngine", "create_execution_context"): _made(lambda _e, _a: _trt.make("IExecutionContext")),
        ("ICudaEngine", "create_engine_inspector"): _made(lambda _e, _a: _trt.make("EngineInspector")),
        ("ICudaEngine", "num_io_tensors"): lambda _e, _n: len(NAMES),
        ("ICudaEngine", "num_bindings"): lambda _e, _n: len(NAMES),
        ("ICudaEngine", "device_memory_size"): lambda _e, _n: 4096,
        ("ICudaEngine", "device_memory_size_v2"): lambda _e, _n: 4096,
        ("ICudaEngine", "get_tensor_name"): _made(lambda _e, a: NAMES[a[0]]),
        ("ICudaEngine", "get_binding_name"): _made(lambda _e, a: NAMES[a[0]]),
        ("ICudaEngine", "get_tensor_shape"): _made(lambda _e, a: IO[a[0]]),
        ("ICudaEngine", "get_binding_shape"): _made(lambda _e, a: IO[NAMES[a[0]]]),
        ("ICudaEngine", "get_tensor_dtype"): _made(lambda _e, _a: _formats["type"]),
        ("ICudaEngine", "get_binding_dtype"): _made(lambda _e, _a: _formats["type"]),
        ("ICudaEngine", "get_tensor_mode"): _made(lambda _e, a: getattr(_trt.TensorIOMode, _mode(a[0]))),
        ("ICudaEngine", "binding_is_input"): _made(lambda _e, a: a[0] == 0),
        ("ICudaEngine", "get_tensor_format"): _made(_format),
        ("ICudaEngine", "get_binding_format"): _made(_format),
        ("IExecutionContext", "set_tensor_address"): _made(_bind),
        ("IExecutionContext", "execute_async_v3"): _made(_by_name),
        ("IExecutionContext", "execute_async_v2"): _made(lambda _c, a: _write(a[0])),
        ("IExecutionContext", "execute_async"): _made(lambda _c, a: _write(a[1])),
        ("IExecutionContext", "execute_v2"): _made(lambda c, a: _profile(c, a[0])),
        ("IExecutionContext", "execute"): _made(lambda c, a: _profile(c, a[1])),
        ("IExecutionContext", "report_to_profiler"): _made(_report),
        ("EngineInspector", "get_engine_information"): _made(lambda _i, _a: '{"Layers": [], "Bindings": []}'),
    }
)


def _mode(name: str) -> str:
    return "INPUT" if name == "input" else "OUTPUT"


class _Recording(surface._Member):
    """A property of ITensor that the stand-in's engine takes over."""

    def __init__(self, key: str) -> None:
        super().__init__(key, [])

    def __set__(self, instance: Any, value: Any) -> None:
        _formats["mask" if self.name == "allowed_formats" else "type"] = value
        super().__set__(instance, value)


for _name in ("allowed_formats", "dtype"):
    if hasattr(_trt.ITensor, _name):
        setattr(_trt.ITensor, _name, _Recording(_name))


class _Builder(_trt.Builder):  # type: ignore[misc, name-defined]
    """Says something to its logger, as any builder does."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        _loggers[:] = [logger] if hasattr(logger, "log") and not isinstance(logger, str) else []
        _log(4, "Original: 99 layers")
        if not hasattr(_trt.Builder, "build_serialized_network"):
            os.write(2, b"[TensorRT] VERBOSE: Original: 99 layers\n")


_Builder.__name__ = "Builder"
for _key, _value in vars(_trt).items():
    globals()[_key] = _value
Builder = _Builder
