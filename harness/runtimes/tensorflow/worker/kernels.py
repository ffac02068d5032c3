"""What TensorFlow's profiler tells of the GPU: kernels, and the op that launched each.

The profiler writes an XSpace of planes; a GPU's plane has a line a stream, whose events are kernels and
copies with the op's name as a statistic. RunMetadata has them, too, but cut to whole microseconds.
"""

import glob
import importlib
import os
import shutil
import tempfile
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Tuple

from harness.worker.errors import FailedError

_MODULES = (
    "tensorflow.tsl.profiler.protobuf.xplane_pb2",  # 2.12 to 2.15
    "tsl.profiler.protobuf.xplane_pb2",  # 2.16, 2.17
    "xla.tsl.profiler.protobuf.xplane_pb2",
    "tensorflow.core.profiler.protobuf.xplane_pb2",  # 2.2 to 2.11
)
NO_OP = "(no op)"
"""Op of a kernel whose launch TensorFlow did not mark."""

Event = Tuple[int, str, str, int]
"""Start in picoseconds, op, kernel, duration in picoseconds."""


def profiled(run: Callable[[], Any], iterations: int) -> List[Event]:
    """Return the events of the GPU in *iterations* calls of *run*, in the order of their start."""
    import tensorflow  # reading what it left needs none

    folder = tempfile.mkdtemp(prefix="trtmatrix-profile-")
    try:
        tensorflow.profiler.experimental.start(folder)
        try:
            for _ in range(iterations):
                run()
        finally:
            tensorflow.profiler.experimental.stop()
        found = []  # type: List[Event]
        for path in glob.glob(os.path.join(folder, "**", "*.xplane.pb"), recursive=True):
            with open(path, "rb") as stream:
                found.extend(gpu_events(stream.read()))
        return sorted(found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def gpu_events(data: bytes) -> List[Event]:
    """Return the events of the GPUs' streams in a serialized XSpace."""
    space = _proto().XSpace()
    space.ParseFromString(data)
    found = []  # type: List[Event]
    for plane in space.planes:
        if "GPU" not in plane.name:
            continue
        # Other lines sum up what those of the streams say.
        streams = [line for line in plane.lines if line.name.startswith("Stream")]
        for line in streams or plane.lines:
            start = line.timestamp_ns * 1000
            found.extend(_event(plane, event, start) for event in line.events)
    return found


def by_op(events: List[Event], iterations: int) -> "OrderedDict[str, Dict[str, Any]]":
    """Return op to ``op_ns``, nanoseconds of each inference, and ``kernels``, name to the same of each.

    Every inference launches the same kernels in the same order, so that an op's events are cut into as many
    equal parts; where they are not (a copy now and then), each inference gets the mean.
    """
    ops = OrderedDict()  # type: OrderedDict[str, OrderedDict[str, List[float]]]
    for _, op, kernel, duration in events:
        ops.setdefault(op, OrderedDict()).setdefault(kernel, []).append(duration / 1e3)
    found = OrderedDict()  # type: OrderedDict[str, Dict[str, Any]]
    for op, kernels in ops.items():
        parts = OrderedDict((name, _cut(values, iterations)) for name, values in kernels.items())
        found[op] = {"op_ns": [sum(each) for each in zip(*parts.values())], "kernels": parts}
    return found


def _cut(values: List[float], iterations: int) -> List[float]:
    if len(values) % iterations:
        return [sum(values) / iterations] * iterations
    size = len(values) // iterations
    return [round(sum(values[at * size : (at + 1) * size]), 3) for at in range(iterations)]


def _event(plane: Any, event: Any, start: int) -> Event:
    op = ""
    for stat in event.stats:
        if plane.stat_metadata[stat.metadata_id].name == "tf_op":
            kind = stat.WhichOneof("value")
            op = plane.stat_metadata[stat.ref_value].name if kind == "ref_value" else stat.str_value
    # An op is marked `name:Type`, where the name may hold colons of its own.
    name = op.rpartition(":")[0] or op or NO_OP
    return start + event.offset_ps, name, plane.event_metadata[event.metadata_id].name, event.duration_ps


def _proto() -> Any:
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise FailedError("profile: this TensorFlow has no description of what its profiler writes")
