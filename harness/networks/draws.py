"""Numbers drawn from a name, the same bit for bit on every machine and NumPy version.

NumPy promises a stable stream of raw words from PCG64, but not of its distributions, whose logarithms
also depend on the C library. Everything here is integer arithmetic on raw words followed by one
correctly rounded multiplication, so that a digest over the drawn weights names the same network everywhere.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from harness.networks.graph import FloatArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A sum of four uniform 16-bit integers: mean 4 * 65535 / 2, variance 4 * (65536**2 - 1) / 12.
_MEAN = 131070.0
_DEVIATION = math.sqrt((65536**2 - 1) / 3.0)


def _words(seed: int, name: str, count: int) -> NDArray[np.uint64]:
    import numpy as np  # long to load: only where something is drawn

    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    words: NDArray[np.uint64] = np.random.PCG64(int.from_bytes(digest[:16], "little")).random_raw(count)
    return words


def bell(
    seed: int, name: str, shape: tuple[int, ...], deviation: float = 1.0, *, centred: bool = False
) -> FloatArray:
    """Draw a bell-shaped float32 array of *shape*: mean 0, standard deviation *deviation*, bounded.

    The distribution is Irwin-Hall with four terms: nothing lies beyond 3.47 deviations.

    :param centred: subtract from each row (all axes but the first) its own mean
    """
    import numpy as np

    parts = _words(seed, name, math.prod(shape)).view(np.uint16).reshape(-1, 4)
    sums = parts.sum(axis=1, dtype=np.int64).reshape(shape[0], -1)
    # Integer sums are exact, so the mean does not depend on the order in which a machine adds.
    means = sums.sum(axis=1, keepdims=True) / sums.shape[1] if centred else _MEAN
    values: FloatArray = ((sums - means) * (deviation / _DEVIATION)).astype(np.float32).reshape(shape)
    return values


def uniform(seed: int, name: str, shape: tuple[int, ...]) -> FloatArray:
    """Draw a float32 array of *shape*, uniform in [-1, 1)."""
    import numpy as np

    words = _words(seed, name, math.prod(shape))
    signed = (words >> np.uint64(40)).astype(np.int64) - 2**23
    return (signed.astype(np.float64) / 2**23).astype(np.float32).reshape(shape)
