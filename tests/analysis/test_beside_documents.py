"""Records of what stands beside verdicts have every number of the figures that they are of."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

from harness.analysis.beside_documents import (
    MOST_OPS,
    alone_record,
    neighbours_record,
    relu6_record,
    runtime_table_record,
)
from harness.analysis.figures.alone import AloneFigures, AloneProcess
from harness.analysis.figures.relu6 import Form, Relu6Figures
from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable, Shares
from harness.analysis.figures.sides import NeighbourSides
from harness.analysis.groups import Latency, Release
from harness.analysis.side_by_side import ComparedOp, OpSide
from harness.analysis.statistics.intervals import Interval
from harness.attribution.engine import KernelFamily
from harness.store.documents.base import as_json

ROW = RuntimeFigures(
    release="tensorrt 2.0",
    label="x",
    latency=Latency((1.0, 2.0, 3.0), 1.75, Interval(1.75, 1.5, 2.5)),
    images_per_s=8.0,
    gflops_per_s=16.0,
    speed_up=1.25,
    interval=(1.125, 1.5),
    shares=Shares(0.5, 0.125, 0.375),
    by_gpu=True,
    against="openvino 1.0",
)


def test_runtimes_beside_each_other() -> None:
    bare = replace(ROW, latency=Latency((1.0,), 1.0, None), shares=None, interval=None, by_gpu=False)
    record = as_json(runtime_table_record(RuntimeTable("net", "fp32", "host", "openvino", (ROW, bare))))
    rows = record.pop("rows")
    assert record == {"network": "net", "treatment": "fp32", "host": "host", "against": "openvino"}
    plain = {
        "release": "tensorrt 2.0", "label": "x", "images_per_s": 8.0, "gflops_per_s": 16.0, "speed_up": 1.25,
    }  # fmt: skip
    assert rows == [
        {
            **plain, "builds": 3, "ms": 1.75, "low_ms": 1.5, "high_ms": 2.5, "interval": (1.125, 1.5),
            "shares": {"segments": 0.5, "reformats": 0.125, "outside": 0.375}, "by_gpu": True,
        },
        {
            **plain, "builds": 1, "ms": 1.0, "low_ms": None, "high_ms": None, "interval": None,
            "shares": None, "by_gpu": False,
        },
    ]  # fmt: skip


def form(first: float) -> Form:
    numbers = {field.name: first + place for place, field in enumerate(fields(Form))}
    return Form(**{**numbers, "on_gemm": (3, 4), "pointwise": 5})  # type: ignore[arg-type]


def test_both_forms_of_relu6() -> None:
    one = Relu6Figures(
        "net", "host", Release("tensorrt", "8.6", "aa"), form(1.5), form(20.5), 0.25, 1.5, (1.25, 2.0)
    )
    assert as_json(relu6_record(one)) == {
        **{name: getattr(one, name) for name in ("subject", "host", "extra_ms", "factor")},
        "release": "tensorrt 8.6 (aa)",
        "interval": (1.25, 2.0),
        "clip": {**asdict(one.clip), "on_gemm": [3, 4]},
        "pieces": {**asdict(one.pieces), "on_gemm": [3, 4]},
    }


def op(name: str, old: OpSide | None, new: OpSide | None) -> ComparedOp:
    return ComparedOp(name, old, new)


def side(ms: float | None, kernel: str | None, kind: str | None) -> OpSide:
    return OpSide(ms, "layer", kernel, kind, KernelFamily.GEMM, ())


def test_neighbours_with_the_ops_of_the_largest_difference() -> None:
    ops = [
        op("both", side(0.5, "gemm", "Conv"), side(0.25, None, "Conv")),
        op("came", None, side(0.125, None, None)),
        op("went", side(None, "wino", "Conv"), None),
        *(op(f"more {n}", None, None) for n in range(20)),
    ]
    sides = NeighbourSides(
        old=Release("tensorrt", "8.5"),
        new=Release("tensorrt", "8.6"),
        builds=(2, 3),
        ops=tuple(ops),
        rest=(("reformat", 0.5, 0.25), ("quantize", 0.0, 0.125)),
        totals=(2.0, 1.5),
    )
    record = as_json(neighbours_record("net fp32", sides))
    told = record.pop("ops")
    assert record == {
        "subject": "net fp32",
        "old": "tensorrt 8.5",
        "new": "tensorrt 8.6",
        "builds": (2, 3),
        "totals_ms": (2.0, 1.5),
        "rest": {"reformat": (0.5, 0.25), "quantize": (0.0, 0.125)},
    }
    assert told[:3] == [
        {"op": "both", "old_ms": 0.5, "new_ms": 0.25, "old_kernel": "gemm", "new_kernel": "Conv"},
        {"op": "came", "old_ms": None, "new_ms": 0.125, "old_kernel": "", "new_kernel": ""},
        {"op": "went", "old_ms": None, "new_ms": None, "old_kernel": "wino", "new_kernel": ""},
    ]
    assert [one["op"] for one in told] == [one.op for one in ops[:MOST_OPS]]
    assert len(told) == 10


def test_processes_that_were_measured_both_ways() -> None:
    processes = AloneProcess("cell", 1, 2, 2.5, 2.25), AloneProcess("cell", 3, 0, 1.5, 1.25)
    one = AloneFigures("host", "label", processes, 2.0, 1.75, 0.125, (0.0625, 0.25), 0.05)
    record = as_json(alone_record(one))
    assert record.pop("processes") == [asdict(process) for process in processes]
    assert record == {
        **{name: getattr(one, name) for name in ("host", "beside_ms", "alone_ms", "apart", "interval")},
        "further_than_material": True,
        "text": one.words,
    }
    assert "alone 1.750 ms on label" in one.words
