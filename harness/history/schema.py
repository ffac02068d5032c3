"""The tables of a history. Readable with any Parquet reader, years later."""

from __future__ import annotations

import pyarrow as pa

from harness.history.records import Facts

_TEXT, _NUMBER, _COUNT = pa.string(), pa.float64(), pa.int32()

_NIGHT = [("night", _TEXT), ("started", pa.timestamp("us", tz="UTC")), ("host", _TEXT)]

_SUBJECT = [(name, _TEXT) for name in ("network", "treatment", "runtime", "version", "environment", "repeat")]


def _schema(name: str, columns: list[tuple[str, pa.DataType]], optional: tuple[str, ...]) -> pa.Schema:
    fields = [pa.field(key, kind, nullable=key in optional) for key, kind in columns]
    return pa.schema(fields, metadata={"schema": f"trtmatrix.history_{name}/1"})


POINTS = _schema(
    "points",
    [
        *_NIGHT,
        *_SUBJECT,
        ("cell", _TEXT),
        ("measure", _TEXT),
        ("unit", _TEXT),
        ("value", _NUMBER),
        ("low", _NUMBER),
        ("high", _NUMBER),
        ("values", pa.list_(_NUMBER)),
        *((f"fact_{name}", _TEXT) for name in Facts.__dataclass_fields__),
    ],
    ("low", "high"),
)
"""One row a night, subject and measure; ``values`` holds one number a build."""

BUILDS = _schema(
    "builds",
    [
        *_NIGHT,
        ("cell", _TEXT),
        ("build", _COUNT),
        ("status", _TEXT),
        ("digest", _TEXT),
        ("latency_ms", _NUMBER),
    ],
    ("latency_ms",),
)
"""One row a build; ``digest`` is that of its document."""

LAYERS = _schema(
    "layers",
    [
        ("night", _TEXT),
        ("cell", _TEXT),
        ("build", _COUNT),
        ("position", _COUNT),
        ("name", _TEXT),
        ("op_class", _TEXT),
        ("kernel", _TEXT),
        ("ms", _NUMBER),
    ],
    ("kernel",),
)
"""One row a layer and build; ``ms`` is the median of its profile."""

SCHEMAS = {"points": POINTS, "builds": BUILDS, "layers": LAYERS}
