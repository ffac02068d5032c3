"""The eleven rows of a TensorRT 5 profile: a part of an SSD MobileNet v2, as they were printed."""

from __future__ import annotations

from harness.evidence.records import Evidence, LayerTime

PREFIX = "FeatureExtractor/MobilenetV2/expanded_conv_5/"
# name, ms, share of total, printed cumulative; `{p}` is the prefix.
ROWS = (
    ("{p}expand/Conv2D", 0.073, 0.191, 84.892),
    ("{p}expand/Relu6", 0.058, 0.152, 89.569),
    ("{p}expand/Relu6/relu1", 0.055, 0.144, 91.052),
    ("{p}expand/Relu6/sub1 + {p}expand/Relu6/relu2", 0.076, 0.199, 84.115),
    ("{p}depthwise/depthwise", 0.313, 0.820, 50.349),
    ("{p}depthwise/depthwise input reformatter 0", 0.125, 0.326, 76.855),
    ("{p}depthwise/depthwise output reformatter 0", 0.130, 0.340, 75.521),
    ("{p}depthwise/Relu6", 0.058, 0.151, 90.174),
    ("{p}depthwise/Relu6/relu1", 0.050, 0.130, 92.406),
    ("{p}depthwise/Relu6/sub1 + {p}depthwise/Relu6/relu2", 0.076, 0.200, 83.716),
    ("{p}project/Conv2D + {p}add", 0.070, 0.184, 85.457),
)


def printed(row: tuple[str, float, float, float]) -> str:
    """Return a row in its own print format."""
    name, ms, share, cumulative = row
    return f"{name.format(p=PREFIX)} : {ms:.3f}ms({share:.3f}%) >>{cumulative:.3f}%<<"


def eleven_rows() -> Evidence:
    """Return the rows as evidence: TensorRT 5, the rest unknown, partial."""
    times = tuple(
        LayerTime(place, name.format(p=PREFIX), average_ms=ms, percent=share, cumulative_percent=cumulative)
        for place, (name, ms, share, cumulative) in enumerate(ROWS)
    )
    return Evidence(times=times, facts={"tensorrt": "5"}, partial=True)
