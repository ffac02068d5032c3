"""The networks that come with trtmatrix, registered through the project's own hook."""

from __future__ import annotations

from collections.abc import Sequence

from harness.distribution import hookimpl
from harness.networks.base import NetworkFamily
from harness.networks.inception import InceptionV2
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.probes import LinearRelu6Probe
from harness.networks.ssd import SsdMobileNetV2


@hookimpl
def trtmatrix_networks() -> Sequence[NetworkFamily]:
    """Return the built-in networks."""
    return (MobileNetV1(), MobileNetV2(), InceptionV2(), SsdMobileNetV2(), LinearRelu6Probe())
