"""Stand-ins for a TensorRT that cannot run here: they offer the names of a real version, and no other.

The names are those that were read from wheels (``tests/data/trt_api/*.json``) or that NVIDIA documents
(``reference.toml``). Reading or setting anything else raises AttributeError, as bindings do. What calls
return is only what the worker needs to go on: that a call exists is held here, what it does is not.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DATA = Path(__file__).parents[3] / "data" / "trt_api"


def surfaces() -> dict[str, dict[str, Any]]:
    """Return version to surface, from wheels first."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(DATA.glob("*.json"))}
    reference = tomllib.loads((DATA / "reference.toml").read_text())
    for entry in reference.pop("version"):
        surface = json.loads((DATA / f"{entry['base']}.json").read_text())
        for group in entry["without"]:
            for name in reference[group]["names"]:
                _remove(surface, name)
        for group in entry["with"]:
            for name in reference[group]["names"]:
                kind, member = name.split(".")
                surface["classes"][kind][member] = []
        surface["from"], surface["version"] = "reference", entry["version"]
        found[entry["version"]] = surface
    return found


def _remove(surface: dict[str, Any], name: str) -> None:
    kind, _, member = name.partition(".")
    for table in ("classes", "enumerations"):
        if kind in surface[table] and not member:
            del surface[table][kind]
        elif member in surface[table].get(kind, ()):
            del surface[table][kind][member]


class _Member:
    """A name of a class: there for ``hasattr`` on the class, a value or a method on an instance.

    :param signatures: parameters of each overload of a method; a call must fit one of them
    """

    def __init__(self, name: str, signatures: list[str]) -> None:
        self.name, self.signatures = name, signatures

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.name in instance._values:
            return instance._values[self.name]
        found = BEHAVIOUR.get((type(instance).__name__, self.name), BEHAVIOUR.get(("", self.name), _call))
        value = found(instance, self.name)
        return self._checked(value) if self.signatures and callable(value) else value

    def _checked(self, method: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if not any(_fits(arguments, signature) for signature in self.signatures):
                raise TypeError(f"{self.name}{arguments} fits none of {self.signatures}")
            return method(*arguments)

        return call

    def __set__(self, instance: Any, value: Any) -> None:
        instance._values[self.name] = value
        instance._trt.calls.append((type(instance).__name__, self.name))


_TYPES: dict[str, type | tuple[type, ...]] = {"int": int, "bool": bool, "str": str, "float": float}


def _fits(arguments: tuple[Any, ...], signature: str) -> bool:
    """Say whether positional *arguments* fit the parameters of *signature* (``flag: BuilderFlag, n: int``).

    Their number, and the types that Python has; a list of integers is checked for being a list.
    """
    parameters = re.findall(r"(\w+): (.+?)( = [^,]*)?(?:, (?=\w+: )|$)", signature)
    # A parameter with a default may stand before one without: it must be given then, too.
    required = max((i + 1 for i, (_, _, default) in enumerate(parameters) if not default), default=0)
    if not required <= len(arguments) <= len(parameters):
        return False
    for value, (_, kind, _) in zip(arguments, parameters, strict=False):
        if kind in _TYPES and not isinstance(value, _TYPES[kind]):
            return False
        if kind.startswith("List[") and not isinstance(value, list):
            return False
        if kind == "Dims" and not all(isinstance(size, int) for size in value):
            return False
    return True


class _Object:
    """An instance of a class of the surface."""

    _trt: Any
    _values: dict[str, Any]

    def __init__(self, *_arguments: Any, **values: Any) -> None:
        object.__setattr__(self, "_values", values)

    def __setattr__(self, name: str, value: Any) -> None:
        # A class that Python derives from a binding's has a dictionary of its own; the binding's has none.
        if "_trt" in type(self).__dict__ and name not in type(self).__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        object.__setattr__(self, name, value)


def _call(instance: Any, name: str) -> Any:
    """Return a method that records its call and returns true."""

    def method(*arguments: Any) -> Any:
        instance._trt.calls.append((type(instance).__name__, name, *arguments))
        return True

    return method


def _returning(make: Any) -> Any:
    """Return the behaviour of a method that returns ``make(instance, arguments)``."""

    def behaviour(instance: Any, name: str) -> Any:
        def method(*arguments: Any, **_named: Any) -> Any:
            instance._trt.calls.append((type(instance).__name__, name, *arguments))
            return make(instance, arguments)

        return method

    return behaviour


def _new(kind: str) -> Any:
    return _returning(lambda instance, _arguments: instance._trt.make(kind))


def _layer(kind: str) -> Any:
    def make(network: Any, _arguments: tuple[Any, ...]) -> Any:
        layer = network._trt.make(kind)
        layer._values["_output"] = network._trt.make("ITensor", name="")
        network._values.setdefault("_layers", []).append(layer)
        return layer

    return _returning(make)


def _add_input(network: Any, arguments: tuple[Any, ...]) -> Any:
    tensor = network._trt.make("ITensor", name=arguments[0], shape=arguments[2])
    network._values.setdefault("_inputs", []).append(tensor)
    return tensor


def _mark_output(network: Any, arguments: tuple[Any, ...]) -> None:
    network._values.setdefault("_outputs", []).append(arguments[0])


def _listed(key: str) -> dict[str, Any]:
    return {
        "num": lambda network, _name: len(network._values.get(key, [])),
        "get": _returning(lambda network, arguments: network._values[key][arguments[0]]),
    }


BEHAVIOUR: dict[tuple[str, str], Any] = {
    ("Builder", "create_network"): _new("INetworkDefinition"),
    ("Builder", "create_builder_config"): _new("IBuilderConfig"),
    ("Builder", "build_serialized_network"): _returning(lambda _i, _a: b"serialized"),
    ("Builder", "build_engine"): _new("ICudaEngine"),
    ("Builder", "build_cuda_engine"): _new("ICudaEngine"),
    ("ICudaEngine", "serialize"): _returning(lambda _i, _a: b"serialized"),
    ("IBuilderConfig", "create_timing_cache"): _new("ITimingCache"),
    ("IBuilderConfig", "get_timing_cache"): _new("ITimingCache"),
    ("IBuilderConfig", "get_flag"): _returning(lambda _i, _a: False),
    ("IBuilderConfig", "get_tactic_sources"): _returning(lambda _i, _a: 31),
    ("IBuilderConfig", "builder_optimization_level"): lambda _i, _n: 3,
    ("ITimingCache", "serialize"): _returning(lambda _i, _a: b"cache"),
    ("INetworkDefinition", "add_input"): _returning(_add_input),
    ("INetworkDefinition", "mark_output"): _returning(_mark_output),
    ("INetworkDefinition", "num_inputs"): _listed("_inputs")["num"],
    ("INetworkDefinition", "get_input"): _listed("_inputs")["get"],
    ("INetworkDefinition", "num_outputs"): _listed("_outputs")["num"],
    ("INetworkDefinition", "get_output"): _listed("_outputs")["get"],
    ("INetworkDefinition", "num_layers"): _listed("_layers")["num"],
    ("INetworkDefinition", "get_layer"): _listed("_layers")["get"],
    ("", "get_output"): _returning(lambda layer, _a: layer._values["_output"]),
    ("", "num_outputs"): lambda _i, _n: 1,
}
_LAYERS = {
    "add_convolution": "IConvolutionLayer",
    "add_convolution_nd": "IConvolutionLayer",
    "add_pooling": "IPoolingLayer",
    "add_pooling_nd": "IPoolingLayer",
    "add_activation": "IActivationLayer",
    "add_elementwise": "IElementWiseLayer",
    "add_constant": "IConstantLayer",
    "add_concatenation": "IConcatenationLayer",
    "add_softmax": "ISoftMaxLayer",
    "add_matrix_multiply": "IMatrixMultiplyLayer",
    "add_shuffle": "IShuffleLayer",
    "add_padding": "IPaddingLayer",
    "add_quantize": "IQuantizeLayer",
    "add_dequantize": "IDequantizeLayer",
    "add_cast": "ICastLayer",
}
BEHAVIOUR.update({("INetworkDefinition", name): _layer(kind) for name, kind in _LAYERS.items()})


def module(surface: dict[str, Any]) -> Any:
    """Return a module with the names of *surface*; ``calls`` records what is called and set."""
    trt = SimpleNamespace(calls=[], __version__=surface["version"])
    for kind, members in surface["classes"].items():
        setattr(
            trt,
            kind,
            type(
                kind,
                (_Object,),
                {"_trt": trt, **{name: _Member(name, said) for name, said in members.items()}},
            ),
        )
    for kind, values in surface["enumerations"].items():
        setattr(trt, kind, type(kind, (), dict(values)))
    for name in ("float32", "float16", "int8", "int32"):
        setattr(trt, name, name)
    trt.make = lambda kind, **values: getattr(trt, kind)(**values)
    trt.Weights = lambda *arguments: ("weights", *arguments)
    trt.Permutation = tuple
    return trt
