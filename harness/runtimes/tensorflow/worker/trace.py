"""What RunMetadata tells of inferences under FULL_TRACE: the graph that ran, and the time of each op.

Op times are nanoseconds between the start and the end of its computation; what the executor does before and
after is in the time of the inference alone.
"""

from collections import OrderedDict
from typing import Any, Dict, List, Tuple  # noqa: F401

from .library import tf1

_DEVICE = "/device:"
LONGEST = 256
"""Bytes of a string that an attribute is told with."""


def options() -> Any:
    """Return run options that have every op timed and the partitioned graph told."""
    return tf1.RunOptions(trace_level=tf1.RunOptions.FULL_TRACE, output_partition_graphs=True)


class Trace(object):
    """Op times of all inferences that count, by device and node, in the order of their first start."""

    def __init__(self) -> None:
        # Ordered, as Python 3.5 keeps no dictionary.
        self._rows = OrderedDict()  # type: OrderedDict[Tuple[str, str], Dict[str, Any]]
        self.inferences = 0

    def add(self, metadata: Any) -> None:
        """Take in one inference."""
        self.inferences += 1
        found = []  # type: List[Tuple[int, str, Any]]
        for device in metadata.step_stats.dev_stats:
            if _DEVICE in device.device:  # 1.15 lists ops without times under /host:CPU, too
                found.extend((row.all_start_nanos, device.device, row) for row in device.node_stats)
        for _, device, row in sorted(found, key=lambda each: each[:2]):
            key = (device, row.node_name)
            if key not in self._rows:
                said = {"device": device, "name": row.node_name, "outputs": _outputs(row), "op_ns": []}
                self._rows[key] = said
            self._rows[key]["op_ns"].append(row.op_end_rel_nanos - row.op_start_rel_nanos)

    def as_json(self) -> Dict[str, Any]:
        """Return ``inferences`` and ``rows``."""
        return {"inferences": self.inferences, "rows": list(self._rows.values())}


def nodes(metadata: Any) -> List[Dict[str, Any]]:
    """Return the nodes of the graph that ran: name, op, inputs and what attributes can be told."""
    return [
        {
            "name": node.name,
            "op": node.op,
            "inputs": list(node.input),
            "attributes": {key: _plain(value) for key, value in node.attr.items() if _told(key, value)},
        }
        for graph in metadata.partition_graphs
        for node in graph.node
    ]


def _outputs(row: Any) -> List[Dict[str, Any]]:
    return [_output(output.tensor_description) for output in row.output]


def _output(description: Any) -> Dict[str, Any]:
    shape = [int(axis.size) for axis in description.shape.dim]
    return {"shape": shape, "type": tf1.as_dtype(description.dtype).name if description.dtype else None}


def _told(key: str, value: Any) -> bool:
    kind = value.WhichOneof("value")
    if key.startswith("_") or kind not in ("s", "i", "f", "b", "list", "type"):
        return False
    # A TRTEngineOp holds its whole engine as one string.
    return kind != "s" or len(value.s) <= LONGEST


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "s":
        return value.s.decode("utf-8", "replace")
    if kind == "type":
        return tf1.as_dtype(value.type).name
    if kind == "list":
        listed = value.list
        return [one.decode("utf-8", "replace") for one in listed.s] or list(listed.i) or list(listed.f)
    return getattr(value, kind)
