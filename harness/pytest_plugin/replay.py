"""A clock that replays recorded samples, so that pytest-benchmark's figures are exactly those recorded."""

from __future__ import annotations

from collections.abc import Iterable


class ReplayClock:
    """A timer for ``pytest.mark.benchmark(timer=...)``; units are seconds.

    Each round starts at zero (:meth:`rewind` as the round's ``setup``) and the timed call (:meth:`advance`)
    moves the clock to the next recorded sample: the difference of two readings is that sample to the last
    bit, which a running sum would not give.
    """

    def __init__(self) -> None:
        self._samples: list[float] = []
        self._next = 0
        self._now = 0.0

    def load(self, samples: Iterable[float]) -> None:
        """Take new samples, in seconds; the clock stands at zero before the first."""
        self._samples = [float(s) for s in samples]
        self._next, self._now = 0, 0.0

    def rewind(self) -> None:
        """Set the clock to zero, as each round begins."""
        self._now = 0.0

    def advance(self) -> None:
        """Let the next recorded sample pass.

        :raises IndexError: all samples have passed
        """
        self._now = self._samples[self._next]
        self._next += 1

    @property
    def exhausted(self) -> bool:
        """Whether every sample has passed."""
        return self._next == len(self._samples)

    def __call__(self) -> float:
        """Return the time, in seconds."""
        return self._now
