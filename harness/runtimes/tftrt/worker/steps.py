"""TF-TRT: converts the graph that TensorFlow runs, measures it the same way, and leaves its partition."""

import time
from typing import Any, Dict, Sequence

from harness.runtimes.tensorflow.worker import gpu
from harness.runtimes.tensorflow.worker import steps as plain
from harness.runtimes.tensorflow.worker.running import Frozen, with_ends
from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.result import Result

from . import described_gpu, log
from .converters import Wanted, choose, linked_tensorrt
from .engines import SegmentEngine
from .partition import engines_of, partition

OPTIONS = {"segments_profiled": 1}  # type: Dict[str, Any]
ON_GPU = dict(plain.ON_GPU, precision=["fp32", "tf32", "fp16"], batch_mode=["auto", "implicit", "explicit"])
MODES = {"fp32": "FP32", "tf32": "FP32", "fp16": "FP16", "int8": "INT8"}
DEVICE = "/gpu:0"


class Worker(plain.Worker):
    """The session of a converted graph; without a GPU it ends when the graph is partitioned."""

    on_cpu = on_gpu = ON_GPU

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self._engines = {}  # type: Dict[str, bytes]
        self._segments = {}  # type: Dict[str, SegmentEngine]
        self._wanted_segments = 0

    def options(self) -> Dict[str, Any]:
        """Return TensorFlow's options, and how many engines are profiled."""
        return dict(plain.OPTIONS, **OPTIONS)

    def converted(self, frozen: Frozen, said: Dict[str, Any]) -> Frozen:
        """Return the graph with segments in TRTEngineOps; leave the partition and what was logged.

        :raises UnsupportedError: the converter has no word for it, or there is no GPU to run the engines on
        """
        self._wanted_segments = int(said["segments_profiled"])
        treatment, result = self.job.treatment, self.result
        frozen = with_ends(frozen)
        if self.gpu is None:
            gpu.choose(self.job)  # the graph is rewritten otherwise where TF32 is allowed
        converter = choose(str(treatment.get("converter", "auto")))
        dynamic = self.gpu is None or treatment.get("engines", "static") == "dynamic"
        wanted = Wanted(
            MODES[str(treatment.get("precision", "fp32"))],
            int(treatment.get("batch", 1)),
            int(treatment.get("minimum_segment_size", 3)),
            int(treatment.get("max_workspace_mib", 1024)) << 20,
            dynamic,
            treatment.get("batch_mode") == "explicit",
        )
        if treatment.get("placement", "none") == "gpu":
            for node in frozen.definition.node:
                node.device = DEVICE
        result.fact("tftrt", result.facts["tensorflow"])
        result.fact("converter", converter.name)
        result.fact("tensorrt_linked", linked_tensorrt())
        self._state(wanted)
        printed, begin = log.Printed(), time.perf_counter()
        try:
            with printed:
                if self.gpu is None:
                    described_gpu.instead_of_none()
                definition = converter.convert(frozen, wanted)
        finally:
            log.write(result.evidence("converter.log.gz"), log.of_converter(printed.lines))
            built = log.of_builder(printed.lines)
            if built:
                log.write(result.evidence("build.log.gz"), built)
        result.fact("conversion_seconds", time.perf_counter() - begin)
        found = partition(definition, printed.lines)
        result.write_json("partition.json", found)
        result.fact("segments", len(found["segments"]))
        if not found["segments"]:
            raise UnsupportedError("the converter made no segment; its log says which nodes it refused")
        if self.gpu is None:
            raise UnsupportedError(
                "converted into {} segment(s); a TRTEngineOp runs on a GPU only, and there is none".format(
                    len(found["segments"])
                )
            )
        self._engines = engines_of(definition)
        return Frozen(definition, frozen.inputs, frozen.outputs)

    def load(self) -> Sequence[Pass]:
        """Leave the outputs, and return the latency pass."""
        passes = super().load()
        largest = sorted(self._engines, key=lambda name: len(self._engines[name]), reverse=True)
        for number, name in enumerate(largest[: self._wanted_segments]):
            self.tried("layers of " + name, self._open, name, "_segment{}".format(number))
        self.result.fact("segments_profiled", list(self._segments))
        return passes

    def profile(self, iterations: int) -> None:
        """Profile the session by op, and the engines taken out of it layer by layer."""
        super().profile(iterations)
        for name, one in self._segments.items():
            self.tried("layers of " + name, one.profile, iterations)

    def _open(self, name: str, suffix: str) -> None:
        assert self.gpu is not None
        parts = (self.job, self.package, self.result, self.gpu.driver, self._engines[name])
        self._segments[name] = SegmentEngine(*parts, suffix=suffix, feeds=self.feeds)

    def _state(self, wanted: Wanted) -> None:
        result = self.result
        result.setting("precision_mode", wanted.precision)
        result.setting("minimum_segment_size", wanted.segment)
        result.setting("max_workspace_size_bytes", wanted.workspace)
        result.setting("is_dynamic_op", wanted.dynamic)
        result.setting("placement", self.job.treatment.get("placement", "none"))
        result.setting("batch_mode", "explicit" if wanted.explicit else "implicit")
