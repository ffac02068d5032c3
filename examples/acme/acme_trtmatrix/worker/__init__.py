"""The worker of acme, inside an environment: the standard library, NumPy, and the frame of the harness."""

from .steps import Worker

__all__ = ["Worker"]
