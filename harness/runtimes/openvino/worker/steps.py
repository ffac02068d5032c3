"""OpenVINO on the CPU: latency from a plain compiled model, the profile from one that counts."""

import time
from typing import Any, Dict, List, Optional, Sequence  # noqa: F401

import numpy

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass, require
from harness.worker.errors import FailedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.package import read_arrays
from harness.worker.profiling import Profiling, timed
from harness.worker.result import Result

try:
    from openvino import Core, Layout, Tensor, get_version
    from openvino.preprocess import PrePostProcessor
except ImportError:  # before 2023.1
    from openvino.preprocess import PrePostProcessor
    from openvino.runtime import Core, Layout, Tensor, get_version

OPTIONS = {"inference_precision_hint": "f32"}  # type: Dict[str, Any]
HONOURED = {"precision": ["fp32"], "tensor_format": ["linear", "hwc"], "source": ["auto", "onnx"]}
PROFILE_WARMUP, PROFILE_SETTLE = 5, 1
"""Inferences that do not count, before the first round of the profile and before each other one."""
PROFILE_LEAST = 2
"""Inferences of a round: the counters are means in whole microseconds, whose rounding more of them divide."""
DEVICE = "CPU"


class Worker(base.Worker):
    """A plain compiled model for outputs and latency, one that counts for the layers."""

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self._rounds = Profiling(result, "a compiled model of its own that counts")
        self._counted = 0
        self._counting = None  # type: Optional[Any]
        self._blocks = []  # type: List[List[Dict[str, Any]]]

    def build(self) -> None:
        """Compile the job's ONNX file."""
        job, result = self.job, self.result
        require(job, HONOURED)
        options = job.options(OPTIONS)
        if job.onnx is None:
            raise FailedError("job: openvino needs 'onnx'")
        result.fact("openvino", get_version())
        self.core = core = Core()
        self.config = _config(core, job, result, options)
        begin = time.perf_counter()
        self.model = _model(core, job, result)
        self.compiled = core.compile_model(self.model, DEVICE, self.config)
        result.fact("build_seconds", time.perf_counter() - begin)
        for name in sorted(self.config):
            result.setting(name, _plain(self.compiled.get_property(name)))

    def load(self) -> Sequence[Pass]:
        """Leave the outputs, and return the latency pass."""
        request = self._plain = _request(self.compiled, self.job)
        request.infer()
        ports = self.compiled.outputs
        self.result.outputs({port.get_any_name(): request.get_tensor(port).data for port in ports})
        return [latency_pass(request.infer)]

    def profile(self, iterations: int) -> None:
        """Leave the counters before and after one more round of the model that counts, and the graph it ran.

        A counter is the mean over all inferences of its compiled model, and nothing sets it back; the mean
        of a round is computed from two readings by whoever reads them. One disturbed inference spoils the
        mean of its round alone: one takes the median over rounds.
        """
        if not iterations:
            return
        count, rounds = max(PROFILE_LEAST, iterations), self._rounds
        if rounds.plain_due:
            rounds.plain_ms += timed(self._plain.infer, 1, 1)
        settle = PROFILE_SETTLE if rounds.begun else PROFILE_WARMUP
        if self._counting is None:
            self._compiled = self.core.compile_model(self.model, DEVICE, dict(self.config, PERF_COUNT="YES"))
            self._counting = _request(self._compiled, self.job)
        request = self._counting
        timed(request.infer, 0, settle)
        readings = [self._reading(request, settle)]
        inference_ms = timed(request.infer, 0, count)
        readings.append(self._reading(request, count))
        if not rounds.begun:
            self.result.write_json(
                "runtime_model.json", {"nodes": _nodes(self._compiled.get_runtime_model())}
            )
        rounds.add(rounds.following, settle, inference_ms)
        self._blocks.append(readings)
        self.result.write_json("profile.json", {"blocks": self._blocks})

    def _reading(self, request: Any, more: int) -> Dict[str, Any]:
        """Return the counters, after *more* inferences since they were read."""
        self._counted += more
        return {"inferences": self._counted, "rows": [_row(info) for info in request.profiling_info]}

    def close(self, complete: bool) -> None:
        """State the processor and what it gives."""
        if complete:
            cpu_facts(self.job, self.result)


def _config(core: Any, job: Job, result: Result, options: Dict[str, Any]) -> Dict[str, str]:
    wanted = {
        "INFERENCE_PRECISION_HINT": str(options["inference_precision_hint"]),
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(job.threads),
        # The worker binds itself; OpenVINO would bind its thread to a CPU of its own choice.
        "ENABLE_CPU_PINNING": "NO",
    }
    known = {str(name) for name in core.get_property(DEVICE, "SUPPORTED_PROPERTIES")}
    for name in sorted(set(wanted) - known):
        del wanted[name]
        result.cannot_express("{}: this version has no such property".format(name))
    return wanted


def _model(core: Any, job: Job, result: Result) -> Any:
    model = core.read_model(job.onnx)
    if job.treatment.get("tensor_format") != "hwc":
        return model
    processor = PrePostProcessor(model)
    for number in range(len(model.inputs)):
        processor.input(number).tensor().set_layout(Layout("NHWC"))
        processor.input(number).model().set_layout(Layout("NCHW"))
    result.setting("input layout", "NHWC")
    result.cannot_express("tensor_format hwc: inputs only, outputs stay as the model has them")
    return processor.build()


def _request(compiled: Any, job: Job) -> Any:
    """Return a request that holds the job's inputs, so that an inference copies nothing in."""
    request = compiled.create_infer_request()
    arrays = read_arrays(job.inputs)
    for port in compiled.inputs:
        array = arrays[port.get_any_name()]
        if job.treatment.get("tensor_format") == "hwc":
            array = numpy.ascontiguousarray(array.transpose(0, 2, 3, 1))
        request.set_tensor(port, Tensor(array))
    return request


def _row(info: Any) -> Dict[str, Any]:
    return {
        "name": info.node_name,
        "status": str(info.status).rsplit(".", 1)[-1],
        "real_us": info.real_time.total_seconds() * 1e6,
    }


def _nodes(model: Any) -> List[Dict[str, Any]]:
    """Return the executed graph, node by node in execution order."""
    nodes = []  # type: List[Dict[str, Any]]
    for node in model.get_ordered_ops():
        information = {str(key): _plain(value) for key, value in dict(node.get_rt_info()).items()}
        # Times and the plugin's own numbering have their place in the profile.
        information.pop("execTimeMcs", None)
        nodes.append(
            {
                "name": node.get_friendly_name(),
                "type": node.get_type_name(),
                "inputs": [_source(port) for port in node.inputs()],
                "outputs": [_shape(port) for port in node.outputs()],
                "information": information,
            }
        )
    return nodes


def _source(port: Any) -> Dict[str, Any]:
    output = port.get_source_output()
    return {"node": output.get_node().get_friendly_name(), "port": output.get_index()}


def _shape(port: Any) -> Dict[str, Any]:
    shape = port.get_partial_shape()
    return {
        "shape": [int(d) for d in port.get_shape()] if shape.is_static else None,
        "type": port.get_element_type().get_type_name(),
        "names": sorted(port.get_names()),
    }


def _plain(value: Any) -> Any:
    # 2023 wraps what it hands out; lists of strings come as comma-separated strings.
    value = getattr(value, "value", value)
    if hasattr(value, "get_type_name"):  # an element type
        return str(value.get_type_name())
    return value if isinstance(value, (bool, int, float, str)) else str(value)
