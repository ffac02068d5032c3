"""How each dialect names, orders and runs inputs and outputs; the stand-ins record the calls."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.runtimes.tensorrt.worker.dialects import DIALECTS
from harness.runtimes.tensorrt.worker.features import Features
from harness.runtimes.tensorrt.worker.plan import OPTIONS, Plan
from tests.runtimes.tensorrt.worker.surface import module

VERSION_OF = {"A": "5.1.5", "B": "7.0.0", "C": "8.2.1", "D": "8.5.3.1", "E": "11.0.0.114"}


def dialect(
    letter: str, surfaces: dict[str, Any], version: str | None = None, **treatment: Any
) -> tuple[Any, Any]:
    trt = module(surfaces[version or VERSION_OF[letter]])
    features = Features(trt)
    plan = Plan(treatment, {**OPTIONS, "gpu_present": True}, features)
    return DIALECTS[letter](trt, features, plan, SimpleNamespace()), trt  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("letter", "treatment", "enqueued", "executed"),
    [
        ("A", {"batch": 4}, ("execute_async", 4, [10, 20], 7), ("execute", 4, [10, 20])),
        ("B", {"batch": 4}, ("execute_async_v2", [10, 20], 7), ("execute_v2", [10, 20])),
        ("C", {}, ("execute_async_v2", [10, 20], 7), ("execute_v2", [10, 20])),
        ("D", {}, ("execute_async_v3", 7), ("execute_v2", [10, 20])),
        ("E", {}, ("execute_async_v3", 7), ("execute_v2", [10, 20])),
        (
            "B",
            {"batch": 4, "batch_mode": "implicit"},
            ("execute_async", 4, [10, 20], 7),
            ("execute", 4, [10, 20]),
        ),
    ],
)
def test_inference_is_called_as_the_dialect_has_it(
    all_surfaces: dict[str, Any],
    letter: str,
    treatment: dict[str, Any],
    enqueued: tuple[Any, ...],
    executed: tuple[Any, ...],
) -> None:
    spoken, trt = dialect(letter, all_surfaces, **treatment)
    context = trt.make("IExecutionContext")
    assert spoken.enqueuer(context, [10, 20], 7)() is True
    assert spoken.executor(context, [10, 20])() is True
    assert trt.calls == [("IExecutionContext", *enqueued), ("IExecutionContext", *executed)]


def test_the_stand_ins_refuse_what_the_bindings_refuse(all_surfaces: dict[str, Any]) -> None:
    """Names, numbers and types of parameters are those of the wheel, and so are the errors."""
    trt = module(all_surfaces["8.5.3.1"])
    config, context = trt.make("IBuilderConfig"), trt.make("IExecutionContext")
    assert config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 20)
    with pytest.raises(TypeError):
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1e6)
    with pytest.raises(TypeError):
        context.execute_async([10, 20], 7)  # the batch size has a default, yet stands first
    with pytest.raises(AttributeError):
        _ = config.build_route
    with pytest.raises(AttributeError):
        config.build_route = "fast"


def test_bindings_by_index_carry_the_batch_of_an_implicit_network(all_surfaces: dict[str, Any]) -> None:
    spoken, trt = dialect("A", all_surfaces, batch=4)
    engine = SimpleNamespace(
        num_bindings=2,
        get_binding_name=lambda index: ("input", "logits")[index],
        get_binding_shape=lambda index: ((3, 8, 8), (5, 1, 1))[index],
        get_binding_dtype=lambda _: trt.float32,
        binding_is_input=lambda index: index == 0,
    )
    tensors = spoken.tensors(engine, None)
    assert [(t.name, t.is_input, t.shape, t.kind, t.layout) for t in tensors] == [
        ("input", True, (4, 3, 8, 8), "fp32", "LINEAR"),
        ("logits", False, (4, 5, 1, 1), "fp32", "LINEAR"),
    ]


@pytest.mark.parametrize("letter", ["D", "E"])
def test_tensors_by_name_carry_format_and_type(all_surfaces: dict[str, Any], letter: str) -> None:
    spoken, trt = dialect(letter, all_surfaces)
    engine = SimpleNamespace(
        num_io_tensors=1,
        get_tensor_name=lambda _: "input",
        get_tensor_mode=lambda _: trt.TensorIOMode.INPUT,
        get_tensor_dtype=lambda _: trt.float16,
        get_tensor_format=lambda _: "TensorFormat.HWC8",
        get_tensor_shape=lambda _: (8, 3, 8, 8),
    )
    (tensor,) = spoken.tensors(engine, None)
    assert (tensor.kind, tensor.layout, tensor.shape) == ("fp16", "HWC8", (8, 3, 8, 8))
    context = trt.make("IExecutionContext")
    spoken.bind(context, ["input"], [64])
    assert trt.calls == [("IExecutionContext", "set_tensor_address", "input", 64)]


@pytest.mark.parametrize("letter", ["A", "B", "C"])
def test_bindings_need_no_addresses_in_the_context(all_surfaces: dict[str, Any], letter: str) -> None:
    spoken, trt = dialect(letter, all_surfaces)
    spoken.bind(trt.make("IExecutionContext"), ["input"], [64])
    assert trt.calls == []
