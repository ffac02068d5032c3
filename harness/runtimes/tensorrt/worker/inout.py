"""Type and format of network inputs and outputs, and whether the builder may reformat behind them."""

from typing import Any, List

from harness.worker.errors import UnsupportedError
from harness.worker.result import Result

from .features import Features
from .network import tensor_type
from .plan import Plan


def known_formats(trt: Any) -> List[str]:
    """Return the names of this version's tensor formats by value; those of 3-D and of the DLA come last."""
    kinds = getattr(trt, "TensorFormat", None)
    names = [name for name in dir(kinds) if name.isupper()]
    return sorted(names, key=lambda name: ("D" in name, int(getattr(kinds, name))))


def set_inputs_and_outputs(
    trt: Any, features: Features, network: Any, config: Any, plan: Plan, result: Result
) -> None:
    """Set type and format of all inputs and outputs as *plan* asks.

    :raises UnsupportedError: the version has no such format, or none at all
    """
    tensors = [network.get_input(index) for index in range(network.num_inputs)]
    tensors += [network.get_output(index) for index in range(network.num_outputs)]
    if not plan.strong:
        for tensor in tensors:
            tensor.dtype = tensor_type(trt, plan.io_type)
    result.setting("io_type", plan.io_type)
    result.setting("tensor_format", plan.tensor_format)
    if plan.tensor_format == "LINEAR" and plan.io_type == "fp32":
        return  # what every version does by itself
    if not features.formats:
        if plan.tensor_format != "LINEAR":
            raise UnsupportedError(
                "tensor format {}: this version has linear only".format(plan.tensor_format)
            )
        return
    if not hasattr(trt.TensorFormat, plan.tensor_format):
        known = ", ".join(known_formats(trt))
        raise UnsupportedError("tensor format {}: this version has {}".format(plan.tensor_format, known))
    for tensor in tensors:
        tensor.allowed_formats = 1 << int(getattr(trt.TensorFormat, plan.tensor_format))
    if plan.options["direct_io"]:
        forbid_reformats(trt, features, config, result)


def forbid_reformats(trt: Any, features: Features, config: Any, result: Result) -> None:
    """Make the build fail where inputs and outputs cannot have their format directly."""
    flag = "DIRECT_IO" if features.direct_io else "STRICT_TYPES" if features.strict_types else None
    if flag is None:
        result.cannot_express("direct input and output: this version has no flag for it")
        return
    config.set_flag(getattr(trt.BuilderFlag, flag))
    result.setting("direct_io", flag)
