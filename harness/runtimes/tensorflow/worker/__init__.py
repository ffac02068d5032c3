"""TensorFlow, inside an environment."""

from .steps import Worker

__all__ = ["Worker"]
