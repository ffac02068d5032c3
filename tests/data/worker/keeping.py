"""A worker that keeps its engine: onnxruntime, whose engine is the ONNX file that it was built from."""

import shutil
from pathlib import Path

import onnxruntime

from harness.worker import base
from harness.worker.cpu import latency_pass
from harness.worker.errors import FailedError
from harness.worker.package import read_arrays
from harness.worker.result import KEPT


class Worker(base.Worker):
    """Builds from the job's ONNX file, or loads what an earlier process kept."""

    def build(self):
        source = self.job.engine or self.job.onnx
        if self.job.engine and self.job.build == 1:
            raise FailedError("the engine was not accepted")
        self.result.fact("onnxruntime", onnxruntime.__version__)
        self.result.fact("loaded", bool(self.job.engine))
        self.session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
        if self.job.keep_engine:
            shutil.copy(source, Path(self.result.folder) / KEPT)

    def load(self):
        feeds = read_arrays(self.job.inputs)
        names = [output.name for output in self.session.get_outputs()]
        self.result.outputs(dict(zip(names, self.session.run(names, feeds), strict=True)))
        return [latency_pass(lambda: self.session.run(names, feeds))]
