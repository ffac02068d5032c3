"""Numbers of a verdict as people read them: ratios and sizes of changes.

Two builds that hardly agree have intervals of many powers of ten; their digits say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from harness.written import MOST_TIMES


def times(factor: float, digits: int = 3) -> str:
    """Return a ratio new / old in some decimals, or that it is beyond what is worth a number.

    >>> times(0.8351), times(2e9), times(1e-9)
    ('0.835', 'over 1000', 'under 0.001')
    """
    if factor > MOST_TIMES:
        return f"over {MOST_TIMES:.0f}"
    return f"{factor:.{digits}f}" if factor >= 1 / MOST_TIMES else f"under {1 / MOST_TIMES:.3f}"


def milliseconds_of_both(old: Sequence[float], new: Sequence[float]) -> str:
    """Return the mean costs of two sides, one value a build, and what the second is of the first.

    >>> milliseconds_of_both([0.05, 0.05], [0.1, 0.1])
    '0.0500 -> 0.1000 ms (2.000 times)'
    >>> milliseconds_of_both([0.0], [0.1])
    '0.0000 -> 0.1000 ms'
    """
    before, after = fmean(old), fmean(new)
    factor = f" ({times(after / before)} times)" if before > 0 else ""
    return f"{before:.4f} -> {after:.4f} ms{factor}"


def change_that_shows(smallest: float, of: str = "") -> str:
    """Return what builds could have shown; from a doubling on as a factor.

    :param smallest: smallest detectable relative change, 0.186 for 18.6 %
    :param of: what it is a share of, where that is not the value itself

    >>> change_that_shows(0.186)
    'a change of 18.6 % could have been shown'
    >>> change_that_shows(0.021, "it")
    'a change of 2.1 % of it could have been shown'
    >>> change_that_shows(1.5)
    'a change to 2.5 times could have been shown'
    >>> change_that_shows(9e12)
    'a change to over 1000 times could have been shown'
    """
    if of and smallest < MOST_TIMES:
        size = f"of {100 * smallest:.1f} % of {of}"
    elif smallest < 1:
        size = f"of {100 * smallest:.1f} %"
    elif 1 + smallest <= MOST_TIMES:
        size = f"to {1 + smallest:.1f} times"
    else:
        size = f"to over {MOST_TIMES:.0f} times"
    return f"a change {size} could have been shown"
