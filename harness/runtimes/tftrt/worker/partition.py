"""Which nodes of a converted graph went into which TRTEngineOp, and what the log says of the rest."""

import re
from collections import OrderedDict
from typing import Any, Dict, Iterable, List, Optional  # noqa: F401

SCHEMA = "trtmatrix.partition/1"
ENGINE = "TRTEngineOp"

# As 1.15 (`Not a TF-TRT candidate, (Op type: X), (Op name: Y), (Reason: Z)`) and 2.x print it.
_REFUSED = re.compile(
    r"Not a TF-TRT candidate,?\s*\(Op type: (?P<op>[^)]*)\),\s*\(Op name: (?P<name>[^)]*)\)"
    r"(?:,\s*\(Reason: (?P<reason>.*)\))?"
)


def partition(definition: Any, log: Iterable[str]) -> Dict[str, Any]:
    """Return the partition of the converted GraphDef *definition*.

    :param log: lines of the converter's log
    """
    reasons = refusals(log)
    functions = {one.signature.name: one for one in definition.library.function}
    segments = [_segment(node, functions) for node in definition.node if node.op == ENGINE]
    outside = [
        {
            "name": node.name,
            "op": node.op,
            "device": node.device,
            "data_format": _text(node, "data_format"),
            "reason": reasons.get(node.name),
        }
        for node in definition.node
        if node.op != ENGINE
    ]
    return {"schema": SCHEMA, "segments": segments, "outside": outside}


def refusals(log: Iterable[str]) -> Dict[str, str]:
    """Return node name to why the converter did not take it."""
    found = {}
    for line in log:
        match = _REFUSED.search(line)
        if match is not None:
            found[match.group("name")] = (match.group("reason") or "no converter for it").strip()
    return found


def engines_of(definition: Any) -> "OrderedDict[str, bytes]":
    """Return TRTEngineOp to its serialized engine, those that have one."""
    found = OrderedDict()
    for node in definition.node:
        if node.op == ENGINE and node.attr["serialized_segment"].s:
            found[node.name] = node.attr["serialized_segment"].s
    return found


def _segment(node: Any, functions: Dict[str, Any]) -> Dict[str, Any]:
    inner = _function(node, functions)
    return {
        "name": node.name,
        "device": node.device,
        "precision": _text(node, "precision_mode"),
        "static": bool(node.attr["static_engine"].b) if "static_engine" in node.attr else None,
        "engine_bytes": len(node.attr["serialized_segment"].s),
        "inputs": list(node.input),
        "nodes": [
            {"name": one.name, "op": one.op, "data_format": _text(one, "data_format")}
            for one in (inner.node_def if inner is not None else ())
        ],
    }


def _function(node: Any, functions: Dict[str, Any]) -> Optional[Any]:
    """Return the function of a segment: named by an attribute, in 1.13 by the op's own name."""
    named = node.attr["segment_func"].func.name if "segment_func" in node.attr else ""
    named = named or (_text(node, "segment_funcdef_name") or "")
    if named in functions:
        return functions[named]
    begins = [name for name in sorted(functions) if name.startswith(node.name)]
    return functions[begins[0]] if begins else None


def _text(node: Any, key: str) -> Optional[str]:
    return node.attr[key].s.decode("utf-8", "replace") or None if key in node.attr else None
