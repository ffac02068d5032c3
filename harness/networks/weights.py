"""Weights from a fixed seed, calibrated so that activations stay in range and some of them pass 6.

Trained weights would bring a licence and a download; what decides a kernel is shapes, not values. Values
matter in two places: the outputs must tell a right build from a wrong one, and ReLU6 must have
something to clip.

Each filter is bell-shaped with variance gain / fan-in (He et al. 2015: gain 2 before a rectifier, 1 on
linear convolutions) and, where it has many inputs, of zero mean: inputs of a convolution are rectified,
so a filter with a mean would answer mostly to that and the network would forget its image. A factor for
each convolution, measured once by :mod:`harness.networks.calibrate` and stored in ``calibration.json``,
sets the scale: on the probe images 8 % of the elements before each ReLU6 pass 6, a quarter to a half lie
below 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from harness.networks.draws import bell
from harness.networks.graph import FloatArray

SEED = 20190917
"""Fixed seed of all built-in weights."""

_BIAS_BEFORE_RELU6 = 1.0
_BIAS_SPREAD = 0.5
_SMALL_FAN_IN = 16


@cache
def calibration() -> Mapping[str, Mapping[str, float]]:
    """Return network name to convolution name to factor, as stored."""
    text = files(__package__).joinpath("calibration.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, float]] = json.loads(text)
    return table


class SeededWeights:
    """Draws the weights of one network; the same arrays for every batch and ReLU6 form.

    :param network: name that the stream of numbers starts from
    :param calibrated: use the stored factors (1 where a convolution has none)
    :param centred: give each filter with many inputs a zero mean
    """

    def __init__(self, network: str, *, calibrated: bool = True, centred: bool = True) -> None:
        self._network, self._centred = network, centred
        self._factors = calibration().get(network, {}) if calibrated else {}
        self._drawn: dict[str, FloatArray] = {}

    def kernel(self, op: str, shape: tuple[int, int, int, int], *, linear: bool) -> FloatArray:
        """Return the kernel (K, C/groups, R, S) of convolution *op*; *linear*: no ReLU6 follows."""
        return self._scaled(f"{op}/kernel", op, shape, 1.0 if linear else 2.0)

    def matrix(self, op: str, shape: tuple[int, int], *, linear: bool) -> FloatArray:
        """Return the matrix (I, O) of product *op*; each column is drawn as a filter is."""
        import numpy as np

        filters = self._scaled(f"{op}/matrix", op, (shape[1], shape[0]), 1.0 if linear else 2.0)
        return np.ascontiguousarray(filters.T)

    def bias(self, op: str, count: int, *, linear: bool) -> FloatArray:
        """Return the bias (count,): about 1 before ReLU6, about 0 on linear ops, never all zero."""
        key = f"{op}/bias"
        if key not in self._drawn:
            import numpy as np

            centre = 0.0 if linear else _BIAS_BEFORE_RELU6
            self._drawn[key] = bell(SEED, f"{self._network}/{key}", (count,), _BIAS_SPREAD) + np.float32(
                centre
            )
        return self._drawn[key]

    def _scaled(self, key: str, op: str, shape: tuple[int, ...], gain: float) -> FloatArray:
        if key not in self._drawn:
            fan_in = math.prod(shape[1:])
            deviation = math.sqrt(gain / fan_in) * self._factors.get(op, 1.0)
            centred = self._centred and fan_in > _SMALL_FAN_IN
            self._drawn[key] = bell(SEED, f"{self._network}/{key}", shape, deviation, centred=centred)
        return self._drawn[key]
