"""A GPU that is described to TensorFlow's rewriting of graphs where none is there.

Whether images are turned to NCHW depends on the devices that grappler believes in; with this one a graph is
cut as it would be on a machine with such a GPU. Nothing can be run on it.
"""

import importlib
from typing import Any

_DEVICES = "/job:localhost/replica:0/task:0/device:"
_ENVIRONMENT = {"architecture": "9.0", "cuda": "11080", "cudnn": "8700"}


def instead_of_none() -> bool:
    """Have the converter rewrite graphs for the described GPU; return False where this version cannot."""
    try:
        convert = importlib.import_module("tensorflow.python.compiler.tensorrt.trt_convert")  # type: Any
        optimizer = importlib.import_module("tensorflow.python.grappler.tf_optimizer")
        clusters = importlib.import_module("tensorflow.python.grappler.cluster")
        properties = importlib.import_module("tensorflow.core.protobuf.device_properties_pb2")
    except ImportError:
        return False
    gpu = properties.DeviceProperties(
        type="GPU", vendor="NVIDIA", frequency=1980, num_cores=132, environment=_ENVIRONMENT
    )
    cpu = properties.DeviceProperties(type="CPU", frequency=2000, num_cores=4)
    devices = [
        properties.NamedDevice(name=_DEVICES + "GPU:0", properties=gpu),
        properties.NamedDevice(name=_DEVICES + "CPU:0", properties=cpu),
    ]

    class Described(object):
        """The optimizer's module, with the described devices in place of this machine's."""

        @staticmethod
        def OptimizeGraph(config: Any, metagraph: Any, **said: Any) -> Any:  # noqa: N802
            """Rewrite *metagraph* for the described devices."""
            said["cluster"] = clusters.Cluster(devices=devices)
            return optimizer.OptimizeGraph(config, metagraph, **said)

    convert.tf_optimizer = Described
    return True
